"""What a geom of a ``MjModel`` looks like, as triangles with places in a picture: ``triangles_of``.

Newton's renderer puts pictures on meshes alone, so all that is seen becomes one. Places in a picture are as MuJoCo's
own renderer has them, which lays a flat picture along a shape's x and y where the shape has none of its own.
"""

from dataclasses import dataclass

import mujoco
import numpy as np

__all__ = ["Triangles", "picture_of", "triangles_of"]

_WIDE = 20.0
"""Half the side of a plane without an end, m."""
_SECTIONS = 32
"""Of what is round."""

_CUBE = {
    (0, 1): ((2, -1), (1, -1)),
    (0, -1): ((2, 1), (1, -1)),
    (1, 1): ((0, 1), (2, 1)),
    (1, -1): ((0, 1), (2, -1)),
    (2, 1): ((0, 1), (1, -1)),
    (2, -1): ((0, -1), (1, -1)),
}
"""Axis and sign of a box's side -> axis and sign of what runs along its picture, and up, as OpenGL lays out a cube."""


@dataclass(frozen=True)
class Triangles:
    """Points (n, 3), m, three of each triangle (m, 3), normals (n, 3), and places in a picture (n, 2), v upwards."""

    points: np.ndarray
    faces: np.ndarray
    normals: np.ndarray | None = None
    places: np.ndarray | None = None


def picture_of(model: mujoco.MjModel, geom: int) -> int:
    """Return the number of the texture on a geom, -1 for none."""
    material = model.geom_matid[geom]
    return -1 if material < 0 else int(model.mat_texid[material, mujoco.mjtTextureRole.mjTEXROLE_RGB])


def triangles_of(model: mujoco.MjModel, geom: int) -> Triangles:
    """Return what is seen of a geom, in its own frame."""
    kind, size = mujoco.mjtGeom(int(model.geom_type[geom])), model.geom_size[geom]
    if kind == mujoco.mjtGeom.mjGEOM_MESH:
        return _mesh(model, geom)
    if kind == mujoco.mjtGeom.mjGEOM_PLANE:
        return _sides(model, geom, np.array([size[0] or _WIDE, size[1] or _WIDE, 0.0]), [(2, 1)])
    if kind == mujoco.mjtGeom.mjGEOM_BOX:
        return _sides(model, geom, np.array(size), list(_CUBE))
    return _round(kind, size)


def _mesh(model: mujoco.MjModel, geom: int) -> Triangles:
    mesh, material = model.geom_dataid[geom], model.geom_matid[geom]
    faces = slice(model.mesh_faceadr[mesh], model.mesh_faceadr[mesh] + model.mesh_facenum[mesh])
    first, has_places = model.mesh_texcoordadr[mesh], model.mesh_texcoordadr[mesh] >= 0
    corners = [model.mesh_face[faces].ravel(), model.mesh_facenormal[faces].ravel()]
    has_picture = picture_of(model, geom) >= 0
    if has_picture and has_places:
        corners.append(model.mesh_facetexcoord[faces].ravel())
    unique, order = np.unique(np.stack(corners, 1), axis=0, return_inverse=True)
    points = model.mesh_vert[model.mesh_vertadr[mesh] + unique[:, 0]]
    normals = model.mesh_normal[model.mesh_normaladr[mesh] + unique[:, 1]]
    places = None
    if has_picture and has_places:
        places = _upwards(model.mesh_texcoord[first + unique[:, 2]] * model.mat_texrepeat[material])
    elif has_picture:
        places = _flat(model, material, points, model.geom_size[geom])
    return Triangles(points, order.reshape(-1, 3), normals, places)


def _sides(model: mujoco.MjModel, geom: int, half: np.ndarray, sides: list[tuple[int, int]]) -> Triangles:
    texture = picture_of(model, geom)
    is_cube = texture >= 0 and model.tex_type[texture] == mujoco.mjtTexture.mjTEXTURE_CUBE
    points, places, normals, faces = [], [], [], []
    for number, (axis, sign) in enumerate(sides):
        first, second = (axis + 1) % 3, (axis + 2) % 3
        unit = np.zeros((4, 3))
        unit[:, axis], unit[:, first], unit[:, second] = sign, [-1, 1, 1, -1], [-1, -1, 1, 1]
        points.append(unit * half)
        normals.append(np.eye(3)[[axis] * 4] * sign)
        if is_cube:  # the whole picture on each side
            (along, turned), (up, flipped) = _CUBE[(axis, sign)]
            places.append(_upwards(np.stack([turned * unit[:, along] + 1, flipped * unit[:, up] + 1], 1) / 2))
        elif texture >= 0:
            places.append(_flat(model, model.geom_matid[geom], points[-1], half))
        corners = np.array([(0, 1, 2), (0, 2, 3)] if sign > 0 else [(0, 2, 1), (0, 3, 2)])
        faces.append(corners + 4 * number)
    laid = np.concatenate(places) if places else None
    return Triangles(np.concatenate(points), np.concatenate(faces), np.concatenate(normals), laid)


def _flat(model: mujoco.MjModel, material: int, points: np.ndarray, half: np.ndarray) -> np.ndarray:
    """Return places in a picture that lies along x and y, once over the shape or once a metre."""
    is_uniform = model.mat_texuniform[material]
    span = points[:, :2] if is_uniform else points[:, :2] / np.maximum(half[:2], 1e-9)
    return _upwards(span * model.mat_texrepeat[material] * [0.5, -0.5] - 0.5)


def _upwards(places: np.ndarray) -> np.ndarray:
    """Return places with v up from the picture's lower edge, as USD has it; MuJoCo's runs down from its upper one."""
    return np.stack([places[:, 0], 1 - places[:, 1]], 1)


def _round(kind: mujoco.mjtGeom, size: np.ndarray) -> Triangles:
    import trimesh  # noqa: PLC0415, it takes a second to import

    radius, half = float(size[0]), float(size[1])
    if kind == mujoco.mjtGeom.mjGEOM_CYLINDER:
        shape = trimesh.creation.cylinder(radius, 2 * half, sections=_SECTIONS)
    elif kind == mujoco.mjtGeom.mjGEOM_CAPSULE:
        shape = trimesh.creation.capsule(2 * half, radius)
    elif kind == mujoco.mjtGeom.mjGEOM_SPHERE:
        shape = trimesh.creation.icosphere(3, radius)
    else:
        raise NotImplementedError(
            f"a {kind.name} is seen, but boxes, planes, cylinders, capsules, spheres and meshes alone are written"
        )
    return Triangles(np.asarray(shape.vertices), np.asarray(shape.faces))
