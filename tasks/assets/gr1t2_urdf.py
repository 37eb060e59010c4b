"""The GR1T2 with Fourier hands as one URDF, joined from robosuite's MJCF files: ``write_urdf``.

What changes on the way: joints and links get the names that IsaacLab's GR1T2 has, the legs are fused with the base, and
meshes lose the triangles that no picture of 256 pixels shows. robosuite's finger masses (0.5 kg a link) are replaced by
the mass of a box of the finger's size, and the colliders of fingers and palms by such boxes.
"""

import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import trimesh
from numpy.typing import ArrayLike

__all__ = ["write_urdf"]

_COLOURS = {"LightGrey": (0.62, 0.64, 0.67), "Purple": (0.45, 0.40, 0.55), "Black": (0.08, 0.08, 0.09)}
_HAND_COLOUR = "Black"

_TRIANGLES = 2500
_TRIANGLES_TORSO = 6000

_FINGER_DENSITY = 900.0
"""kg/m3, of the boxes about the fingers; a finger link then weighs 8 to 43 g."""
_MIN_MASS = 0.004
_MIN_INERTIA = 1e-6
"""kg m2, added to every link: thin boxes have moments that the solver cannot divide by."""

_BOX_SHRINK = 0.94
"""Boxes about finger links stand out at their corners; shrunk by this they press where the finger does."""

_EFFORT = {"arm": 200.0, "hand": 20.0}
"""N m; the actuators of an env set their own limits."""


@dataclass
class _Link:
    """One moving part: everything that is rigidly fixed to it, in its own frame."""

    name: str
    visuals: list[tuple[np.ndarray, str, str]] = field(default_factory=list)
    boxes: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    masses: list[tuple[float, np.ndarray, np.ndarray]] = field(default_factory=list)


@dataclass
class _Joint:
    name: str
    parent: str
    child: str
    origin: np.ndarray
    axis: np.ndarray
    limits: tuple[float, float]


class _Builder:
    """Walks the body trees of robot and hands, and collects links and joints."""

    def __init__(self, assets: Path, meshes: Path):
        self._robot_folder, self._hand_folder = assets / "robots" / "gr1", assets / "grippers"
        self._meshes = meshes
        self.links: list[_Link] = []
        self.joints: list[_Joint] = []
        robot = mujoco.MjSpec.from_file(str(self._robot_folder / "robot.xml"))
        self._hands = {
            f"{side}_eef": mujoco.MjSpec.from_file(str(self._hand_folder / f"fourier_{side}_hand.xml"))
            for side in ("left", "right")
        }
        base = _Link("base_link")
        self.links.append(base)
        self._walk(robot, self._robot_folder, robot.body("base"), base, np.eye(4))

    def _walk(self, spec: mujoco.MjSpec, folder: Path, body: mujoco.MjsBody, link: _Link, pose: np.ndarray) -> None:
        """Add what hangs on ``body``, which lies at ``pose`` in the frame of ``link``."""
        if body.mass > 0:
            link.masses.append((body.mass, pose @ _pose(body.ipos, body.iquat), np.array(body.inertia)))
        for geom in body.geoms:
            self._add_geom(spec, folder, geom, link, pose @ _pose(geom.pos, geom.quat))
        hand = self._hands.get(body.name)
        children = [(spec, folder, child) for child in body.bodies]
        if hand is not None:
            children += [(hand, self._hand_folder, child) for child in hand.worldbody.bodies]
        for its_spec, its_folder, child in children:
            child_pose = pose @ _pose(child.pos, child.quat)
            joint = next((joint for joint in child.joints if "_leg_" not in joint.name), None)
            if joint is None:
                self._walk(its_spec, its_folder, child, link, child_pose)
                continue
            moving = _Link(_link_name(child.name))
            low, high = joint.range
            name = _joint_name(joint.name)
            self.links.append(moving)
            self.joints.append(_Joint(name, link.name, moving.name, child_pose, np.array(joint.axis), (low, high)))
            self._walk(its_spec, its_folder, child, moving, np.eye(4))

    def _add_geom(self, spec: mujoco.MjSpec, folder: Path, geom: mujoco.MjsGeom, link: _Link, pose: np.ndarray) -> None:
        if geom.type == mujoco.mjtGeom.mjGEOM_MESH:
            source = folder / spec.mesh(geom.meshname).file
            if geom.contype == 0 and geom.conaffinity == 0:
                colour = geom.material if geom.material in _COLOURS else _HAND_COLOUR
                link.visuals.append((pose, self._simplified(source), colour))
            else:
                self._add_box(source, link, pose)
        elif geom.type == mujoco.mjtGeom.mjGEOM_BOX and link.name.endswith("_hand_yaw_link"):
            # The forearms: they keep a hand that reaches low from sinking its arm into the table.
            link.boxes.append((pose, 2 * np.array(geom.size)))

    def _add_box(self, source: Path, link: _Link, pose: np.ndarray) -> None:
        """Add the tightest box about a hand's mesh as collider and, for fingers, as mass."""
        to_box, size = trimesh.bounds.oriented_bounds(trimesh.load(source, force="mesh"))
        box_pose = pose @ np.linalg.inv(to_box)
        link.boxes.append((box_pose, size * _BOX_SHRINK))
        # The palm is part of the wrist's last link, whose inertia in robot.xml covers it.
        if link.name[:2] in ("L_", "R_"):
            mass = max(float(np.prod(size)) * _FINGER_DENSITY, _MIN_MASS)
            square = size**2
            link.masses.append((mass, box_pose, mass / 12 * (square.sum() - square)))

    def _simplified(self, source: Path) -> str:
        """Write a mesh with fewer triangles, once, and return its file name."""
        target = self._meshes / f"{source.stem}.stl"
        if not target.exists():
            mesh: Any = trimesh.load(source, force="mesh")
            mesh.merge_vertices()
            most = _TRIANGLES_TORSO if source.stem == "torso" else _TRIANGLES
            if len(mesh.faces) > most:
                mesh = mesh.simplify_quadric_decimation(face_count=most)
            mesh.export(target)
        return target.name


def write_urdf(assets: Path, target: Path) -> None:
    """Write ``target`` and, beside it, the folder ``meshes`` that it refers to.

    Args:
        assets: robosuite's ``models/assets`` folder.
        target: The URDF: base_link, waist, head, arms and hands, 3 + 3 + 2 x 7 + 2 x 11 joints.
    """
    meshes = target.parent / "meshes"
    meshes.mkdir()
    built = _Builder(assets, meshes)
    robot = ET.Element("robot", name="gr1t2")
    for name, colour in _COLOURS.items():
        ET.SubElement(ET.SubElement(robot, "material", name=name), "color", rgba=_text([*colour, 1.0]))
    for link in built.links:
        _write_link(robot, link)
    for joint in built.joints:
        _write_joint(robot, joint)
    ET.indent(robot)
    ET.ElementTree(robot).write(target, encoding="utf-8", xml_declaration=True)


def _write_link(robot: ET.Element, link: _Link) -> None:
    element = ET.SubElement(robot, "link", name=link.name)
    mass, centre, inertia = _combined(link.masses)
    inertial = ET.SubElement(element, "inertial")
    ET.SubElement(inertial, "origin", xyz=_text(centre), rpy="0 0 0")
    ET.SubElement(inertial, "mass", value=f"{mass:.6g}")
    moments = {f"i{'xyz'[i]}{'xyz'[j]}": f"{inertia[i, j]:.6g}" for i in range(3) for j in range(i, 3)}
    ET.SubElement(inertial, "inertia", moments)
    for pose, mesh, colour in link.visuals:
        visual = ET.SubElement(element, "visual")
        _write_origin(visual, pose)
        ET.SubElement(ET.SubElement(visual, "geometry"), "mesh", filename=f"meshes/{mesh}")
        ET.SubElement(visual, "material", name=colour)
    for pose, size in link.boxes:
        collision = ET.SubElement(element, "collision")
        _write_origin(collision, pose)
        ET.SubElement(ET.SubElement(collision, "geometry"), "box", size=_text(size))


def _write_joint(robot: ET.Element, joint: _Joint) -> None:
    element = ET.SubElement(robot, "joint", name=joint.name, type="revolute")
    _write_origin(element, joint.origin)
    ET.SubElement(element, "parent", link=joint.parent)
    ET.SubElement(element, "child", link=joint.child)
    ET.SubElement(element, "axis", xyz=_text(joint.axis))
    effort = _EFFORT["hand" if joint.name[:2] in ("L_", "R_") else "arm"]
    low, high = joint.limits
    ET.SubElement(element, "limit", lower=f"{low:.6g}", upper=f"{high:.6g}", effort=f"{effort:g}", velocity="20")


def _write_origin(parent: ET.Element, pose: np.ndarray) -> None:
    r = pose[:3, :3]
    rpy = (np.arctan2(r[2, 1], r[2, 2]), np.arcsin(np.clip(-r[2, 0], -1, 1)), np.arctan2(r[1, 0], r[0, 0]))
    ET.SubElement(parent, "origin", xyz=_text(pose[:3, 3]), rpy=_text(rpy))


def _combined(masses: list[tuple[float, np.ndarray, np.ndarray]]) -> tuple[float, np.ndarray, np.ndarray]:
    """Mass (kg), centre (m) and inertia about it (kg m2, (3, 3)) of bodies of given mass, pose and moments."""
    total = sum((mass for mass, _, _ in masses), 0.0)
    centre = np.sum([mass * pose[:3, 3] for mass, pose, _ in masses], axis=0) / total
    inertia = np.eye(3) * _MIN_INERTIA
    for mass, pose, moments in masses:
        arm = pose[:3, 3] - centre
        rotation = pose[:3, :3]
        inertia += rotation @ np.diag(moments) @ rotation.T
        inertia += mass * (arm @ arm * np.eye(3) - np.outer(arm, arm))
    return total, centre, inertia


def _pose(position: np.ndarray, quaternion: np.ndarray) -> np.ndarray:
    """Homogeneous matrix (4, 4) of a position and a quaternion w, x, y, z of any length."""
    matrix = np.zeros(9)
    mujoco.mju_quat2Mat(matrix, np.asarray(quaternion) / np.linalg.norm(quaternion))
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = matrix.reshape(3, 3), position
    return pose


def _joint_name(name: str) -> str:
    """IsaacLab's name of a joint: ``r_wrist_yaw`` is ``right_wrist_yaw_joint``; fingers are called the same."""
    if name[:2] in ("L_", "R_"):
        return name
    return f"{_sided(name)}_joint"


def _link_name(name: str) -> str:
    """IsaacLab's name of a link: ``r_hand_pitch`` is ``right_hand_pitch_link``."""
    return name if name[:2] in ("L_", "R_") else f"{_sided(name)}_link"


def _sided(name: str) -> str:
    name = name.replace("torso_waist_", "waist_")
    for letter, side in (("l_", "left_"), ("r_", "right_")):
        if name.startswith(letter):
            return side + name[2:]
    return name


def _text(values: ArrayLike) -> str:
    return " ".join(f"{value:.6g}" if abs(value) > 1e-9 else "0" for value in np.ravel(values))
