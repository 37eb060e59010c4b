"""Starts after all has fallen into place, as LIBERO's evaluations begin: ``settled``, ``official_rests`` of a scene.

In LIBERO's starts things hang some centimetres above what they stand on, and its evaluations wait ten control steps
before they ask a policy. MuJoCo itself lets them fall here, once, on the host: on Newton every episode begins at rest.
"""

import hashlib
from pathlib import Path

import mujoco
import numpy as np

from tasks.assets.cache import build_once, cache_root
from tasks.libero.scene.asset import LiberoScene
from tasks.libero.suites.bddl import Problem
from tasks.libero.suites.starts import WAITING_STEPS, official_starts

__all__ = ["official_rests", "settled"]

_STEPS = 25 * WAITING_STEPS
"""Of robosuite's physics."""
_FINGER_SPEED, _FINGER_MIDDLE = 0.01, 0.02
"""Of the opening fingers: share of the half range a physics step, and the half range, m."""
_GENTLE = 10.0
"""What a thing that is let down onto another is braked by, 1/s. In the MuJoCo that LIBERO was made with it stays there;
in newer ones a bowl bounces off its ramekin otherwise."""
_FILE = "rests.npy"


def official_rests(scene: LiberoScene) -> np.ndarray:
    """Return the published starts at rest, float64 (50, nq); they fall once (10 s), and are kept in the cache.

    Raises:
        AssetError: As ``official_starts``.
    """
    starts = official_starts(scene.task)
    said = [Path(__file__).read_bytes(), starts.tobytes(), scene.key.encode(), mujoco.__version__.encode()]
    folder = cache_root() / "assets" / f"libero_rests-{hashlib.sha256(b''.join(said)).hexdigest()[:16]}"

    def build(scratch: Path) -> None:
        problem, model = scene.task.problem, scene.model
        np.save(scratch / _FILE, [settled(model, problem, start[1 : 1 + model.nq]) for start in starts])

    rests: np.ndarray = np.load(build_once(folder, build) / _FILE, allow_pickle=False)
    return rests


def settled(model: mujoco.MjModel, problem: Problem, qpos: np.ndarray) -> np.ndarray:
    """Return where a start (nq,) comes to rest, the fingers open and the arm held where it is.

    Args:
        model: The scene.
        problem: The task.
        qpos: Positions of all joints.
    """
    data = mujoco.MjData(model)
    data.qpos[:] = qpos
    joints = [model.joint(f"robot0_joint{number}") for number in range(1, 8)]
    places, dofs = [joint.qposadr[0] for joint in joints], [joint.dofadr[0] for joint in joints]
    held = data.qpos[places].copy()
    gentle = [predicate.arguments[0] for predicate in problem.initial if predicate.arguments[-1] in problem.objects]
    bodies = [model.body(f"{name}_main").id for name in gentle]
    for step in range(_STEPS):
        apart = _FINGER_MIDDLE * min(2.0, 1.0 + _FINGER_SPEED * (step + 1))
        data.ctrl[-2:] = apart, -apart
        mujoco.mj_step1(model, data)
        data.qfrc_applied[dofs] = data.qfrc_bias[dofs]
        for body in bodies:
            first = model.body_dofadr[body]
            weight = np.repeat([model.body_mass[body], *model.body_inertia[body]], [3, 1, 1, 1])
            data.qfrc_applied[first : first + 6] = -_GENTLE * weight * data.qvel[first : first + 6]
        mujoco.mj_step2(model, data)
        data.qpos[places], data.qvel[dofs] = held, 0.0
    return data.qpos.copy()
