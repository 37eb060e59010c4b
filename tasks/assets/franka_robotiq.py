"""A Franka Panda with a Robotiq 2F-85, DROID's robot, as a USD for the simulator: ``franka_robotiq_usd``.

The arm comes from the example-robot-data wheel, the gripper from robosuite's. Built on the first call (about 5 s) and
kept in the cache.
"""

import itertools
import shutil
from pathlib import Path
from typing import Any

from tasks.assets.cache import AssetError, build_once, cache_root
from tasks.assets.gr1t2 import data_folder
from tasks.assets.panda import ARM_JOINTS, panda_urdf
from tasks.assets.urdf_conversion import CONVERTER, convert, digest_of, installed_version, write_mujocos_limits

__all__ = ["ARM_JOINTS", "FINGER_JOINT", "FLANGE_PRIM", "FOLLOWERS", "franka_robotiq_usd"]

FINGER_JOINT = "finger_joint"
"""The joint that is driven, rad: 0 is open, 0.8 closed."""
FOLLOWERS = {
    "left_inner_knuckle_joint": 1,
    "left_inner_finger_joint": -1,
    "right_outer_knuckle_joint": 1,
    "right_inner_knuckle_joint": 1,
    "right_inner_finger_joint": -1,
}
"""Joint of the linkage to what it turns by while ``FINGER_JOINT`` turns by 1."""

FLANGE_PRIM = "Geometry/" + "/".join(f"panda_link{i}" for i in range(9))
"""Prim path of the flange under the robot, the body ``panda_link8``, which the gripper is fixed to: the converter nests
each link in its parent."""

_PAD_RADIUS, _PAD_ASIDE = 0.004, 0.007
_PAD_FACE, _PAD_ALONG = -0.0252, (0.0177, 0.0275, 0.0373, 0.0471)
"""Of the rubber pad, m in the frame of an inner finger: y of its face, and z of its balls."""
_BODY_SIZE, _BODY_CENTRE = (0.075, 0.085, 0.09), (0.0, 0.0, 0.045)
_FRICTION = 1.2
"""Rubber on plastic."""
_SOLIMP = [0.98, 0.99, 0.001, 0.5, 2.0]
"""MuJoCo's impedance where a pad touches: with its usual 0.9 the pads sink by centimetres into what is light."""
_TIE_SOLREF, _TIE_SOLIMP = (-7200.0, -120.0), [0.999, 0.9999, 0.001, 0.5, 2.0]
"""MuJoCo's stiffness (1/s^2), damping (1/s) and impedance of what ties a joint of the linkage to the driven one.
Within a physics step of 1/120 s a deviation stops growing, and half of it goes. By MuJoCo's usual ones the links of a
gripper that closes on something are 1.7 degrees apart."""

_ROBOT, _WHEELS = "DROID's robot", ("example-robot-data", "robosuite")
_INSTALL = "In the clone: pip install '.[isaaclab]'; pip install --no-deps --require-hashes -r requirements-data.txt"


def franka_robotiq_usd() -> Path:
    """Path of a USD of the arm and the gripper: 7 joints, ``FINGER_JOINT``, and five that follow it.

    Only the finger pads and the gripper's body collide. A pad is two columns of four balls at its sides, of which each
    has one point of contact, whatever it presses: so nothing rocks, and what is round lies between the columns.

    Raises:
        AssetError: A package is missing or incomplete, or the conversion failed.
    """
    sources = [Path(__file__), Path(__file__).with_name("franka_robotiq_urdf.py")]
    versions = [installed_version(name, _ROBOT, _INSTALL) for name in (*_WHEELS, CONVERTER)]
    name = "-".join(["franka_robotiq", *versions, digest_of(*sources)])
    return build_once(cache_root() / "assets" / name, _build) / "franka_robotiq.usda"


def _build(folder: Path) -> None:
    """Fill ``folder`` with ``franka_robotiq.usda`` and its payload."""
    try:
        # Only for a build: it takes seconds to import, and a cached USD needs none of it.
        from tasks.assets.franka_robotiq_urdf import write_urdf  # noqa: PLC0415
    except ImportError as error:
        raise AssetError(f"{_ROBOT} cannot be built: {error}. {_INSTALL}") from error
    source, panda = folder / "franka_robotiq.urdf", panda_urdf()
    write_urdf(panda, data_folder() / "grippers", source)
    built = convert(source, _ROBOT, _INSTALL, {_WHEELS[0]: panda.parents[3]})
    shutil.rmtree(folder / "meshes")
    _finish(built)


def _finish(usd: Path) -> None:
    """Add what the URDF cannot say: balls and a box that collide, and limits of joints that do not throw them back."""
    from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics, UsdShade  # noqa: PLC0415, only for a build

    stage = Usd.Stage.Open(str(usd))
    robot = stage.GetDefaultPrim().GetPath()
    rubber = UsdShade.Material.Define(stage, robot.AppendPath("Rubber"))
    friction = UsdPhysics.MaterialAPI.Apply(rubber.GetPrim())
    friction.CreateStaticFrictionAttr(_FRICTION)
    friction.CreateDynamicFrictionAttr(_FRICTION)

    def collide(shape: Any, centre: tuple[float, float, float]) -> None:
        UsdPhysics.CollisionAPI.Apply(shape.GetPrim())
        shape.CreatePurposeAttr(UsdGeom.Tokens.guide)
        shape.AddTranslateOp().Set(Gf.Vec3d(*centre))
        UsdShade.MaterialBindingAPI.Apply(shape.GetPrim()).Bind(rubber, materialPurpose="physics")

    for side in ("left", "right"):
        finger = robot.AppendPath(f"{FLANGE_PRIM}/{side}_outer_knuckle/{side}_inner_finger")
        for index, (aside, along) in enumerate(itertools.product((-_PAD_ASIDE, _PAD_ASIDE), _PAD_ALONG)):
            ball = UsdGeom.Sphere.Define(stage, finger.AppendChild(f"Pad{index}"))
            ball.CreateRadiusAttr(_PAD_RADIUS)
            collide(ball, (aside, _PAD_FACE + _PAD_RADIUS, along))
            ball.GetPrim().CreateAttribute("mjc:priority", Sdf.ValueTypeNames.Int).Set(1)
            ball.GetPrim().CreateAttribute("mjc:solimp", Sdf.ValueTypeNames.DoubleArray).Set(_SOLIMP)
    body = UsdGeom.Cube.Define(stage, robot.AppendPath(f"{FLANGE_PRIM}/Body"))
    body.CreateSizeAttr(1.0)
    collide(body, _BODY_CENTRE)
    body.AddScaleOp().Set(Gf.Vec3f(*_BODY_SIZE))
    for joint in stage.Traverse():
        if joint.GetName() in FOLLOWERS and joint.IsA(UsdPhysics.RevoluteJoint):
            joint.AddAppliedSchema("MjcEqualityJointAPI")
            joint.CreateAttribute("mjc:solref", Sdf.ValueTypeNames.Double2).Set(Gf.Vec2d(*_TIE_SOLREF))
            joint.CreateAttribute("mjc:solimp", Sdf.ValueTypeNames.DoubleArray).Set(_TIE_SOLIMP)
    write_mujocos_limits(stage)
    stage.GetRootLayer().Save()
