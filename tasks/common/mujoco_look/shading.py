"""MuJoCo's light over what Newton's sensor sees, without IsaacLab.

* ``Rays``: of a camera, and what they hit.
* ``Shading``: lights and materials on the device, and the one call that draws.
"""

import math
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import warp as wp
from newton import GeoType, Mesh
from newton.utils import load_texture, normalize_texture

from groot_wrappers.errors import ContractError
from tasks.common.mujoco_look.kernels import LightData, Lighting, Scene, Surface, fine_rays, shade
from tasks.common.mujoco_look.look import Headlight, Light, Material, MujocoLook

__all__ = ["Rays", "Shading"]


class Rays:
    """The rays of a pinhole camera, k x k a pixel, and what each of them hits.

    Args:
        model: Newton's.
        height: Of the pictures, pixels.
        width: Of the pictures, pixels.
        finer: k.

    Attributes:
        directions: vec3f (1, H k, W k, 2), origin and direction in the camera's frame, which looks along -z.
        shapes: uint32 (num_envs, 1, H k, W k), of the model; a greater number where there is none.
        normals: vec3f of that size, in the world.
        depths: float32 of that size, along the ray, metres.
    """

    def __init__(self, model: Any, height: int, width: int, finer: int) -> None:
        self.finer = finer
        size = (finer * height, finer * width)
        seen = (model.world_count, 1, *size)
        self.directions: Any = wp.empty((1, *size, 2), dtype=wp.vec3f, device=model.device)
        self.shapes: Any = wp.empty(seen, dtype=wp.uint32, device=model.device)
        self.normals: Any = wp.empty(seen, dtype=wp.vec3f, device=model.device)
        self.depths: Any = wp.empty(seen, dtype=wp.float32, device=model.device)

    def lay(self, intrinsics: Any) -> None:
        """Lay the rays for a lens; ``intrinsics`` is mat33f (num_envs,), of which the first counts, as with Newton."""
        rays = self.directions
        wp.launch(fine_rays, rays.shape[1:3], [intrinsics, self.finer, rays], device=rays.device)


class Shading:
    """Lights and materials of a scene as the kernel reads them.

    Args:
        look: Of the scene.
        model: Newton's.
        materials: Name of each shape's material, by which ``look`` knows it.
        origins: float32 (num_envs, 3), of the envs, metres; lights stand relative to them.

    Raises:
        ContractError: A texture cannot be read.
    """

    def __init__(self, look: MujocoLook, model: Any, materials: Sequence[str], origins: np.ndarray) -> None:
        self._surfaces = list(_surfaces(look, model, materials))  # their arrays live as long as these do
        scene: Any = Scene()
        scene.surfaces = wp.array(self._surfaces, dtype=Surface, device=model.device)
        scene.colours, scene.scales = model.shape_color, model.shape_scale
        scene.origins = wp.array(origins, dtype=wp.vec3f, device=model.device)
        # What the sensor casts its rays with; refitted to where the shapes are before it does.
        scene.poses, scene.tree = model.bvh_shape_world_transforms, model.bvh_shapes.id
        scene.roots, scene.leaves = model.bvh_shapes_group_roots, model.bvh_shape_enabled
        self._scene, self._lighting = scene, _lighting(look, model.device)

    def draw(self, sensor: Any, state: Any, poses: Any, rays: Rays, pictures: Any) -> None:
        """Cast the rays of a camera, light what they hit, and average those of each pixel; all on the device.

        Args:
            sensor: Newton's ``SensorTiledCamera`` of the same model.
            state: Newton's.
            poses: transformf (1, num_envs), of the camera.
            rays: Its rays.
            pictures: uint32 (num_envs, 1, H, W), packed RGBA; written.
        """
        sensor.update(
            state,
            poses,
            rays.directions,
            depth_image=rays.depths,
            normal_image=rays.normals,
            shape_index_image=rays.shapes,
        )
        wp.launch(
            shade,
            (pictures.shape[0], *pictures.shape[2:]),
            [self._scene, self._lighting, poses, rays.directions, rays.shapes, rays.normals, rays.depths, rays.finer],
            [pictures],
            device=pictures.device,
        )


def _lighting(look: MujocoLook, device: Any) -> Any:
    lights = [_light_data(light) for light in look.lights]
    if look.headlight is not None:
        lights.append(_head_data(look.headlight))
    lighting: Any = Lighting()
    lighting.lights = wp.array(lights, dtype=LightData, device=device)
    lighting.ambient, lighting.background = look.ambient, look.background
    return lighting


def _light_data(light: Light) -> Any:
    data: Any = LightData()
    data.stands = light.position is not None
    data.position = light.position or (0.0, 0.0, 0.0)
    data.direction = light.direction
    data.ambient, data.diffuse, data.specular = light.ambient, light.diffuse, light.specular
    data.cos_cutoff, data.exponent = math.cos(math.radians(light.cutoff)), light.exponent
    data.attenuation = light.attenuation
    return data


def _head_data(light: Headlight) -> Any:
    data: Any = LightData()  # without a direction: the camera's
    data.ambient, data.diffuse, data.specular = light.ambient, light.diffuse, light.specular
    return data


def _surfaces(look: MujocoLook, model: Any, materials: Sequence[str]) -> Iterator[Any]:
    """Yield a ``Surface`` for each shape; what several shapes share is on the device once."""
    textures: dict[Any, Any] = {}

    @cache
    def array_of(mesh: Mesh, name: str, dtype: Any) -> Any:
        return wp.array(getattr(mesh, name), dtype=dtype, device=model.device)

    default = Material()
    kinds, sources, ids = model.shape_type.numpy(), model.shape_source, model.shape_source_ptr.numpy()
    for name, kind, mesh, mesh_id in zip(materials, kinds, sources, ids, strict=True):
        surface = _material_data(look.materials.get(name, default))
        if kind == GeoType.MESH and isinstance(mesh, Mesh):
            surface.mesh = wp.uint64(int(mesh_id))
            if mesh.normals is not None:
                surface.normals = array_of(mesh, "normals", wp.vec3f)
            if mesh.uvs is not None and mesh.texture is not None:
                if mesh.texture_hash not in textures:
                    textures[mesh.texture_hash] = _texture(mesh.texture, model.device)
                surface.texture = textures[mesh.texture_hash]
                surface.coordinates = array_of(mesh, "uvs", wp.vec2f)
                surface.texels = (float(surface.texture.width), float(surface.texture.height))
        yield surface


def _material_data(material: Material) -> Any:
    surface: Any = Surface()
    surface.specular, surface.exponent = material.specular, 128 * material.shininess
    surface.emission, surface.reflectance = material.emission, material.reflectance
    surface.cover = 1 - (1 - material.alpha) ** 2  # MuJoCo draws what is transparent twice
    surface.tint = material.tint
    return surface


def _texture(source: Any, device: Any) -> Any:
    """Load a picture with all its coarser versions, each half as large; averaged as displayed, as OpenGL does."""
    pixels = load_texture(source)
    if pixels is None:
        raise ContractError(f"The texture {source} of a scene in MuJoCo's look cannot be read. Export the scene anew.")
    return wp.Texture2D(
        np.asarray(normalize_texture(pixels, require_channels=True), np.uint8),
        filter_mode=wp.TextureFilterMode.LINEAR,
        mip_filter_mode=wp.TextureFilterMode.LINEAR,
        address_mode=wp.TextureAddressMode.WRAP,
        num_mip_levels=0,
        device=device,
    )
