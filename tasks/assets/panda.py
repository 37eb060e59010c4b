"""The Franka Panda of the example-robot-data wheel: its URDF, and a USD of it for the simulator.

``panda_urdf`` serves whoever needs kinematics only (the scripted expert); ``panda_usd`` builds once and caches.
"""

import xml.etree.ElementTree as ET
from importlib import metadata
from pathlib import Path

from tasks.assets.cache import AssetError, build_once, cache_root
from tasks.assets.urdf_conversion import CONVERTER, convert, digest_of, installed_version

__all__ = ["ARM_JOINTS", "FINGER_JOINTS", "HAND_PRIM", "panda_urdf", "panda_usd"]

ARM_JOINTS: tuple[str, ...] = tuple(f"panda_joint{i}" for i in range(1, 8))
FINGER_JOINTS: tuple[str, ...] = ("panda_finger_joint1", "panda_finger_joint2")

HAND_PRIM = "Geometry/" + "/".join(f"panda_link{i}" for i in range(9)) + "/panda_hand"
"""Prim path of the hand under the robot: the converter nests each link in its parent."""

_ROBOT, _WHEEL = "The Panda", "example-robot-data"
_INSTALL = "In the clone: pip install '.[isaaclab]'"

_PAD_RADIUS = 0.003
_PAD_CORNERS = [(x, z) for x in (-0.00575, 0.00575) for z in (0.039, 0.0515)]
_COLLIDERS: dict[str, list[tuple[str, dict[str, str], tuple[float, float, float]]]] = {
    # link: shapes of it, each with its size and centre, metres in the link's frame
    "panda_hand": [("box", {"size": "0.04 0.2 0.07"}, (0.0, 0.0, 0.03))],
    "panda_leftfinger": [("sphere", {"radius": str(_PAD_RADIUS)}, (x, _PAD_RADIUS, z)) for x, z in _PAD_CORNERS],
    "panda_rightfinger": [("sphere", {"radius": str(_PAD_RADIUS)}, (x, -_PAD_RADIUS, z)) for x, z in _PAD_CORNERS],
}
"""The only colliders kept. The arm's links never touch anything in a task at a table, and cost time at each physics
step. The spheres stand in the corners of the URDF's rubber tip: four points that press whatever the angle hold a cube
more steadily than the contact patch of two boxes, whose points come and go."""


def _version(distribution: str) -> str:
    return installed_version(distribution, _ROBOT, _INSTALL)


def _data_folder() -> Path:
    """Root of the wheel's robots: files are found by the wheel's own record, wherever it was installed."""
    _version(_WHEEL)
    for file in metadata.files(_WHEEL) or ():
        if file.as_posix().endswith("/panda_description/urdf/panda.urdf"):
            urdf = Path(str(file.locate())).resolve()
            if urdf.is_file():
                return urdf.parents[3]
    raise AssetError(f"{_WHEEL} {_version(_WHEEL)} is installed without panda.urdf. Reinstall it: {_INSTALL}")


def panda_urdf() -> Path:
    """Path of the wheel's unchanged ``panda.urdf`` (arm, hand and two fingers: 9 joints).

    Raises:
        AssetError: The wheel is missing or incomplete.
    """
    return _data_folder() / "robots" / "panda_description" / "urdf" / "panda.urdf"


def panda_usd() -> Path:
    """Path of a USD of the Panda, built by urdf-usd-converter on the first call (about 2 s) and kept in the cache.

    The folder's name carries the versions of wheel and converter and a digest of this builder.

    Raises:
        AssetError: A package is missing, or the conversion failed.
    """
    name = f"panda-{_version(_WHEEL)}-{_version(CONVERTER)}-{digest_of(Path(__file__))}"
    return build_once(cache_root() / "assets" / name, _build) / "panda.usda"


def _build(folder: Path) -> None:
    """Convert the simplified URDF into ``folder/panda.usda`` and its payload."""
    source = folder / "panda.urdf"
    _simplified(panda_urdf()).write(source, encoding="utf-8", xml_declaration=True)
    convert(source, _ROBOT, _INSTALL, {_WHEEL: _data_folder()})


def _simplified(urdf: Path) -> "ET.ElementTree[ET.Element]":
    """The URDF with ``_COLLIDERS`` in place of all of its own colliders."""
    tree = ET.parse(urdf)  # noqa: S314, a file of an installed package
    for link in tree.getroot().iter("link"):
        for collision in link.findall("collision"):
            link.remove(collision)
        for shape, size, centre in _COLLIDERS.get(link.get("name", ""), []):
            collision = ET.SubElement(link, "collision")
            ET.SubElement(collision, "origin", xyz=" ".join(map(str, centre)), rpy="0 0 0")
            ET.SubElement(ET.SubElement(collision, "geometry"), shape, size)
    return tree
