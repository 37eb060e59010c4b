"""Everyday things as USD of primitives, written once into the cache: ``thing_usd``, and the parts they are made of.

* ``Lathe``: what is seen of something round, by its outline; it does not collide.
* ``Cylinder``, ``Wall``, ``Feet``: what collides of it: solid, as a ring of boxes, and what it stands on; none is seen.
* ``Box``: is seen, or collides, or both.

Lengths in metres; the origin is where a thing's axis meets what it stands on, z up.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tasks.assets.cache import AssetError, build_once, cache_root

__all__ = ["Box", "Cylinder", "Feet", "Lathe", "Part", "Wall", "thing_usd"]

Triple = tuple[float, float, float]

_FRICTION = 1.0
_SIDES = 40
"""Of what is round, as it is seen."""
_FOOT = 0.005
"""Radius of a foot, m."""


@dataclass(frozen=True)
class Lathe:
    """A closed outline turned about the z axis.

    Attributes:
        outline: Points (radius, z), counter-clockwise with the radius to the right: up the outside, down the inside.
        colour: Red, green, blue in [0, 1].
    """

    outline: tuple[tuple[float, float], ...]
    colour: Triple


@dataclass(frozen=True)
class Cylinder:
    """An upright cylinder that collides."""

    radius: float
    low: float
    high: float


@dataclass(frozen=True)
class Feet:
    """Four balls that it stands on, at the corners of a square; whatever else collides ends a little higher.

    Of two boxes that lie flat on each other the collision now and then finds two points instead of four, and the upper
    one tips and sinks in; a ball has one point, always.
    """

    aside: float


@dataclass(frozen=True)
class Wall:
    """An upright ring of boxes that collide: the wall of a bowl.

    Attributes:
        radius: To the middle of the wall.
        low, high: Its lower and upper end.
        thickness: Of the boxes.
        count: How many boxes there are.
    """

    radius: float
    low: float
    high: float
    thickness: float
    count: int = 12


@dataclass(frozen=True)
class Box:
    """A box; without a colour it is not seen, and ``grain`` gives it a picture of wood in its colour."""

    size: Triple
    centre: Triple
    colour: Triple | None
    collides: bool = True
    grain: bool = False


Part = Lathe | Cylinder | Wall | Feet | Box


def thing_usd(name: str, parts: Sequence[Part], mass: float | None) -> Path:
    """Path of the USD of a thing, written on the first call.

    Args:
        name: Of its file.
        parts: What it is made of.
        mass: kg; None for what does not move.

    Raises:
        AssetError: USD's Python package is missing.
    """
    said = Path(__file__).read_bytes() + repr((tuple(parts), mass)).encode()
    folder = cache_root() / "assets" / f"{name}-{hashlib.sha256(said).hexdigest()[:12]}"
    return build_once(folder, lambda scratch: _build(scratch, name, parts, mass)) / f"{name}.usda"


def _build(folder: Path, name: str, parts: Sequence[Part], mass: float | None) -> None:
    try:
        from pxr import Usd, UsdGeom, UsdPhysics, UsdShade  # noqa: PLC0415, only for a build
    except ImportError as error:
        raise AssetError(f"{name} cannot be built: {error}. In the clone: pip install '.[isaaclab]'") from error
    stage = Usd.Stage.CreateNew(str(folder / f"{name}.usda"))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    thing = UsdGeom.Xform.Define(stage, "/Thing").GetPrim()
    stage.SetDefaultPrim(thing)
    if mass is not None:
        UsdPhysics.RigidBodyAPI.Apply(thing)
        UsdPhysics.MassAPI.Apply(thing).CreateMassAttr(mass)
    friction = UsdPhysics.MaterialAPI.Apply(UsdShade.Material.Define(stage, "/Thing/Looks/touch").GetPrim())
    friction.CreateStaticFrictionAttr(_FRICTION)
    friction.CreateDynamicFrictionAttr(_FRICTION)
    for index, part in enumerate(parts):
        if isinstance(part, Lathe):
            _add_lathe(stage, f"/Thing/Seen{index}", part)
        elif isinstance(part, Box):
            _add_box(stage, f"/Thing/Box{index}", part, folder)
        elif isinstance(part, Cylinder):
            _add_cylinder(stage, f"/Thing/Touched{index}", part)
        elif isinstance(part, Feet):
            _add_feet(stage, f"/Thing/Foot{index}", part)
        else:
            _add_wall(stage, f"/Thing/Touched{index}", part)
    stage.GetRootLayer().Save()


def _add_lathe(stage: Any, path: str, part: Lathe) -> None:
    import trimesh  # noqa: PLC0415, only for a build

    shape = trimesh.creation.revolve(np.array([*part.outline, part.outline[0]]), sections=_SIDES)
    _add_mesh(stage, path, (shape.vertices, shape.faces), part.colour)


def _add_box(stage: Any, path: str, part: Box, folder: Path) -> None:
    """Add a box as a mesh, each face with a picture of its own, and as a collider."""
    from pxr import UsdGeom  # noqa: PLC0415, only for a build

    if part.collides:
        shape = UsdGeom.Cube.Define(stage, f"{path}Touched")
        shape.CreateSizeAttr(1.0)
        _collide(shape, part.centre, size=part.size)
    if part.colour is None:
        return
    corners, faces, places = [], [], []
    half = np.array(part.size) / 2
    for axis in range(3):
        for sign in (-1.0, 1.0):
            normal, u, v = np.roll(np.eye(3), -axis, axis=0) * [[sign], [sign], [1.0]]
            for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
                corners.append((normal + a * u + b * v) * half + part.centre)
                places.append(((a + 1) / 2, (b + 1) / 2))
            first = len(corners) - 4
            faces += [[first, first + 1, first + 2], [first, first + 2, first + 3]]
    picture = (_write_grain(folder, part.colour), places) if part.grain else None
    _add_mesh(stage, path, (np.array(corners), np.array(faces)), part.colour, picture)


def _add_cylinder(stage: Any, path: str, part: Cylinder) -> None:
    from pxr import UsdGeom  # noqa: PLC0415, only for a build

    shape = UsdGeom.Cylinder.Define(stage, path)
    shape.CreateAxisAttr(UsdGeom.Tokens.z)
    shape.CreateRadiusAttr(part.radius)
    shape.CreateHeightAttr(part.high - part.low)
    _collide(shape, (0.0, 0.0, (part.low + part.high) / 2))


def _add_feet(stage: Any, path: str, part: Feet) -> None:
    from pxr import UsdGeom  # noqa: PLC0415, only for a build

    for index, (x, y) in enumerate([(1, 1), (1, -1), (-1, 1), (-1, -1)]):
        shape = UsdGeom.Sphere.Define(stage, f"{path}_{index}")
        shape.CreateRadiusAttr(_FOOT)
        _collide(shape, (x * part.aside, y * part.aside, _FOOT))


def _add_wall(stage: Any, path: str, part: Wall) -> None:
    from pxr import UsdGeom  # noqa: PLC0415, only for a build

    length = 2 * part.radius * np.tan(np.pi / part.count)
    for index, angle in enumerate(np.linspace(0, 2 * np.pi, part.count, endpoint=False)):
        shape = UsdGeom.Cube.Define(stage, f"{path}_{index}")
        shape.CreateSizeAttr(1.0)
        centre = (part.radius * np.cos(angle), part.radius * np.sin(angle), (part.low + part.high) / 2)
        _collide(shape, centre, size=(part.thickness, length, part.high - part.low), yaw=float(np.degrees(angle)))


def _collide(shape: Any, centre: Sequence[float], size: Sequence[float] | None = None, yaw: float = 0.0) -> None:
    """Make a shape one that collides and is not seen, at a place, of a size, and turned by degrees."""
    from pxr import Gf, UsdGeom, UsdPhysics, UsdShade  # noqa: PLC0415, only for a build

    UsdPhysics.CollisionAPI.Apply(shape.GetPrim())
    shape.CreatePurposeAttr(UsdGeom.Tokens.guide)
    shape.AddTranslateOp().Set(Gf.Vec3d(*map(float, centre)))
    if yaw:
        shape.AddRotateZOp().Set(yaw)
    if size is not None:
        shape.AddScaleOp().Set(Gf.Vec3f(*map(float, size)))
    touch = UsdShade.Material.Get(shape.GetPrim().GetStage(), "/Thing/Looks/touch")
    UsdShade.MaterialBindingAPI.Apply(shape.GetPrim()).Bind(touch, materialPurpose="physics")


def _add_mesh(
    stage: Any,
    path: str,
    shape: tuple[np.ndarray, np.ndarray],
    colour: Triple,
    picture: tuple[str, Sequence[tuple[float, float]]] | None = None,
) -> None:
    """Add triangles that are seen, in a colour, or with a picture, of which each point has its place.

    Args:
        stage: The stage.
        path: Of the mesh.
        shape: Points (N, 3), m, and the three of each triangle (M, 3).
        colour: Red, green, blue.
        picture: The name of its file, and the place of each point in it.
    """
    from pxr import Gf, Sdf, UsdGeom, UsdShade, Vt  # noqa: PLC0415, only for a build

    mesh = UsdGeom.Mesh.Define(stage, path)
    mesh.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(shape[0], np.float32)))
    mesh.CreateFaceVertexCountsAttr([3] * len(shape[1]))
    mesh.CreateFaceVertexIndicesAttr(shape[1].ravel().tolist())
    mesh.CreateSubdivisionSchemeAttr("none")
    mesh.CreateDisplayColorAttr([Gf.Vec3f(*colour)])
    looks = path.replace("/Thing/", "/Thing/Looks/")
    material = UsdShade.Material.Define(stage, looks)
    shader = UsdShade.Shader.Define(stage, f"{looks}/Surface")
    shader.CreateIdAttr("UsdPreviewSurface")
    seen = shader.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f)
    if picture is None:
        seen.Set(Gf.Vec3f(*colour))
    else:
        kind = Sdf.ValueTypeNames.TexCoord2fArray
        UsdGeom.PrimvarsAPI(mesh).CreatePrimvar("st", kind, UsdGeom.Tokens.vertex).Set(
            Vt.Vec2fArray.FromNumpy(np.array(picture[1], np.float32))
        )
        reader = UsdShade.Shader.Define(stage, f"{looks}/Places")
        reader.CreateIdAttr("UsdPrimvarReader_float2")
        reader.CreateInput("varname", Sdf.ValueTypeNames.Token).Set("st")
        texture = UsdShade.Shader.Define(stage, f"{looks}/Picture")
        texture.CreateIdAttr("UsdUVTexture")
        texture.CreateInput("file", Sdf.ValueTypeNames.Asset).Set(f"./{picture[0]}")
        texture.CreateInput("st", Sdf.ValueTypeNames.Float2).ConnectToSource(
            reader.CreateOutput("result", Sdf.ValueTypeNames.Float2)
        )
        seen.ConnectToSource(texture.CreateOutput("rgb", Sdf.ValueTypeNames.Float3))
    material.CreateSurfaceOutput().ConnectToSource(shader.ConnectableAPI(), "surface")
    UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(material)


def _write_grain(folder: Path, colour: Triple) -> str:
    """Write a picture of planks of wood, drawn from fixed waves, and return its name."""
    from PIL import Image  # noqa: PLC0415, only for a build

    size, planks = 512, 6
    v, u = np.mgrid[0:size, 0:size] / size
    plank = np.floor(u * planks)
    along = v + 0.37 * np.sin(5.1 * plank)
    rings = np.sin(60 * (u + 0.02 * np.sin(9 * along + 3 * plank)) + 2.5 * np.sin(4 * along + plank))
    shade = 0.93 + 0.05 * rings + 0.06 * np.sin(2.3 * plank + 1.0)
    shade[np.abs(u * planks - np.round(u * planks)) < 0.02] *= 0.75
    pixels = np.clip(shade[..., None] * np.array(colour) * 255, 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(folder / "grain.png")
    return "grain.png"
