"""A task of a suite with its script: ``read_script``; ``Player`` plays it, and ``judge`` says what came of it."""

from dataclasses import dataclass

import numpy as np

from tasks.libero.goals.predicates import goal_tests
from tasks.libero.scene.asset import LiberoScene, libero_scene
from tasks.libero.scene.compose import REST_JOINTS
from tasks.libero.scene.rest import official_rests
from tests.verify.libero.osc import Arm
from tests.verify.libero.scripts import basket, goal
from tests.verify.libero.scripts.motion import Motion, Move
from tests.verify.libero.scripts.mujoco_moment import MujocoMoment

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


class Player:
    """Answers for all starts of a task side by side."""

    def __init__(self, task):
        self.motions = [Motion(task.moves) for _ in task.rest]
        things = task.scene.task.problem.objects
        self.places = {thing: task.model.joint(f"{thing}_joint0").qposadr[0] for thing in things}

    def __call__(self, state, qpos):
        """Return actions (n, 7) for the arms' ``ArmState`` and qpos (n, nq)."""
        actions = []
        for motion, tool, rotation, row in zip(self.motions, state.position, state.rotation, qpos, strict=True):
            things = {thing: row[place : place + 3] for thing, place in self.places.items()}
            actions.append(motion.act(tool, rotation, things))
        return np.stack(actions)


def judge(task, states):
    """Whether the task's goal holds in the last second of states (steps, n, nq), as LIBERO has it; return bool (n,).

    LIBERO ends an episode at the first moment that it holds. Here the hand is away by then and all is at rest.
    """
    tests = goal_tests(task.scene.task.problem, task.model)
    last = states[-LAST:]
    moment = MujocoMoment(task.model, last.reshape(-1, last.shape[2]))
    return np.stack([test(moment).numpy() for test in tests]).all(0).reshape(last.shape[:2]).any(0)
