"""The shapes of a ``MjModel`` that collide, as USD: ``add_collision``.

What MuJoCo knows and USD has no word for is written as ``mjc:`` attributes, which Newton reads.
"""

from typing import Any

import mujoco
import numpy as np
from pxr import Sdf, UsdGeom, UsdPhysics, UsdShade, Vt

from tasks.libero.scene.usd.poses import IDENTITY, Pose, compose_poses, place, usd_vector

__all__ = ["add_collision", "say"]

_FLOOR = 0.05
"""Half the thickness of the box that stands for a plane, m; Newton's own planes have no size."""
_WIDE = 20.0
"""Half the side of a plane without an end, m."""

_INTEGERS, _NUMBERS = ("condim", "contype", "conaffinity", "priority"), ("solref", "solimp")


def add_collision(stage: Any, model: mujoco.MjModel, path: str, geom: int, pose: Pose) -> None:
    """Add a geom that collides and is not seen.

    Args:
        stage: The stage; its default prim gets the materials.
        model: The model.
        path: Of the shape.
        geom: Its number in the model.
        pose: In the parent prim's frame.

    Raises:
        NotImplementedError: It is of a kind that no scene of LIBERO's has.
    """
    kind, size = mujoco.mjtGeom(int(model.geom_type[geom])), model.geom_size[geom]
    if kind == mujoco.mjtGeom.mjGEOM_BOX:
        shape = _box(stage, path, pose, size)
    elif kind == mujoco.mjtGeom.mjGEOM_PLANE:
        below = compose_poses(pose, (np.array([0.0, 0.0, -_FLOOR]), IDENTITY[1]))
        shape = _box(stage, path, below, np.array([size[0] or _WIDE, size[1] or _WIDE, _FLOOR]))
    elif kind in (mujoco.mjtGeom.mjGEOM_CYLINDER, mujoco.mjtGeom.mjGEOM_CAPSULE):
        is_round = kind == mujoco.mjtGeom.mjGEOM_CAPSULE
        shape = (UsdGeom.Capsule if is_round else UsdGeom.Cylinder).Define(stage, path)
        shape.CreateAxisAttr("Z")
        shape.CreateRadiusAttr(float(size[0]))
        shape.CreateHeightAttr(float(2 * size[1]))
        place(shape, pose)
    elif kind == mujoco.mjtGeom.mjGEOM_MESH:
        shape = _hull(stage, path, pose, model, int(model.geom_dataid[geom]))
    else:
        raise NotImplementedError(
            f"{path} is a {kind.name}, but boxes, planes, cylinders, capsules and meshes alone are written as USD"
        )
    prim = shape.GetPrim()
    UsdPhysics.CollisionAPI.Apply(prim)
    shape.CreatePurposeAttr(UsdGeom.Tokens.guide)
    for name in _INTEGERS:
        say(prim, name, Sdf.ValueTypeNames.Int, int(getattr(model, f"geom_{name}")[geom]))
    for name in _NUMBERS:
        say(prim, name, Sdf.ValueTypeNames.DoubleArray, getattr(model, f"geom_{name}")[geom].tolist())
    _rub(stage, prim, model.geom_friction[geom])


def say(prim: Any, name: str, kind: Any, value: object) -> None:
    """Write what MuJoCo has a name for and USD has not."""
    prim.CreateAttribute(f"mjc:{name}", kind).Set(value)


def _box(stage: Any, path: str, pose: Pose, half: np.ndarray) -> Any:
    shape = UsdGeom.Cube.Define(stage, path)
    shape.CreateSizeAttr(2.0)
    place(shape, pose).AddScaleOp().Set(usd_vector(half))
    return shape


def _hull(stage: Any, path: str, pose: Pose, model: mujoco.MjModel, mesh: int) -> Any:
    import trimesh  # noqa: PLC0415, it takes a second to import

    first = model.mesh_vertadr[mesh]
    hull = trimesh.convex.convex_hull(model.mesh_vert[first : first + model.mesh_vertnum[mesh]])
    shape = UsdGeom.Mesh.Define(stage, path)
    shape.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(hull.vertices, np.float32)))
    shape.CreateFaceVertexCountsAttr([3] * len(hull.faces))
    shape.CreateFaceVertexIndicesAttr(hull.faces.ravel().tolist())
    shape.CreateSubdivisionSchemeAttr("none")
    UsdPhysics.MeshCollisionAPI.Apply(shape.GetPrim()).CreateApproximationAttr("convexHull")
    place(shape, pose)
    return shape


def _rub(stage: Any, prim: Any, friction: np.ndarray) -> None:
    slide, spin, roll = (float(part) for part in friction)
    name = f"f{slide:g}_{spin:g}_{roll:g}".replace(".", "p").replace("-", "m")
    looks = stage.GetDefaultPrim().GetPath().AppendChild("Looks")
    material = UsdShade.Material.Define(stage, looks.AppendChild(name))
    api = UsdPhysics.MaterialAPI.Apply(material.GetPrim())
    api.CreateStaticFrictionAttr(slide)
    api.CreateDynamicFrictionAttr(slide)
    say(material.GetPrim(), "torsionalfriction", Sdf.ValueTypeNames.Double, spin)
    say(material.GetPrim(), "rollingfriction", Sdf.ValueTypeNames.Double, roll)
    UsdShade.MaterialBindingAPI.Apply(prim).Bind(material, materialPurpose="physics")
