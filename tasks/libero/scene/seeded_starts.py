"""Starts that are drawn anew, by LIBERO's rules of placing things: ``seeded_start``.

What LIBERO draws from Python's state of numpy comes from a generator here, so a seed means one start; it is not the
start that LIBERO draws from that number. Fixtures stay where the scene has them, as all envs have one scene; LIBERO
moves them by a centimetre or two whenever it is reset.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import mujoco
import numpy as np

from groot_wrappers.errors import ContractError
from tasks.libero.scene.arenas import arena_of
from tasks.libero.scene.categories import TURNS, Extent, extent_of
from tasks.libero.scene.compose import REST_JOINTS
from tasks.libero.suites.bddl import Predicate, Problem
from tasks.libero.suites.fixtures import STARTS, element, joints_of, main_body

__all__ = ["seeded_start"]

_FINGERS = (0.020833, -0.020833)
_NOISE = 0.02
"""Standard deviation of each joint of the arm at the start, rad, as in the published starts."""

_HANGING = np.array([0.0, 0.0, 0.01])
"""How far above a table or a thing the lowest point of the room is that a thing on it is given, m."""
_TRIES = 5000


_WHOLE = ("libero_tabletop_manipulation", "libero_floor_manipulation")
"""Kinds of scenes where the whole of a thing has to be within its region, and not its origin alone."""


@dataclass(frozen=True)
class _Placed:
    position: np.ndarray
    extent: Extent


def seeded_start(problem: Problem, model: mujoco.MjModel, random: np.random.Generator) -> np.ndarray:
    """Draw a start.

    Args:
        problem: The task.
        model: Its scene, with LIBERO's names.
        random: What is drawn from, of the episode's own seed.

    Returns:
        float64 (1 + nq + nv,): time, qpos and qvel, as in ``official_starts``.

    Raises:
        AssetError: The wheels' data are missing.
        ContractError: The model is not of this task, or the things find no place.
    """
    data = mujoco.MjData(model)
    _set_robot(model, data, random)
    for predicate in problem.initial:
        if predicate.name not in ("on", "in"):
            _set_joints(predicate, problem, model, data, random)
    mujoco.mj_kinematics(model, data)
    _Placing(problem, model, data, random).place_all()
    return np.concatenate([[0.0], data.qpos, np.zeros(model.nv)])


def _set_robot(model: mujoco.MjModel, data: mujoco.MjData, random: np.random.Generator) -> None:
    arm = np.array(REST_JOINTS) + random.normal(0.0, _NOISE, len(REST_JOINTS))
    names = [f"robot0_joint{number}" for number in range(1, 8)] + [f"gripper0_finger_joint{n}" for n in (1, 2)]
    for name, position in zip(names, [*arm, *_FINGERS], strict=True):
        data.qpos[_address(model, name)] = position


def _set_joints(
    predicate: Predicate,
    problem: Problem,
    model: mujoco.MjModel,
    data: mujoco.MjData,
    random: np.random.Generator,
) -> None:
    (what,) = predicate.arguments
    category, names = joints_of(what, problem, model)
    if predicate.name not in STARTS.get(category, {}):
        raise ContractError(f"LIBERO has no start at which ({predicate.name} {what}) holds")
    position = random.uniform(*STARTS[category][predicate.name])
    for name in names:
        data.qpos[_address(model, name)] = position


def _address(model: mujoco.MjModel, joint: str) -> int:
    return int(model.jnt_qposadr[element(model, mujoco.mjtObj.mjOBJ_JOINT, joint)])


class _Placing:
    """Places the things of one start, one after the other."""

    def __init__(self, problem: Problem, model: mujoco.MjModel, data: mujoco.MjData, random: np.random.Generator):
        self._problem, self._model, self._data, self._random = problem, model, data, random
        self._offset = np.array(arena_of(problem.kind).offset)
        self._placed: dict[str, _Placed] = {}

    def place_all(self) -> None:
        """Place what the file says, in LIBERO's order: on the table, then on and in fixtures, then on things."""
        for order in (self._on_table, self._at_fixtures, self._on_things):
            order()

    def _on_table(self) -> None:
        for thing, where in self._initial("on"):
            region = self._problem.regions.get(where)
            if region is None or not region.ranges:
                continue
            if thing in self._problem.fixtures:
                body = element(self._model, mujoco.mjtObj.mjOBJ_BODY, main_body(thing))
                self._placed[thing] = _Placed(self._model.body_pos[body], extent_of(self._problem.fixtures[thing]))
                continue
            within = self._extent(thing).radius if self._problem.kind in _WHOLE else 0.0
            margin = np.array([within, within, -within, -within])
            self._put(thing, self._offset + _HANGING, np.array(region.ranges) + margin)

    def _at_fixtures(self) -> None:
        for name in ("on", "in"):
            for thing, where in self._initial(name):
                region = self._problem.regions.get(where)
                if region is not None and not region.ranges:
                    self._at_fixture(thing, where, self._placed[region.target].extent, on_it=name == "on")

    def _at_fixture(self, thing: str, where: str, owner: Extent, on_it: bool) -> None:
        site = element(self._model, mujoco.mjtObj.mjOBJ_SITE, where)
        # LIBERO halves here what a site has as half of its side.
        half = self._model.site_size[site][:2] / 2 - self._extent(thing).radius
        ranges = np.array([[*-half, *half]]) if on_it else np.zeros((1, 4))
        self._put(thing, self._data.site_xpos[site] + np.array([0.0, 0.0, owner.top * on_it]), ranges)

    def _on_things(self) -> None:
        for thing, where in self._initial("on"):
            if where in self._problem.objects:
                below = self._placed[where]
                top = below.position + np.array([0.0, 0.0, below.extent.top])
                self._put(thing, top + _HANGING, np.zeros((1, 4)), alone=False)

    def _initial(self, name: str) -> Iterator[tuple[str, str]]:
        for predicate in self._problem.initial:
            if predicate.name == name:
                thing, where = predicate.arguments
                yield thing, where

    def _extent(self, thing: str) -> Extent:
        return extent_of(self._problem.objects[thing])

    def _put(self, thing: str, origin: np.ndarray, ranges: np.ndarray, alone: bool = True) -> None:
        """Draw places for a thing until it has room there, then put it down.

        Args:
            thing: An object.
            origin: What the ranges are about, and the height of its lowest point, (3,), m.
            ranges: Rectangles (n, 4), of which one is drawn: x, y, and x, y of the opposite corner. Where a thing is
                wider than its region, the first is the higher one, as LIBERO has it too.
            alone: Whether it must not stand where something else does.
        """
        extent = self._extent(thing)
        for _ in range(_TRIES):
            corner, opposite = self._random.choice(ranges).reshape(2, 2)
            aside = corner + (opposite - corner) * self._random.random(2)
            position = origin + np.array([*aside, -extent.bottom])
            if not alone or all(self._has_room(position, extent, other) for other in self._placed.values()):
                break
        else:
            raise ContractError(f"{thing} finds no place that is free: {_TRIES} were drawn from where its BDDL says")
        self._placed[thing] = _Placed(position, extent)
        first = _address(self._model, f"{thing}_joint0")
        self._data.qpos[first : first + 7] = [*position, *self._turn(self._problem.objects[thing])]

    @staticmethod
    def _has_room(position: np.ndarray, extent: Extent, other: _Placed) -> bool:
        aside = np.linalg.norm(position[:2] - other.position[:2])
        above = position[2] - other.position[2]
        return bool(aside > other.extent.radius + extent.radius or above > other.extent.top - extent.bottom)

    def _turn(self, category: str) -> np.ndarray:
        """Draw how a thing is turned: a quaternion as MuJoCo reads it, w first.

        LIBERO writes it with w last, and MuJoCo reads that as it stands: what it calls a quarter about x is one
        about z, and this is how its things stand.
        """
        turn = np.array([0.0, 0.0, 0.0, 1.0])
        for axis, low, high in TURNS.get(category, (("x", np.pi / 2, np.pi / 2),)):
            angle = self._random.uniform(low, high)
            step = np.zeros(4)
            step["xyz".index(axis)], step[3] = np.sin(angle / 2), np.cos(angle / 2)
            turn = _multiply(step, turn)
        return turn


def _multiply(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Product of two quaternions, w last."""
    product = np.zeros(4)
    mujoco.mju_mulQuat(product, np.roll(first, 1), np.roll(second, 1))
    return np.roll(product, -1)
