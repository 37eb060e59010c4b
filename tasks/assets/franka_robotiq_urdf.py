"""A Panda's arm with a Robotiq 2F-85 on its flange as one URDF: ``write_urdf``.

The arm is example-robot-data's, the gripper robosuite's, whose MJCF moves the two fingers apart and couples their links
by weak tendons. Here all joints of the linkage follow one, as the real gripper's do: its bars are parallelograms, so
that outer and inner knuckles turn alike and the finger tips turn back by as much.
"""

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import trimesh
from numpy.typing import ArrayLike

from tasks.assets.franka_robotiq import FINGER_JOINT, FOLLOWERS

__all__ = ["write_urdf"]

_HAND_LINKS = ("panda_hand", "panda_hand_sc", "panda_hand_tcp", "panda_leftfinger", "panda_rightfinger")
_FLANGE = "panda_link8"
_TRIANGLES = 700
"""Of a link of the gripper; more no picture of 180 x 320 pixels shows."""
_BASE_MASS = 0.6
"""kg, of the gripper's body: robosuite's 0.01 kg would be that of a coin."""
_EFFORT = 20.0
"""N m; the actuators of an env set their own limits."""


def write_urdf(panda: Path, grippers: Path, target: Path) -> None:
    """Write ``target`` and, beside it, the folder ``meshes`` that the gripper's links refer to.

    Args:
        panda: The Panda's URDF; the paths of its meshes are kept as they are.
        grippers: robosuite's ``models/assets/grippers``.
        target: The URDF: the arm's 7 joints and the linkage's 6. Nothing in it collides.
    """
    robot = ET.parse(panda)  # noqa: S314, a file of an installed package
    root = robot.getroot()
    root.set("name", target.stem)
    for element in [*root.iter("link"), *root.iter("joint")]:
        child = element.find("child")
        name = element.get("name") if child is None else child.get("link")
        if name in _HAND_LINKS:
            root.remove(element)
        for collision in element.findall("collision"):
            element.remove(collision)
    meshes = target.parent / "meshes"
    meshes.mkdir()
    model = ET.parse(grippers / "robotiq_gripper_85.xml").getroot()  # noqa: S314, a file of an installed package
    files: dict[str, ET.Element] = {}
    for mesh in model.iter("mesh"):
        files.setdefault(mesh.attrib["name"], mesh)
    for name, mesh in files.items():
        if name.endswith(("_vis", "base_link")):
            _simplify(grippers / mesh.attrib["file"], meshes / f"{name}.stl")
    (base,) = model.findall("worldbody/body")
    flange = next(link for link in root.iter("link") if link.get("name") == _FLANGE)
    flange[:] = []  # it has neither mass nor shape, and gets the gripper's body, which is fixed to it
    _fill_link(flange, base, files)
    for body in base.findall("body"):
        _add_body(root, body, _FLANGE, files)
    ET.indent(robot)
    robot.write(target, encoding="utf-8", xml_declaration=True)


def _add_body(root: ET.Element, body: ET.Element, parent: str, files: dict[str, ET.Element]) -> None:
    """Add a body of the MJCF that a joint moves, and those that hang on it, as links and joints."""
    joint = body.find("joint")
    if joint is None:  # a mark without a mass
        return
    name, its_name = body.attrib["name"], joint.attrib["name"]
    _fill_link(ET.SubElement(root, "link", name=name), body, files)
    element = ET.SubElement(root, "joint", name=its_name, type="revolute")
    _add_origin(element, body.get("pos"), body.get("quat"))
    ET.SubElement(element, "parent", link=parent)
    ET.SubElement(element, "child", link=name)
    low, high = joint.attrib["range"].split()
    ET.SubElement(element, "axis", xyz=joint.attrib["axis"])
    ET.SubElement(element, "limit", lower=low, upper=high, effort=f"{_EFFORT:g}", velocity="10")
    if its_name in FOLLOWERS:
        ET.SubElement(element, "mimic", joint=FINGER_JOINT, multiplier=str(FOLLOWERS[its_name]), offset="0")
    for child in body.findall("body"):
        _add_body(root, child, name, files)


def _fill_link(link: ET.Element, body: ET.Element, files: dict[str, ET.Element]) -> None:
    """Add a body's mass and what is seen of it."""
    (inertial,) = body.findall("inertial")
    element = ET.SubElement(link, "inertial")
    _add_origin(element, inertial.get("pos"), inertial.get("quat"))
    mass = _BASE_MASS if body.find("joint") is None else float(inertial.attrib["mass"])
    ET.SubElement(element, "mass", value=f"{mass:g}")
    x, y, z = inertial.attrib["diaginertia"].split()
    ET.SubElement(element, "inertia", ixx=x, iyy=y, izz=z, ixy="0", ixz="0", iyz="0")
    for geom in body.findall("geom"):
        if geom.get("group") == "1":
            _add_visual(link, geom, files)


def _add_visual(link: ET.Element, geom: ET.Element, files: dict[str, ET.Element]) -> None:
    visual = ET.SubElement(link, "visual")
    _add_origin(visual, geom.get("pos"), None)
    geometry = ET.SubElement(visual, "geometry")
    if geom.get("type") == "box":
        size = " ".join(f"{2 * float(half):g}" for half in geom.attrib["size"].split())
        ET.SubElement(geometry, "box", size=size)
    else:
        mesh = geom.attrib["mesh"]
        scale = files[mesh].get("scale", "1 1 1")
        ET.SubElement(geometry, "mesh", filename=f"meshes/{mesh}.stl", scale=scale)
    material = ET.SubElement(visual, "material", name="rgba_" + geom.attrib["rgba"].replace(" ", "_").replace(".", ""))
    ET.SubElement(material, "color", rgba=geom.attrib["rgba"])


def _add_origin(parent: ET.Element, position: str | None, quaternion: str | None) -> None:
    """Add the origin of a position and a quaternion w, x, y, z as MJCF writes them."""
    matrix = np.zeros(9)
    wxyz = np.array((quaternion or "1 0 0 0").split(), float)
    mujoco.mju_quat2Mat(matrix, wxyz / np.linalg.norm(wxyz))
    r = matrix.reshape(3, 3)
    rpy = (np.arctan2(r[2, 1], r[2, 2]), np.arcsin(np.clip(-r[2, 0], -1, 1)), np.arctan2(r[1, 0], r[0, 0]))
    ET.SubElement(parent, "origin", xyz=position or "0 0 0", rpy=_text(rpy))


def _text(values: ArrayLike) -> str:
    return " ".join(f"{value:.7g}" for value in np.ravel(values))


def _simplify(source: Path, target: Path) -> None:
    mesh: Any = trimesh.load(source, force="mesh")
    mesh.merge_vertices()
    if len(mesh.faces) > _TRIANGLES:
        mesh = mesh.simplify_quadric_decimation(face_count=_TRIANGLES)
    mesh.export(target)
