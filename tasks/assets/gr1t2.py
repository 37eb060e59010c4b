"""The Fourier GR1T2 with Fourier hands, built from the meshes of the robosuite wheel, and the names of its joints.

``gr1t2_usd`` is for the simulator, ``gr1t2_urdf`` for whoever needs kinematics (the scripted expert). Both come from
one folder of the cache, built on the first call (about 15 s).
"""

import shutil
from importlib import metadata
from pathlib import Path

from tasks.assets.cache import AssetError, build_once, cache_root
from tasks.assets.urdf_conversion import CONVERTER, convert, digest_of, installed_version, write_mujocos_limits

__all__ = [
    "FOLLOWERS",
    "HEAD_JOINTS",
    "HEAD_PRIM",
    "WAIST_JOINTS",
    "arm_joints",
    "gr1t2_urdf",
    "gr1t2_usd",
    "hand_joints",
]

WAIST_JOINTS: tuple[str, ...] = ("waist_yaw_joint", "waist_pitch_joint", "waist_roll_joint")
HEAD_JOINTS: tuple[str, ...] = ("head_yaw_joint", "head_roll_joint", "head_pitch_joint")

FOLLOWERS: dict[str, str] = {
    follower.format(side=side): leader.format(side=side)
    for side in "LR"
    for follower, leader in (
        ("{side}_index_intermediate_joint", "{side}_index_proximal_joint"),
        ("{side}_middle_intermediate_joint", "{side}_middle_proximal_joint"),
        ("{side}_ring_intermediate_joint", "{side}_ring_proximal_joint"),
        ("{side}_pinky_intermediate_joint", "{side}_pinky_proximal_joint"),
        ("{side}_thumb_distal_joint", "{side}_thumb_proximal_pitch_joint"),
    )
}
"""Joint -> the joint that it follows: the real hand has six motors, and tendons bend the outer joints along."""

HEAD_PRIM = "Geometry/base_link/" + "/".join(
    f"{part}_link" for part in ("waist_yaw", "waist_pitch", "waist_roll", "head_yaw", "head_roll", "head_pitch")
)
"""Prim path of the head under the robot: the converter nests each link in its parent."""

_ROBOT, _WHEEL = "The GR1T2", "robosuite"
_INSTALL_WHEEL = "Run `make setup`, or: pip install --no-deps --require-hashes -r requirements-data.txt"
_INSTALL_CONVERTER = "In the clone: pip install '.[isaaclab]'"


def arm_joints(side: str) -> tuple[str, ...]:
    """The seven joints of an arm, ``left`` or ``right``, in GR00T's order: from the shoulder to the hand."""
    parts = ("shoulder_pitch", "shoulder_roll", "shoulder_yaw", "elbow_pitch", "wrist_yaw", "wrist_roll", "wrist_pitch")
    return tuple(f"{side}_{part}_joint" for part in parts)


def hand_joints(side: str) -> tuple[str, ...]:
    """The six leading joints of a hand, ``left`` or ``right``, in the order of GR00T's embodiment ``gr1``."""
    parts = ("pinky", "ring", "middle", "index")
    letter = side[0].upper()
    fingers = tuple(f"{letter}_{part}_proximal_joint" for part in parts)
    return (*fingers, f"{letter}_thumb_proximal_yaw_joint", f"{letter}_thumb_proximal_pitch_joint")


def gr1t2_usd() -> Path:
    """Path of a USD of the GR1T2: fixed legs, 42 joints, box colliders on hands and forearms only.

    Raises:
        AssetError: A package is missing, or the conversion failed.
    """
    return _folder() / "gr1t2.usda"


def gr1t2_urdf() -> Path:
    """Path of the URDF that the USD was made from; its meshes are not kept.

    Raises:
        AssetError: As for ``gr1t2_usd``.
    """
    return _folder() / "gr1t2.urdf"


def _folder() -> Path:
    """The built folder; its name carries the versions of wheel and converter and a digest of the builder."""
    sources = [Path(__file__), Path(__file__).with_name("gr1t2_urdf.py")]
    wheel, converter = ((_WHEEL, _INSTALL_WHEEL), (CONVERTER, _INSTALL_CONVERTER))
    versions = "-".join(installed_version(name, _ROBOT, install) for name, install in (wheel, converter))
    return build_once(cache_root() / "assets" / f"gr1t2-{versions}-{digest_of(*sources)}", _build)


def data_folder() -> Path:
    """Find robosuite's ``models/assets`` by the wheel's own record; its code is never imported."""
    for file in metadata.files(_WHEEL) or ():
        if file.as_posix().endswith("/assets/robots/gr1/robot.xml"):
            model = Path(str(file.locate())).resolve()
            if model.is_file():
                return model.parents[2]
    raise AssetError(f"{_WHEEL} is installed without its GR1 (robots/gr1/robot.xml). {_INSTALL_WHEEL}")


def _build(folder: Path) -> None:
    """Fill ``folder`` with ``gr1t2.usda``, its payload, and ``gr1t2.urdf``."""
    try:
        # Only for a build: together they take seconds, and a cached USD needs none of them.
        from pxr import Usd  # noqa: PLC0415

        from tasks.assets.gr1t2_urdf import write_urdf  # noqa: PLC0415
    except ImportError as error:
        raise AssetError(f"{_ROBOT} cannot be built: {error}. {_INSTALL_CONVERTER}") from error
    source = folder / "gr1t2.urdf"
    write_urdf(data_folder(), source)
    built = convert(source, _ROBOT, _INSTALL_CONVERTER)
    shutil.rmtree(folder / "meshes")
    stage = Usd.Stage.Open(str(built))
    write_mujocos_limits(stage)
    stage.GetRootLayer().Save()
