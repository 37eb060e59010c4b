"""LIBERO's scene of a task, composed by MuJoCo from the wheels' models: ``compose``.

Neither robosuite nor LIBERO is imported. What their Python sets is said here and in ``arenas.py``; names are theirs.
"""

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import mujoco
import numpy as np

from tasks.assets.cache import AssetError
from tasks.assets.gr1t2 import data_folder
from tasks.libero.scene.arenas import Arena, Table, arena_of
from tasks.libero.suites.bddl import Problem
from tasks.libero.suites.wheels import libero_assets

__all__ = ["FREE_DAMPING", "REST_JOINTS", "compose", "read_thing"]

FREE_DAMPING = 0.0005
"""Of each free joint, N s/m and N m s/rad."""

REST_JOINTS = (0.0, -0.161037389, 0.0, -2.44459747, 0.0, 2.2267522, float(np.pi / 4))
"""Where LIBERO's resets have the arm, rad: the posture that its controller holds on to."""

_STEP = 0.002
"""Of robosuite's physics, s."""

_ARM_DAMPING = (0.1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01)
_ARM_FRICTION, _ARM_ARMATURE = 0.1, 5.0
_MOUNT_TOP = 0.01
"""How far the mount reaches into the arm, m."""

_NEWER_GEOM, _NEWER_SITE = "link7_collision", "right_center"
"""What robosuite 1.5's arm has, and 1.4's, which LIBERO is played with, has not."""

_ROBOT_COLOUR, _GRIPPER_COLOUR = (0.0, 0.5, 0.0, 1.0), (0.0, 0.0, 0.5, 1.0)
_MOUNT_COLOUR = _ARENA_COLOUR = (0.5, 0.5, 0.0, 1.0)
"""Of what collides; nobody sees it."""

_LEG_RADIUS, _LEG_ASIDE = 0.025, 0.1
"""Of a table, and from its edges, m."""

_ZONE_HEIGHT = 0.007
"""Half of a region's on a table, m."""
_ZONE_COLOUR = (0.0, 0.0, 1.0, 0.0)

_MERGED = ("default", "asset", "worldbody", "actuator", "sensor", "tendon", "equality", "contact")
"""What robosuite takes of a model; settings are its own."""

_FOLDERS = ("stable_scanned_objects", "stable_hope_objects", "turbosquid_objects")
_ARTICULATED = "articulated_objects"
_CATEGORY = re.compile(r"[a-z][a-z0-9_]*")

_OTHER_NAMES = {"rack": "simple_rack"}
"""Category to model, where they differ."""


def compose(problem: Problem) -> mujoco.MjModel:
    """Return the model of a scene: arena, robot, objects and fixtures, in LIBERO's order.

    Fixtures stand in the middle of their regions; LIBERO draws their places anew at each reset, within 2 cm.

    Raises:
        AssetError: The wheels' data are missing, or lack a model that the problem names.
    """
    arena, assets = arena_of(problem.kind), libero_assets()
    world = mujoco.MjSpec.from_file(str(data_folder() / "base.xml"))
    world.option.timestep = _STEP
    frame = world.worldbody.add_frame()
    world.attach(_arena(arena, problem, assets), prefix="", frame=frame)
    _add_robot(world, frame, arena)
    for name, category in problem.objects.items():
        body = read_thing(assets, category)
        body.add_joint(name="joint0", type=mujoco.mjtJoint.mjJNT_FREE, damping=[FREE_DAMPING, 0.0, 0.0])
        frame.attach_body(body, f"{name}_", "")
    bottoms = {}
    for name, category in problem.fixtures.items():
        if name != arena.workspace[0]:
            body = read_thing(assets, category)
            (bottoms[name],) = (site.pos[2] for site in body.parent.sites if site.name == "bottom_site")
            frame.attach_body(body, f"{name}_", "")
    model = world.compile()
    for name, bottom in bottoms.items():
        _place(model.body(f"{name}_main"), arena, problem, name, bottom)
    return model


def _read(path: Path) -> mujoco.MjSpec:
    """Read of a model what robosuite merges, with its own settings: radians, and masses of what collides alone.

    Of pictures and materials that share a name, the first counts.
    """
    try:
        root = ElementTree.parse(path).getroot()  # noqa: S314, of the wheels, whose hashes were checked
    except (OSError, ElementTree.ParseError) as error:
        raise AssetError(f"{path} cannot be read: {error}. Delete LIBERO's data, then `make libero-assets`") from error
    for part in list(root):
        if part.tag not in _MERGED:
            root.remove(part)
    for assets in root.findall("asset"):
        named: set[tuple[str, str]] = set()
        for asset in list(assets):
            key = asset.tag, asset.get("name", "")
            if key[1] and key in named:
                assets.remove(asset)
            named.add(key)
    spec = mujoco.MjSpec.from_string(ElementTree.tostring(root, encoding="unicode"))
    spec.modelfiledir = str(path.parent)
    spec.compiler.degree = False
    spec.compiler.inertiagrouprange = [0, 0]
    return spec


def _arena(arena: Arena, problem: Problem, assets: Path) -> mujoco.MjSpec:
    """Read the arena, and set what LIBERO sets of it: pictures, table, cameras, regions."""
    spec = _read(assets / "scenes" / arena.scene)
    for texture, file in (("texplane", arena.floor), ("tex-wall", arena.wall)):
        spec.texture(texture).file = f"../textures/{file}"
    if arena.table is not None:
        _set_table(spec, arena.table)
    for name, view in arena.cameras.items():
        camera = spec.camera(name) or spec.worldbody.add_camera(name=name)
        camera.pos, camera.quat = view.position, view.quaternion
    surface = spec.body(arena.workspace[1])
    for region in problem.regions.values():
        if region.target != arena.workspace[0]:
            continue
        low_x, low_y, high_x, high_y = region.ranges[0]
        surface.add_site(
            name=region.name,
            type=mujoco.mjtGeom.mjGEOM_BOX,
            pos=np.add([(low_x + high_x) / 2, (low_y + high_y) / 2, 0.0], arena.region_offset),
            size=[(high_x - low_x) / 2, (high_y - low_y) / 2, _ZONE_HEIGHT],
            rgba=_ZONE_COLOUR,
        )
    _colour(spec, _ARENA_COLOUR)
    return spec


def _set_table(spec: mujoco.MjSpec, table: Table) -> None:
    half = np.array(table.size) / 2
    spec.body("table").pos = np.array(table.top) - [0.0, 0.0, half[2]]
    for geom in ("table_collision", "table_visual"):
        spec.geom(geom).size = half
    spec.geom("table_collision").friction = table.friction
    spec.site("table_top").pos = [0.0, 0.0, half[2]]
    leg = (table.top[2] - half[2]) / 2
    for number, (x, y) in enumerate([(1, 1), (-1, 1), (-1, -1), (1, -1)], start=1):
        geom = spec.geom(f"table_leg{number}_visual")
        geom.pos = [x * (half[0] - _LEG_ASIDE), y * (half[1] - _LEG_ASIDE), -leg]
        geom.size = [_LEG_RADIUS, leg, 0.0]


def _add_robot(world: mujoco.MjSpec, frame: mujoco.MjsFrame, arena: Arena) -> None:
    """Add arm, mount and gripper."""
    folder = data_folder()
    arm = _read(folder / "robots" / "panda" / "robot.xml")
    for newer in (arm.geom(_NEWER_GEOM), arm.site(_NEWER_SITE)):
        if newer is not None:
            arm.delete(newer)
    for number, joint in enumerate(arm.joints):
        joint.damping[0] = _ARM_DAMPING[number]
        joint.frictionloss, joint.armature = _ARM_FRICTION, _ARM_ARMATURE / (number + 1)
    for number, geom in enumerate([geom for geom in arm.geoms if not geom.name]):
        geom.name = f"g{number}_vis"
    mount = _read(folder / "bases" / ("rethink_mount.xml" if arena.is_mounted else "null_mount.xml"))
    gripper = _read(folder / "grippers" / "panda_gripper.xml")
    for spec, colour in ((arm, _ROBOT_COLOUR), (mount, _MOUNT_COLOUR), (gripper, _GRIPPER_COLOUR)):
        _colour(spec, colour)
    foot, lift = mount.body("base"), _MOUNT_TOP if arena.is_mounted else 0.0
    arm.body("base").pos = np.add(arena.robot, [0.0, 0.0, -foot.pos[2] - lift])
    foot.pos = [0.0, 0.0, lift]
    frame.attach_body(arm.body("base"), "robot0_", "")
    world.body("robot0_base").add_frame().attach_body(foot, "mount0_", "")
    world.body("robot0_right_hand").add_frame().attach_body(gripper.body("right_gripper"), "gripper0_", "")


def read_thing(assets: Path, category: str) -> mujoco.MjsBody:
    """Return the body of an object or fixture, as robosuite takes it out of its file.

    The sites that say how much room it needs are its parent's.

    Raises:
        AssetError: There is no such category.
    """
    if not _CATEGORY.fullmatch(category):
        raise AssetError(f"{category!r} is no category of LIBERO's")
    model = _OTHER_NAMES.get(category, category)
    places = [assets / folder / model / f"{model}.xml" for folder in _FOLDERS]
    path = next((place for place in places if place.is_file()), assets / _ARTICULATED / f"{model}.xml")
    body = _read(path).body("object")
    for number, geom in enumerate(body.find_all(mujoco.mjtObj.mjOBJ_GEOM)):
        geom.name = geom.name or f"g{number}"
    body.add_site(name="default_site", size=[0.002] * 3, rgba=[1.0, 0.0, 0.0, 0.0])
    body.name = "main"
    return body


def _place(body: Any, arena: Arena, problem: Problem, name: str, bottom: float) -> None:
    """Put a fixture where the problem has it at first."""
    for predicate in problem.initial:
        if predicate.name == "on" and predicate.arguments[0] == name:
            region = problem.regions[predicate.arguments[1]]
            low_x, low_y, high_x, high_y = region.ranges[0]
            middle = [(low_x + high_x) / 2, (low_y + high_y) / 2, arena.fixture_height - bottom]
            body.pos = np.array(middle) + arena.offset
            turn = sum(region.yaw) / 4
            body.quat = [np.cos(turn), 0.0, 0.0, np.sin(turn)]


def _colour(spec: mujoco.MjSpec, colour: tuple[float, ...]) -> None:
    """Give all that collides robosuite's colour, and take its material."""
    for geom in spec.geoms:
        if geom.group == 0:
            geom.rgba, geom.material = colour, ""
