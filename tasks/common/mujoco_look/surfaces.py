"""``surfaces``: what the shader reads of each shape of Newton's model, its vertices and its texture among it."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import warp as wp
from newton import GeoType, Mesh
from newton.utils import load_texture, normalize_texture

from groot_wrappers.errors import ContractError
from tasks.common.mujoco_look.kernels import Surface
from tasks.common.mujoco_look.look import Material, MujocoLook

__all__ = ["surfaces"]


def surfaces(look: MujocoLook, model: Any) -> Iterator[Any]:
    """Yield a ``Surface`` for each shape of a Newton model; what several shapes share is on the device once.

    Raises:
        ContractError: A texture cannot be read.
    """
    textures: dict[Any, wp.Texture2D] = {}

    @cache
    def array_of(mesh: Mesh, name: str, dtype: Any) -> wp.array:
        return wp.array(getattr(mesh, name), dtype=dtype, device=model.device)

    default = Material()
    paths = model.isaaclab.visual_material_path
    kinds, sources, ids = model.shape_type.numpy(), model.shape_source, model.shape_source_ptr.numpy()
    for path, kind, mesh, mesh_id in zip(paths, kinds, sources, ids, strict=True):
        material = look.materials.get(path.rsplit("/", 1)[-1], default)
        surface: Any = Surface()
        surface.specular, surface.exponent = material.specular, 128 * material.shininess
        surface.emission, surface.tint = material.emission, material.tint
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


def _texture(source: Any, device: Any) -> wp.Texture2D:
    """Load a picture with all its coarser versions, each half as large; averaged as displayed, as OpenGL does."""
    pixels = load_texture(source)
    if pixels is None:
        raise ContractError(
            f"The texture {source} of a camera with MuJoCo's light cannot be read. Export the scene anew."
        )
    pixels = np.asarray(normalize_texture(pixels, require_channels=True), np.uint8)
    return wp.Texture2D(
        pixels,
        filter_mode=wp.TextureFilterMode.LINEAR,
        mip_filter_mode=wp.TextureFilterMode.LINEAR,
        address_mode=wp.TextureAddressMode.WRAP,
        num_mip_levels=0,
        device=device,
    )
