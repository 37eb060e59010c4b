"""Starts after all has fallen into place, as LIBERO's evaluations begin: ``settled``, ``official_rests`` of a scene.

In LIBERO's starts things hang some centimetres above what they stand on, and its evaluations wait ten control steps
before they ask a policy. MuJoCo itself takes these on the host, with robosuite's controller, which meanwhile brings the
arm nearer to its posture: on Newton every episode begins at rest.
"""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import warp as wp

from tasks.assets.cache import build_once, cache_root
from tasks.libero.control.arm_model import PANDA, arm_model, links_of
from tasks.libero.control.kernels import Quat, Vec3, aim, control
from tasks.libero.scene.asset import LiberoScene
from tasks.libero.suites.bddl import Problem
from tasks.libero.suites.starts import WAITING_STEPS, official_starts

__all__ = ["official_rests", "settled"]

_PHYSICS_STEPS = 25
"""Of a control step, as robosuite takes them."""
_FINGER_SPEED, _FINGER_MIDDLE = 0.01, 0.02
"""Of the opening fingers: share of the half range a physics step, and the half range, m."""
_GENTLE = 10.0
"""What a thing that is let down onto another is braked by, 1/s. In the MuJoCo that LIBERO was made with it stays there;
in newer ones a bowl bounces off its ramekin otherwise."""
_FILE = "rests.npy"


def official_rests(scene: LiberoScene) -> np.ndarray:
    """Return the published starts at rest, float64 (50, nq); they fall once (some seconds), and are kept in the cache.

    Raises:
        AssetError: As ``official_starts``.
    """
    starts = official_starts(scene.task)
    code = [Path(__file__), *sorted(Path(__file__).parents[1].glob("control/*.py"))]
    said = [*(path.read_bytes() for path in code), starts.tobytes(), scene.key.encode(), mujoco.__version__.encode()]
    folder = cache_root() / "assets" / f"libero_rests-{hashlib.sha256(b''.join(said)).hexdigest()[:16]}"

    def build(scratch: Path) -> None:
        falling = starts[:, 1 : 1 + scene.model.nq]
        np.save(scratch / _FILE, settled(scene.model, scene.task.problem, falling))

    rests: np.ndarray = np.load(build_once(folder, build) / _FILE, allow_pickle=False)
    return rests


def settled(model: mujoco.MjModel, problem: Problem, starts: np.ndarray) -> np.ndarray:
    """Return where starts come to rest, the fingers open, float64 (n, nq).

    Args:
        model: The scene.
        problem: The task.
        starts: Positions of all joints, (n, nq).
    """
    worlds = [mujoco.MjData(model) for _ in starts]
    for world, start in zip(worlds, starts, strict=True):
        world.qpos[:] = start
    arm = _Arm(model, len(worlds))
    gentle = [predicate.arguments[0] for predicate in problem.initial if predicate.arguments[-1] in problem.objects]
    bodies = [model.body(f"{name}_main").id for name in gentle]
    apart = _FINGER_MIDDLE
    count = min(len(worlds), len(os.sched_getaffinity(0)))
    shares = [worlds[first::count] for first in range(count)]
    with ThreadPoolExecutor(count) as threads:
        for _ in range(WAITING_STEPS):
            arm.aim(worlds)
            for _ in range(_PHYSICS_STEPS):
                apart = min(apart + _FINGER_SPEED * _FINGER_MIDDLE, 2 * _FINGER_MIDDLE)
                for world, torques in zip(worlds, arm.torques(worlds), strict=True):
                    world.ctrl[:] = [*torques, apart, -apart]
                list(threads.map(lambda share: _step(model, share, bodies), shares))
    return np.array([world.qpos for world in worlds])


def _step(model: mujoco.MjModel, worlds: list[mujoco.MjData], bodies: list[int]) -> None:
    """Take a physics step of some worlds, with free bodies braked; MuJoCo lets other threads run meanwhile."""
    for world in worlds:
        for body in bodies:
            _brake(model, world, body)
        mujoco.mj_step(model, world)


def _brake(model: mujoco.MjModel, world: mujoco.MjData, body: int) -> None:
    """Brake a free body for the step to come."""
    first = model.body_dofadr[body]
    weight = np.repeat([model.body_mass[body], *model.body_inertia[body]], [3, 1, 1, 1])
    world.qfrc_applied[first : first + 6] = -_GENTLE * weight * world.qvel[first : first + 6]


class _Arm:
    """robosuite's controller at the arms of worlds side by side, told not to move."""

    def __init__(self, model: mujoco.MjModel, count: int):
        names = [model.joint(number).name for number in range(model.njnt) if model.jnt_bodyid[number] in _robot(model)]
        self._joints, self._device = len(names), "cpu"
        self._arm = arm_model(model, names, device=self._device)
        self._links = links_of(self._arm, count, self._device)
        shape = (count, self._joints)
        arrays: list[Any] = [wp.zeros(shape, dtype=wp.float32, device=self._device) for _ in range(4)]
        self._q, self._qd, self._effort, self._rest = arrays
        self._rest.assign(np.tile([*PANDA.rest, *[0.0] * (self._joints - len(PANDA.rest))], (count, 1)))
        self._still: Any = wp.zeros((count, 6), dtype=wp.float32, device=self._device)
        self._fresh: Any = wp.ones(count, dtype=wp.int32, device=self._device)
        self._goals = tuple(wp.zeros(count, dtype=kind, device=self._device) for kind in (Vec3, Quat))
        self._is_first = True

    def aim(self, worlds: list[mujoco.MjData]) -> None:
        """Begin a control step; the goal of the first is where robosuite's reset has the arm."""
        self._read(worlds)
        at = self._rest if self._is_first else self._q
        inputs = [self._arm, at, self._rest, self._still, self._links, self._fresh, *self._goals]
        wp.launch(aim, len(worlds), inputs, device=self._device)
        self._is_first = False

    def torques(self, worlds: list[mujoco.MjData]) -> np.ndarray:
        """Return the torques of a physics step, (n, 7)."""
        self._read(worlds)
        inputs = [self._arm, self._q, self._qd, self._links, *self._goals, self._effort]
        wp.launch(control, len(worlds), inputs, device=self._device)
        torques: np.ndarray = self._effort.numpy()[:, : len(PANDA.joints)]
        return torques

    def _read(self, worlds: list[mujoco.MjData]) -> None:
        """Take over positions and velocities: the robot's joints come first in LIBERO's models."""
        self._q.assign(np.array([world.qpos[: self._joints] for world in worlds], np.float32))
        self._qd.assign(np.array([world.qvel[: self._joints] for world in worlds], np.float32))


def _robot(model: mujoco.MjModel) -> list[int]:
    root = model.body("robot0_base").id
    return [body for body in range(model.nbody) if model.body_rootid[body] == root]
