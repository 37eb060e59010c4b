"""A ``MujocoLook`` and Newton's model as the shader reads them, laid out on the device once.

* ``scene_of``: the shapes, with their materials, vertices and textures.
* ``lighting_of``: the lights.
"""

import math
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import warp as wp
from isaaclab.sim import SimulationContext
from newton import GeoType, Mesh
from newton.utils import load_texture, normalize_texture

from groot_wrappers.errors import ContractError
from tasks.common.mujoco_look.kernels import LightData, Lighting, Scene, Surface
from tasks.common.mujoco_look.look import Headlight, Light, Material, MujocoLook

__all__ = ["lighting_of", "scene_of"]


def scene_of(look: MujocoLook, model: Any) -> tuple[Any, list[Any]]:
    """Return a ``Scene`` of Newton's model, and what has to be kept as long as it is used.

    Raises:
        ContractError: A texture cannot be read.
    """
    surfaces = list(_surfaces(look, model))
    plan = SimulationContext.instance().get_clone_plan()
    origins = None if plan is None else plan.positions
    scene: Any = Scene()
    scene.surfaces = wp.array(surfaces, dtype=Surface, device=model.device)
    scene.colours, scene.poses, scene.scales = model.shape_color, model.bvh_shape_world_transforms, model.shape_scale
    rows = np.zeros((model.world_count, 3)) if origins is None else np.asarray(origins)
    scene.origins = wp.array(rows.astype(np.float32), dtype=wp.vec3f, device=model.device)
    scene.tree, scene.roots, scene.leaves = model.bvh_shapes.id, model.bvh_shapes_group_roots, model.bvh_shape_enabled
    return scene, surfaces


def lighting_of(look: MujocoLook, device: Any) -> Any:
    """Return the ``Lighting`` of a look."""
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


def _surfaces(look: MujocoLook, model: Any) -> Iterator[Any]:
    """Yield a ``Surface`` for each shape; what several shapes share is on the device once."""
    textures: dict[Any, wp.Texture2D] = {}

    @cache
    def array_of(mesh: Mesh, name: str, dtype: Any) -> wp.array:
        return wp.array(getattr(mesh, name), dtype=dtype, device=model.device)

    default = Material()
    paths = model.isaaclab.visual_material_path
    kinds, sources, ids = model.shape_type.numpy(), model.shape_source, model.shape_source_ptr.numpy()
    for path, kind, mesh, mesh_id in zip(paths, kinds, sources, ids, strict=True):
        surface = _material_data(look.materials.get(path.rsplit("/", 1)[-1], default))
        if kind == GeoType.MESH and isinstance(mesh, Mesh):
            surface.mesh = wp.uint64(int(mesh_id))
            if mesh.normals is not None:
                surface.normals = array_of(mesh, "normals", wp.vec3f)
            if mesh.uvs is not None and mesh.texture is not None:
                if mesh.texture_hash not in textures:
                    textures[mesh.texture_hash] = _texture(mesh.texture, model.device)
                surface.texture = textures[mesh.texture_hash]
                surface.coordinates = array_of(mesh, "uvs", wp.vec2f)
                surface.texels = wp.vec2f(float(surface.texture.width), float(surface.texture.height))
        yield surface


def _material_data(material: Material) -> Any:
    surface: Any = Surface()
    surface.specular, surface.exponent = material.specular, 128 * material.shininess
    surface.emission, surface.reflectance = material.emission, material.reflectance
    surface.cover = 1 - (1 - material.alpha) ** 2  # MuJoCo draws what is transparent twice
    surface.tint = material.tint
    return surface


def _texture(source: Any, device: Any) -> wp.Texture2D:
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
