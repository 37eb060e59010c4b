"""A small scene of our own as MuJoCo and Newton know it, and MuJoCo's picture of it.

MUJOCO_GL=egl python -m tests.tasks.common.mujoco_look.scene  # draws ../../../data/mujoco_look.png anew
"""

from pathlib import Path

import mujoco
import newton
import numpy as np
import warp as wp
from newton.sensors import SensorTiledCamera
from PIL import Image

from tasks.common.mujoco_look import geom_colour, look_of, material_name
from tasks.common.mujoco_look.shading import Rays, Shading

PICTURE = Path(__file__).parents[3] / "data" / "mujoco_look.png"
HEIGHT, WIDTH = 96, 128
CHECKS = 64  # texels of the floor's texture, each way

MODEL = f"""
<mujoco>
  <visual>
    <headlight ambient="0.1 0.12 0.1" diffuse="0.3 0.3 0.35" specular="0.6 0.6 0.6"/>
    <quality offsamples="4" numslices="64" numstacks="64" numquads="4"/>
  </visual>
  <asset>
    <texture name="checks" type="2d" builtin="checker" width="{CHECKS}" height="{CHECKS}"
             rgb1="0.9 0.8 0.6" rgb2="0.3 0.5 0.4"/>
    <material name="floor" texture="checks" rgba="0.9 1 0.8 1" specular="0.4" shininess="0.1"/>
    <material name="steel" rgba="0.3 0.3 0.35 1" specular="0.6" shininess="0.3" reflectance="0.6"/>
    <material name="also mirror" rgba="0.2 0.3 0.8 1" reflectance="0.6"/>
    <material name="glass" rgba="0.2 0.9 0.9 0.4"/>
    <material name="lamp" rgba="0.9 0.4 0.1 1" emission="0.5"/>
    <mesh name="floor" vertex="-1 -1 0  1 -1 0  1 1 0  -1 1 0  0 0 -1" face="0 1 2  0 2 3  0 4 1  1 4 2  2 4 3  3 4 0"
          normal="0 0 1  0 0 1  0 0 1  0 0 1  0 0 -1" texcoord="0 0  8 0  8 8  0 8  4 4"/>
  </asset>
  <worldbody>
    <light name="sun" directional="true" castshadow="false" dir="0.3 0.2 -1" diffuse="0.3 0.3 0.2"/>
    <light name="spot" castshadow="false" pos="0.3 -0.4 1.2" dir="-0.2 0.4 -1" cutoff="20" exponent="8"
           diffuse="0.6 0.5 0.5" specular="0.9 0.9 0.9" attenuation="0.6 0.2 0.1"/>
    <camera name="eye" pos="0 -1.3 0.9" xyaxes="1 0 0 0 0.55 0.8" fovy="45"/>
    <geom name="floor" type="mesh" mesh="floor" material="floor"/>
    <geom name="mirror" type="box" size="0.3 0.3 0.05" pos="-0.1 0 0.05" euler="0 0 20" material="steel"/>
    <geom name="ball" type="sphere" size="0.12" pos="-0.62 -0.15 0.12" rgba="0.8 0.2 0.2 1"/>
    <geom name="lamp" type="box" size="0.06 0.08 0.06" pos="-0.1 0.15 0.25" euler="0 0 30" material="lamp"/>
    <geom name="box" type="box" size="0.1 0.15 0.15" pos="0.45 0.2 0.15" material="also mirror"/>
    <geom name="pane" type="box" size="0.15 0.01 0.15" pos="0.4 -0.2 0.2" euler="0 0 -10" material="glass"/>
  </worldbody>
</mujoco>
"""


def model_of(text=MODEL):
    """The scene, compiled by MuJoCo."""
    return mujoco.MjModel.from_xml_string(text)


class Drawn:
    """The scene in Newton, as many times side by side as there are origins, and its camera."""

    def __init__(self, model, finer=2, origins=((0.0, 0.0, 0.0),)):
        builder = newton.ModelBuilder()
        for origin in origins:
            builder.begin_world()
            for geom in range(model.ngeom):
                _add(builder, model, geom, np.array(origin))
            builder.end_world()
        self.model = builder.finalize(device="cpu")
        self.state, self.sensor = self.model.state(), SensorTiledCamera(self.model)
        names = [material_name(model, geom) for geom in range(model.ngeom)] * len(origins)
        self.shading = Shading(look_of(model), self.model, names, np.float32(origins))
        self.poses = wp.array([_camera(model, np.array(origin)) for origin in origins], dtype=wp.transformf, ndim=1)
        self.poses = self.poses.reshape((1, len(origins)))
        self.rays = Rays(self.model, HEIGHT, WIDTH, finer)
        focal = HEIGHT / 2 / np.tan(np.radians(model.cam_fovy[0]) / 2)
        lens = np.float32([[focal, 0, WIDTH / 2], [0, focal, HEIGHT / 2], [0, 0, 1]])
        self.rays.lay(wp.array([lens], dtype=wp.mat33f, device="cpu"))

    def pictures(self):
        """Draw: uint8 (worlds, H, W, 3)."""
        packed = wp.zeros((self.model.world_count, 1, HEIGHT, WIDTH), dtype=wp.uint32, device="cpu")
        self.shading.draw(self.sensor, self.state, self.poses, self.rays, packed)
        return packed.numpy()[:, 0].view(np.uint8).reshape(-1, HEIGHT, WIDTH, 4)[..., :3]


def _camera(model, origin):
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    turn = np.zeros(4)
    mujoco.mju_mat2Quat(turn, data.cam_xmat[0])
    return wp.transformf(*(data.cam_xpos[0] + origin), *turn[[1, 2, 3, 0]])


def _add(builder, model, geom, origin):
    w, x, y, z = model.geom_quat[geom]
    pose = wp.transform(wp.vec3(*(model.geom_pos[geom] + origin)), wp.quat(x, y, z, w))
    colour = tuple(geom_colour(model, geom)[:3].tolist())
    kind, size = model.geom_type[geom], model.geom_size[geom]
    if kind == mujoco.mjtGeom.mjGEOM_SPHERE:
        builder.add_shape_sphere(-1, xform=pose, radius=size[0], color=colour)
        return
    mesh = _box(size) if kind == mujoco.mjtGeom.mjGEOM_BOX else _mesh(model)
    builder.add_shape_mesh(-1, xform=pose, mesh=mesh, color=colour if mesh.texture is None else (1.0, 1.0, 1.0))


def _mesh(model):
    pixels = np.pad(model.tex_data.reshape(CHECKS, CHECKS, 3), [(0, 0), (0, 0), (0, 1)], constant_values=255)
    coordinates = model.mesh_texcoord * [1, -1] + [0, 1]  # Newton's v goes up
    corners = np.stack([model.mesh_face, model.mesh_facenormal, model.mesh_facetexcoord], -1).reshape(-1, 3)
    points, normals, uvs = model.mesh_vert[corners[:, 0]], model.mesh_normal[corners[:, 1]], coordinates[corners[:, 2]]
    return newton.Mesh(points, np.arange(len(corners)), normals=normals, uvs=uvs, texture=pixels, compute_inertia=False)


def _box(half, squares=4):
    """A box whose sides are grids, as MuJoCo draws them: it lights the corners of the squares."""
    line = np.linspace(-1, 1, squares + 1)
    u, v = (part.ravel() for part in np.meshgrid(line, line))
    first = (np.arange(squares)[:, None] * (squares + 1) + np.arange(squares)).ravel()
    faces = first[:, None] + [0, 1, squares + 1, 1, squares + 2, squares + 1]
    points, normals = [], []
    for axis in range(3):
        for sign in (1, -1):
            side = np.stack([np.full_like(u, sign), u * sign, v], -1)  # x outwards, counter-clockwise
            turned = np.roll(side, axis, axis=1)
            points.append(turned * half)
            normals.append(np.roll([[sign, 0, 0]] * len(u), axis, axis=1))
    count = len(points[0])
    indices = np.concatenate([faces + side * count for side in range(6)]).ravel()
    return newton.Mesh(np.concatenate(points), indices, normals=np.concatenate(normals), compute_inertia=False)


if __name__ == "__main__":
    MADE = model_of()
    DATA = mujoco.MjData(MADE)
    mujoco.mj_forward(MADE, DATA)
    with mujoco.Renderer(MADE, HEIGHT, WIDTH) as renderer:
        renderer.update_scene(DATA, "eye")
        Image.fromarray(renderer.render()).save(PICTURE)
