"""A steering wheel on its hub, as a USD of primitives: ``steering_wheel_usd`` writes it into the cache.

The hub stands on the table and carries the rim at a height that lets fingers close around it. What collides are
capsules and a box; what is seen is a smooth torus, spokes, and a red cap on the hub.
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from tasks.assets.cache import AssetError, build_once, cache_root

__all__ = ["CAP_HEIGHT", "CAP_RADIUS", "RIM_HEIGHT", "RIM_RADIUS", "TUBE_RADIUS", "steering_wheel_usd"]

RIM_RADIUS = 0.13
"""Metres, from the axis to the middle of the tube; the origin is where the axis meets the table."""
TUBE_RADIUS = 0.013
RIM_HEIGHT = 0.07
CAP_RADIUS = 0.04
CAP_HEIGHT = 0.062
"""Of the cap's upper face."""

_MASS = 0.3
_CENTRE_OF_MASS = (0.0, 0.0, 0.042)
_INERTIA = (0.0016, 0.0016, 0.0028)
_FRICTION = 1.2
"""Rubber on plastic."""

_RIM_CAPSULES = 12
_SPOKE_RADIUS = 0.009
_SPOKE_ANGLES = np.radians([0.0, 90.0, 180.0])
"""As on a car's; the third points away from whoever sits at it, and leaves the near side of the rim to the fingers."""
_HUB_SIDE = 0.07
_COLOURS = {"dark": (0.07, 0.07, 0.08), "red": (0.75, 0.08, 0.06)}


def steering_wheel_usd() -> Path:
    """Path of the wheel's USD, written on the first call and kept in the cache.

    Raises:
        AssetError: USD's Python package is missing.
    """
    builder = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    return build_once(cache_root() / "assets" / f"steering_wheel-{builder}", _build) / "steering_wheel.usda"


def _build(folder: Path) -> None:
    try:
        from pxr import Gf, Usd, UsdGeom, UsdPhysics  # noqa: PLC0415, only for a build
    except ImportError as error:
        raise AssetError(f"The wheel cannot be built: {error}. In the clone: pip install '.[isaaclab]'") from error
    stage = Usd.Stage.CreateNew(str(folder / "steering_wheel.usda"))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    wheel = UsdGeom.Xform.Define(stage, "/Wheel").GetPrim()
    stage.SetDefaultPrim(wheel)
    UsdPhysics.RigidBodyAPI.Apply(wheel)
    mass = UsdPhysics.MassAPI.Apply(wheel)
    mass.CreateMassAttr(_MASS)
    mass.CreateCenterOfMassAttr(Gf.Vec3f(*_CENTRE_OF_MASS))
    mass.CreateDiagonalInertiaAttr(Gf.Vec3f(*_INERTIA))
    _add_looks(stage)
    _add_colliders(stage)
    stage.GetRootLayer().Save()


def _add_looks(stage: Any) -> None:
    """Rim, hub and spokes in dark rubber, the cap in red."""
    import trimesh  # noqa: PLC0415, only for a build

    rim = trimesh.creation.torus(RIM_RADIUS, TUBE_RADIUS, 48, 12)
    rim.apply_translation([0, 0, RIM_HEIGHT])
    post = trimesh.creation.cylinder(CAP_RADIUS, segment=[[0.0, 0.0, 0.0], [0.0, 0.0, CAP_HEIGHT - 0.004]])
    spokes = [trimesh.creation.cylinder(_SPOKE_RADIUS, segment=segment) for segment in _spokes()]
    cap = trimesh.creation.cylinder(CAP_RADIUS, segment=[[0, 0, CAP_HEIGHT - 0.004], [0, 0, CAP_HEIGHT]])
    _add_mesh(stage, "Body", trimesh.util.concatenate([rim, post, *spokes]), "dark")
    _add_mesh(stage, "Cap", cap, "red")


def _add_mesh(stage: Any, name: str, shape: Any, colour: str) -> None:
    from pxr import Gf, Sdf, UsdGeom, UsdShade, Vt  # noqa: PLC0415, only for a build

    mesh = UsdGeom.Mesh.Define(stage, f"/Wheel/{name}")
    mesh.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(shape.vertices, np.float32)))
    mesh.CreateFaceVertexCountsAttr([3] * len(shape.faces))
    mesh.CreateFaceVertexIndicesAttr(shape.faces.ravel().tolist())
    mesh.CreateSubdivisionSchemeAttr("none")
    rgb = Gf.Vec3f(*_COLOURS[colour])
    mesh.CreateDisplayColorAttr([rgb])
    material = UsdShade.Material.Define(stage, f"/Wheel/Looks/{colour}")
    shader = UsdShade.Shader.Define(stage, f"/Wheel/Looks/{colour}/Surface")
    shader.CreateIdAttr("UsdPreviewSurface")
    shader.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f).Set(rgb)
    material.CreateSurfaceOutput().ConnectToSource(shader.ConnectableAPI(), "surface")
    UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(material)


def _add_colliders(stage: Any) -> None:
    """Capsules along rim and spokes and a box about the hub; none of them is drawn."""
    from pxr import Gf, UsdGeom, UsdPhysics, UsdShade  # noqa: PLC0415, only for a build

    rubber = UsdShade.Material.Define(stage, "/Wheel/Looks/rubber")
    friction = UsdPhysics.MaterialAPI.Apply(rubber.GetPrim())
    friction.CreateStaticFrictionAttr(_FRICTION)
    friction.CreateDynamicFrictionAttr(_FRICTION)

    def collide(shape: Any) -> None:
        UsdPhysics.CollisionAPI.Apply(shape.GetPrim())
        shape.CreatePurposeAttr("guide")
        UsdShade.MaterialBindingAPI.Apply(shape.GetPrim()).Bind(rubber, materialPurpose="physics")

    angles = np.linspace(0, 2 * np.pi, _RIM_CAPSULES, endpoint=False)
    corners = np.stack([RIM_RADIUS * np.cos(angles), RIM_RADIUS * np.sin(angles), np.full_like(angles, RIM_HEIGHT)], 1)
    rods = [(start, end, TUBE_RADIUS) for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True)]
    rods += [(*np.array(segment), _SPOKE_RADIUS) for segment in _spokes()]
    for index, (start, end, radius) in enumerate(rods):
        capsule = UsdGeom.Capsule.Define(stage, f"/Wheel/Rod{index}")
        length = float(np.linalg.norm(end - start))
        capsule.CreateAxisAttr("Z")
        capsule.CreateRadiusAttr(radius)
        capsule.CreateHeightAttr(length)
        capsule.AddTranslateOp().Set(Gf.Vec3d(*((start + end) / 2).tolist()))
        turn = Gf.Rotation(Gf.Vec3d(0, 0, 1), Gf.Vec3d(*((end - start) / length).tolist()))
        capsule.AddOrientOp().Set(Gf.Quatf(turn.GetQuat()))
        collide(capsule)
    height = CAP_HEIGHT - 0.002
    hub = UsdGeom.Cube.Define(stage, "/Wheel/Hub")
    hub.CreateSizeAttr(1.0)
    hub.AddTranslateOp().Set(Gf.Vec3d(0, 0, height / 2))
    hub.AddScaleOp().Set(Gf.Vec3f(_HUB_SIDE, _HUB_SIDE, height))
    collide(hub)


def _spokes() -> list[list[list[float]]]:
    """Start and end of each spoke, from the hub up to the rim, metres."""
    ends = [[RIM_RADIUS * np.cos(a), RIM_RADIUS * np.sin(a), RIM_HEIGHT] for a in _SPOKE_ANGLES]
    return [[[0.0, 0.0, CAP_HEIGHT - 0.01], [float(v) for v in end]] for end in ends]
