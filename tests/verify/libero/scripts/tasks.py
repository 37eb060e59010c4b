"""A task of a suite with its script: ``read_script``; ``play`` plays it in worlds, and ``judge`` says what came of it."""

from dataclasses import dataclass

import mujoco
import numpy as np

from tasks.libero.goals.predicates import goal_tests
from tasks.libero.scene.asset import LiberoScene, libero_scene
from tasks.libero.scene.compose import REST_JOINTS
from tasks.libero.scene.rest import official_rests
from tests.verify.libero.osc import Arm
from tests.verify.libero.scripts import basket, goal
from tests.verify.libero.scripts.motion import Motion, Move
from tests.verify.libero.scripts.mujoco_moment import MujocoMoment
from tests.verify.libero.worlds import follow_scripts

LAST = 20  # control steps, a second
SCRIPTS = {"libero_goal": goal.SCRIPTS, "libero_object": basket.SCRIPTS}


@dataclass
class Scripted:
    """One task, and how it is played.

    Attributes:
        scene: Its scene.
        rest: The first official starts at rest, (n, 1 + nq + nv): time, qpos, qvel.
        reset: What robosuite's controller keeps from its own reset.
        moves: The script.
    """

    scene: LiberoScene
    rest: np.ndarray
    reset: dict
    moves: tuple[Move, ...]

    @property
    def model(self):
        return self.scene.model


def read_script(suite, index, starts=range(10)):
    """Return a task for some of its official starts."""
    scene = libero_scene(suite, index)
    model, qpos = scene.model, official_rests(scene)[list(starts)]
    rest = np.concatenate([np.zeros((len(qpos), 1)), qpos, np.zeros((len(qpos), model.nv))], axis=1)
    return Scripted(scene, rest, _reset(model), SCRIPTS[suite][index])


def _reset(model):
    qpos = np.zeros((1, model.nq))
    qpos[0, : len(REST_JOINTS)] = REST_JOINTS
    state = Arm(model).read(qpos, np.zeros((1, model.nv)))
    return {"goal_pos": state.position[0], "goal_ori": state.rotation[0], "initial_joint": np.array(REST_JOINTS)}


def play(worlds, task):
    motions = [Motion(task.moves) for _ in task.rest]
    names = list(task.scene.task.problem.objects)
    places = {name: task.model.joint(f"{name}_joint0").qposadr[0] for name in names}
    tools, numbers = [], []

    def answer(state, qpos):
        tools.append(state.position.copy()); numbers.append([m.number for m in motions])
        return np.stack(
            [
                motion.act(tool, rotation, {name: q[place : place + 3] for name, place in places.items()})
                for motion, tool, rotation, q in zip(motions, state.position, state.rotation, qpos, strict=True)
            ]
        )

    states = follow_scripts(worlds, task.model, task.reset, task.rest, answer, task.scene.task.horizon)
    return states, np.array(tools), np.array(numbers)


def judge(task, states):
    """Whether the task's goal holds in the last second of states (steps, n, nq), as LIBERO has it; return bool (n,).

    LIBERO ends an episode at the first moment that it holds. Here the hand is away by then and all is at rest.
    """
    tests = goal_tests(task.scene.task.problem, task.model)
    last = states[-LAST:]
    moment = MujocoMoment(task.model, last.reshape(-1, last.shape[2]))
    return np.stack([test(moment).numpy() for test in tests]).all(0).reshape(last.shape[:2])
