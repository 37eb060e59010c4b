"""What is seen of a ``MjModel``, as USD: ``add_visual`` of a geom, with the pictures of materials, ``add_site``.

Materials are named as ``tasks.common.mujoco_look`` names them, which knows of each what Newton's light has no use for.
"""

from pathlib import Path
from typing import Any

import mujoco
import numpy as np
from pxr import Sdf, UsdGeom, UsdShade, Vt

from tasks.common.mujoco_look import geom_colour, material_name
from tasks.libero.scene.usd.poses import Pose, place, usd_vector
from tasks.libero.scene.usd.round_shapes import round_shape
from tasks.libero.scene.usd.triangles import Triangles, picture_of, triangles_of

__all__ = ["add_site", "add_visual"]

_TEXELS = 1024
"""Longest side of a picture, pixels: cameras of 256 see none of a bowl's 4,096, and reading them takes seconds."""


def add_visual(stage: Any, model: mujoco.MjModel, path: str, geom: int, pose: Pose) -> None:
    """Add a geom that is seen and does not collide, with its material, below the stage's default prim.

    Args:
        stage: The stage; pictures are written into ``textures`` beside its file.
        model: The model.
        path: Of the mesh.
        geom: Its number in the model.
        pose: In the parent prim's frame.
    """
    shape = triangles_of(model, geom)
    mesh = UsdGeom.Mesh.Define(stage, path)
    _fill(mesh, shape)
    place(mesh, pose)
    looks = stage.GetDefaultPrim().GetPath().AppendChild("Looks").AppendChild(material_name(model, geom))
    material = UsdShade.Material.Get(stage, looks)
    UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(material or _material(stage, model, looks, geom))


def add_site(stage: Any, model: mujoco.MjModel, path: str, site: int, pose: Pose) -> None:
    """Add a round site in its own colour; arguments are those of ``add_visual``."""
    kind, quality = mujoco.mjtGeom(int(model.site_type[site])), model.vis.quality
    mesh = UsdGeom.Mesh.Define(stage, path)
    _fill(mesh, Triangles(*round_shape(kind, model.site_size[site], quality.numslices, quality.numstacks)))
    place(mesh, pose)
    looks = stage.GetDefaultPrim().GetPath().AppendChild("Looks").AppendChild(model.site(site).name)
    material, colour = _surface(stage, looks)
    colour.Set(usd_vector(_linear(model.site_rgba[site, :3])))
    UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(material)


def _fill(mesh: Any, shape: Triangles) -> None:
    mesh.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(shape.points, np.float32)))
    mesh.CreateFaceVertexCountsAttr(Vt.IntArray.FromNumpy(np.full(len(shape.faces), 3, np.int32)))
    mesh.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(np.ascontiguousarray(shape.faces.ravel(), np.int32)))
    mesh.CreateSubdivisionSchemeAttr("none")
    if shape.normals is not None:
        mesh.CreateNormalsAttr(Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(shape.normals, np.float32)))
        mesh.SetNormalsInterpolation("vertex")
    if shape.places is not None:
        laid = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar("st", Sdf.ValueTypeNames.TexCoord2fArray, "vertex")
        laid.Set(Vt.Vec2fArray.FromNumpy(np.ascontiguousarray(shape.places, np.float32)))


def _material(stage: Any, model: mujoco.MjModel, path: Any, geom: int) -> Any:
    material, colour = _surface(stage, path)
    texture = picture_of(model, geom)
    if texture < 0:
        colour.Set(usd_vector(_linear(geom_colour(model, geom)[:3])))
    else:
        file = _write_picture(Path(stage.GetRootLayer().realPath).parent, model, texture)
        reader = UsdShade.Shader.Define(stage, path.AppendChild("Places"))
        reader.CreateIdAttr("UsdPrimvarReader_float2")
        reader.CreateInput("varname", Sdf.ValueTypeNames.String).Set("st")
        picture = UsdShade.Shader.Define(stage, path.AppendChild("Picture"))
        picture.CreateIdAttr("UsdUVTexture")
        picture.CreateInput("file", Sdf.ValueTypeNames.Asset).Set(file)
        picture.CreateInput("sourceColorSpace", Sdf.ValueTypeNames.Token).Set("sRGB")
        picture.CreateInput("st", Sdf.ValueTypeNames.Float2).ConnectToSource(
            reader.CreateOutput("result", Sdf.ValueTypeNames.Float2)
        )
        colour.ConnectToSource(picture.CreateOutput("rgb", Sdf.ValueTypeNames.Float3))
    return material


def _surface(stage: Any, path: Any) -> tuple[Any, Any]:
    """Define a material, and return it with what its colour is to be said by."""
    material = UsdShade.Material.Define(stage, path)
    shader = UsdShade.Shader.Define(stage, path.AppendChild("Surface"))
    shader.CreateIdAttr("UsdPreviewSurface")
    material.CreateSurfaceOutput().ConnectToSource(shader.ConnectableAPI(), "surface")
    return material, shader.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f)


def _linear(colour: np.ndarray) -> np.ndarray:
    """Return a colour as USD has it, in linear light; MuJoCo's are as displayed."""
    return np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)


def _write_picture(folder: Path, model: mujoco.MjModel, texture: int) -> str:
    """Write a texture, and return its path as seen from the stage; of a cube, whose sides are alike, one side."""
    from PIL import Image  # noqa: PLC0415, only for a build

    width, height, channels = model.tex_width[texture], model.tex_height[texture], model.tex_nchannel[texture]
    first = model.tex_adr[texture]
    pixels = model.tex_data[first : first + width * height * channels].reshape(height, width, channels)[..., :3]
    if model.tex_type[texture] == mujoco.mjtTexture.mjTEXTURE_CUBE:
        pixels = pixels[:width]
    path = folder / "textures" / f"{model.tex(texture).name.replace('/', '_') or texture}.png"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        picture = Image.fromarray(np.ascontiguousarray(pixels))
        scale = _TEXELS / max(picture.size)
        if scale < 1:
            picture = picture.resize(
                (round(picture.width * scale), round(picture.height * scale)), Image.Resampling.BOX
            )
        picture.save(path, compress_level=1)
    return f"./textures/{path.name}"
