"""The expert in LIBERO's terms: from pictures and the hand's pose alone, row by row, in numbers that the data has."""

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from scipy.spatial.transform import Rotation

from groot_wrappers.embodiment.action_map import ActionLayout
from groot_wrappers.embodiment.embodiment import ActionTarget, Embodiment
from groot_wrappers.embodiment.isaaclab_env import ActionTerm, JointColumn
from groot_wrappers.observation_checks import check_action
from tasks.lift_cube_franka.expert.libero_expert import LiberoExpert
from tasks.lift_cube_franka.geometry import CUBE_START, TOOL_POINT, WRIST_CAMERA
from tests.tasks.lift_cube_franka.pictures import CUBE_CORNERS, draw, scene_picture, turn

EMBODIMENTS = Path(__file__).parents[3] / "conf" / "embodiment"
POSE = ("x", "y", "z", "roll", "pitch", "yaw")
DOWN = Rotation.from_matrix(np.diag([1.0, -1.0, -1.0]))
DONE = 0.257
"""Part of a change that the arm does in a step; see test_libero_env.py."""
FINGER_LAG, STEP = 0.5, 1 / 20


@pytest.fixture(scope="module")
def expert():
    return LiberoExpert()


def enlarged(picture):
    """LIBERO's 256 x 256, mirrored."""
    rows = (np.arange(256) * picture.shape[0] / 256).astype(int)
    return picture[rows][:, rows[::-1]]


class ToyLift:
    """A hand that does its part of each change, fingers that lag, and a cube that closed fingers take along."""

    def __init__(self, cube=CUBE_START, yaw=0.0, tool=(0.42, 0.0, 0.28), opening=0.04, tilt=(0.0, 0.0, 0.0)):
        self.cube, self.yaw, self.opening = np.array(cube, float), yaw, opening
        self.tool, self.rotation = np.array(tool, float), Rotation.from_rotvec(tilt) * DOWN
        self.held = False

    def observe(self, colour=(200, 40, 35)):
        hand = self.tool - self.rotation.apply(TOOL_POINT)
        corners = self.rotation.apply(self.cube + CUBE_CORNERS @ turn(self.yaw).T - hand, inverse=True)
        pictures = {
            "image": scene_picture(self.cube, self.yaw, colour),
            "wrist_image": draw(WRIST_CAMERA.project(corners), colour),
        }
        pose = [*self.tool, *self.rotation.as_rotvec()]
        return {
            "video": {key: enlarged(picture)[None, None] for key, picture in pictures.items()},
            "state": {key: np.full((1, 1, 1), number, np.float32) for key, number in zip(POSE, pose, strict=True)}
            | {"gripper": np.array([[[self.opening, -self.opening]]], np.float32)},
            "language": {"annotation.human.action.task_description": [["pick up the cube"]]},
        }

    def step(self, numbers):
        moved = numbers[:3] * 0.05 * DONE
        self.tool += moved
        self.rotation = Rotation.from_rotvec(numbers[3:6] * 0.5 * DONE) * self.rotation
        target = 0.04 if numbers[6] > 0.5 else 0.0
        self.opening += (target - self.opening) * (1 - np.exp(-STEP / FINGER_LAG))
        if np.linalg.norm(self.tool - self.cube) < 0.012 and self.opening < 0.025:
            self.opening, self.held = 0.024, True  # the rubber gives way a little
        if self.held and self.opening > 0.026:
            self.held = False
        if self.held:
            self.cube += moved


def numbers(expert, observation):
    """Row 0's chunk, (16, 7)."""
    action, info = expert.get_action(observation)
    assert info == {}
    return np.concatenate([action[key][0] for key in (*POSE, "gripper")], axis=-1)


def test_modalities_are_those_of_libero(expert):
    modality = expert.get_modality_config()
    assert {name: config.modality_keys for name, config in modality.items()} == {
        "video": ("image", "wrist_image"),
        "state": (*POSE, "gripper"),
        "action": (*POSE, "gripper"),
        "language": ("annotation.human.action.task_description",),
    }
    assert modality["action"].delta_indices == tuple(range(16))


@pytest.mark.parametrize("execution", [pytest.param(1, marks=pytest.mark.slow), 8, 16])
@pytest.mark.parametrize("start", [(0.5, 0.0, 0.0), (0.6, -0.2, 0.5), (0.4, 0.2, -0.5), (0.42, -0.1, 0.3)])
def test_a_cube_is_lifted_in_little_time(expert, start, execution):
    x, y, yaw = start
    world = ToyLift((x, y, CUBE_START[2]), yaw, tilt=(0.1, -0.08, 0.0))
    for _ in range(96 // execution):
        for step in numbers(expert, world.observe())[:execution]:
            world.step(step)
    assert world.cube[2] > CUBE_START[2] + 0.1


@pytest.mark.parametrize("tool", [(0.42, 0.0, 0.28), (0.8, 0.5, 0.9)])
def test_numbers_are_within_1_for_any_number_of_rows(expert, tool):
    observation = ToyLift(tool=tool, tilt=(0.8, 0.0, 0.0)).observe()
    for kind in ("video", "state"):
        observation[kind] = {key: np.repeat(value, 3, axis=0) for key, value in observation[kind].items()}
    observation["language"] = {key: value * 3 for key, value in observation["language"].items()}
    action, _ = expert.get_action(observation)
    check_action(action, expert.get_modality_config(), 3)
    for key in POSE:
        assert np.abs(action[key]).max() <= 1.0
        np.testing.assert_array_equal(action[key][0], action[key][2])
    assert set(np.unique(action["gripper"])) <= {0.0, 1.0}


def test_above_the_table_it_goes_towards_the_cube_with_the_gripper_open(expert):
    chunk = numbers(expert, ToyLift((0.5, 0.15, 0.025)).observe())
    assert (chunk[:8, 0] > 0).all()
    assert (chunk[:8, 1] > 0).all()
    assert (chunk[:, 6] == 1).all()


def test_over_the_cube_it_goes_straight_down(expert):
    chunk = numbers(expert, ToyLift(tool=(0.5, 0.0, 0.13)).observe())
    assert (chunk[:8, 2] < -0.5).all()
    assert np.abs(chunk[:8, :2]).max() < 0.15
    assert (chunk[:8, 6] == 1).all()


def test_at_the_cube_it_closes_and_waits(expert):
    chunk = numbers(expert, ToyLift(tool=(0.5, 0.0, 0.022)).observe())
    assert (chunk[:, 6] == 0).all()
    assert np.abs(chunk[:4, :3]).max() < 0.05


@pytest.mark.parametrize("opening", [0.0255, 0.025, 0.022])
def test_with_the_cube_in_its_grip_it_goes_up_and_stays_closed(expert, opening):
    chunk = numbers(expert, ToyLift(tool=(0.5, 0.0, 0.022), opening=opening).observe())
    assert (chunk[:, 6] == 0).all(), "fingers that press the cube are not fingers that close on nothing"
    assert (chunk[:, 2] > 0).all()


def test_fingers_that_closed_on_nothing_open_again_above_the_cube(expert):
    chunk = numbers(expert, ToyLift(tool=(0.5, 0.0, 0.13), opening=0.005).observe())
    assert (chunk[:8, 6] == 1).all()


def test_a_tilted_hand_is_turned_upright(expert):
    chunk = numbers(expert, ToyLift(tilt=(0.0, 0.1, 0.0)).observe())
    assert chunk[0, 4] == pytest.approx(-0.1 / 0.5 / DONE, rel=0.02)


@pytest.mark.parametrize(("opening", "gripper"), [(0.04, 1.0), (0.025, 0.0)])
def test_without_a_red_cube_nothing_changes(expert, opening, gripper):
    chunk = numbers(expert, ToyLift(opening=opening).observe(colour=(35, 40, 200)))
    assert (chunk[:, :6] == 0).all()
    assert (chunk[:, 6] == gripper).all()


def test_it_waits_above_where_the_wrist_camera_sees_no_cube(expert):
    observation = ToyLift(tool=(0.5, 0.0, 0.13)).observe()
    observation["video"]["wrist_image"][:] = 128
    assert np.abs(numbers(expert, observation)[:, 2]).max() < 0.05


class FrankaWithTerms:
    """What the layout of actions asks of an env: the lift's terms under each of the two embodiments."""

    num_envs, robots = 1, {}

    def __init__(self, terms):
        self.action_terms, start = {}, 0
        self.joint_columns = {}
        for name, (kind, joints) in terms.items():
            self.action_terms[name] = ActionTerm(start, len(joints), kind)
            if kind == "JointPositionAction":
                self.joint_columns |= {j: JointColumn(start + i, 1.0, 0.0, "robot", i) for i, j in enumerate(joints)}
            start += len(joints)
        self.action_dim = start


ARM, FINGERS = [f"panda_joint{i}" for i in range(1, 8)], ["panda_finger_joint1", "panda_finger_joint2"]
END_EFFECTOR = {
    "arm_action": ("DifferentialInverseKinematicsAction", list(POSE)),
    "gripper_action": ("BinaryJointPositionAction", ["both"]),
}
JOINTS = {"arm_action": ("JointPositionAction", ARM), "gripper_action": ("JointPositionAction", FINGERS)}


def played(name, terms, chunk):
    """The env's action, (D,), for the one control step of a chunk of plain lists."""
    targets = yaml.safe_load((EMBODIMENTS / f"{name}.yaml").read_text())["action"]
    embodiment = Embodiment(action={key: ActionTarget(**target) for key, target in targets.items()})
    layout = ActionLayout(FrankaWithTerms(terms), embodiment)
    return layout.to_env({key: torch.tensor([[value]]) for key, value in chunk.items()}, {})[0, 0].tolist()


@pytest.mark.parametrize(
    ("sent", "got"),
    [
        ([1.0, -1.0, 0.5, 0.2, -0.2, 1.0, 1.0], [0.05, -0.05, 0.025, 0.1, -0.1, 0.5, 1.0]),
        ([2.0, -3.0, 0.0, 1.5, -1.5, 0.0, 0.0], [0.05, -0.05, 0.0, 0.5, -0.5, 0.0, -1.0]),
        ([0.0] * 6 + [0.49], [0.0] * 6 + [-1.0]),
        ([0.0] * 6 + [0.51], [0.0] * 6 + [1.0]),
    ],
)
def test_liberos_numbers_become_metres_radians_and_a_sign(sent, got):
    chunk = {key: [value] for key, value in zip((*POSE, "gripper"), sent, strict=True)}
    assert played("libero_panda", END_EFFECTOR, chunk) == pytest.approx(got)


@pytest.mark.parametrize(("sent", "finger"), [(0.0, 0.04), (1.0, 0.0), (0.3, 0.04), (0.7, 0.0)])
def test_droids_gripper_is_one_number_for_both_fingers(sent, finger):
    arm = [0.1 * i for i in range(7)]
    chunk = {"joint_position": arm, "gripper_position": [sent]}
    assert played("oxe_droid_panda_hand", JOINTS, chunk) == pytest.approx([*arm, finger, finger], abs=1e-6)
