"""The expert lifts from pictures and joints alone, row by row and without memory."""

import subprocess
import sys

import numpy as np
import pytest

from groot_wrappers.errors import ContractError
from groot_wrappers.observation_checks import check_action
from tasks.lift_cube_franka.expert.joint_expert import LiftCubeExpert
from tasks.lift_cube_franka.expert.kinematics import PandaArm
from tasks.lift_cube_franka.expert.perception import CubePose
from tasks.lift_cube_franka.geometry import CUBE_START, SCENE_CAMERA, START_JOINTS
from tests.tasks.lift_cube_franka.pictures import observation, scene_picture, wrist_picture

START = np.array(START_JOINTS)
STEP, ARM_LAG, FINGER_LAG = 1 / 30, 0.2, 0.5


@pytest.fixture(scope="module")
def expert():
    return LiftCubeExpert()


@pytest.fixture(scope="module")
def arm():
    return PandaArm()


class ToyLift:
    """Joints that follow their targets at first order, and a cube that moves with closed fingers about it."""

    def __init__(self, arm, position, yaw):
        self.arm, self.joints = arm, START.copy()
        self.position, self.yaw, self.held = np.array(position, float), yaw, False

    def observe(self):
        scene = scene_picture(self.position, self.yaw)
        return observation([scene], [wrist_picture(self.arm, self.joints[:7], self.position, self.yaw)], [self.joints])

    def step(self, target):
        before, _ = self.arm.hand_pose(self.joints[:7])
        lag = np.r_[[ARM_LAG] * 7, [FINGER_LAG] * 2]
        self.joints += (target - self.joints) * (1 - np.exp(-STEP / lag))
        after, _ = self.arm.hand_pose(self.joints[:7])
        if np.linalg.norm(before - self.position) < 0.012 and self.joints[7] < 0.025:
            self.joints[7:], self.held = 0.025, True
        if self.held and self.joints[7] > 0.026:
            self.held = False
        if self.held:
            self.position += after - before


def test_modalities_are_those_of_the_lift(expert):
    modality = expert.get_modality_config()
    assert {name: config.modality_keys for name, config in modality.items()} == {
        "video": ("scene_camera", "wrist_camera"),
        "state": ("joint_positions",),
        "action": ("joint_positions",),
        "language": ("task",),
    }
    assert modality["action"].delta_indices == tuple(range(16))
    assert [modality[name].delta_indices for name in ("video", "state", "language")] == [(0,)] * 3
    assert modality["action"].action_configs[0].rep == "ABSOLUTE"


@pytest.mark.parametrize("execution", [pytest.param(1, marks=pytest.mark.slow), 8])
@pytest.mark.parametrize("start", [(0.5, 0.0, 0.0), (0.6, -0.2, 0.5), (0.4, 0.2, -0.5), (0.42, -0.1, 0.3)])
def test_a_cube_is_lifted_in_little_time(expert, arm, start, execution):
    x, y, yaw = start
    world = ToyLift(arm, (x, y, CUBE_START[2]), yaw)
    for _ in range(110 // execution):
        action, info = expert.get_action(world.observe())
        assert info == {}
        for target in action["joint_positions"][0, :execution]:
            world.step(target)
    assert world.position[2] > CUBE_START[2] + 0.1


def test_an_action_is_as_the_modalities_say_for_any_number_of_rows(expert, arm):
    for rows in (1, 3):
        picture = scene_picture(np.array(CUBE_START))
        wrist = wrist_picture(arm, START[:7], np.array(CUBE_START))
        action, _ = expert.get_action(observation([picture] * rows, [wrist] * rows, [START] * rows))
        check_action(action, expert.get_modality_config(), rows)
        assert action["joint_positions"].shape == (rows, 16, 9)


def test_a_row_depends_on_its_own_observation_alone(expert, arm):
    positions = np.array([(0.45, 0.1, 0.025), (0.58, -0.15, 0.025), (0.5, 0.0, 0.025)])
    scenes = [scene_picture(position) for position in positions]
    wrists = [wrist_picture(arm, START[:7], position) for position in positions]
    together, _ = expert.get_action(observation(scenes, wrists, [START] * 3))
    for row in (2, 0, 1):
        alone, _ = expert.get_action(observation(scenes[row : row + 1], wrists[row : row + 1], [START]))
        np.testing.assert_array_equal(alone["joint_positions"][0], together["joint_positions"][row])
        expert.reset()


@pytest.mark.parametrize("colour", [(35, 40, 200), (150, 150, 150)])
def test_without_a_red_cube_the_arm_holds_still(expert, arm, colour):
    scene = scene_picture(np.array(CUBE_START), colour=colour)
    wrist = wrist_picture(arm, START[:7], np.array(CUBE_START), colour=colour)
    action, _ = expert.get_action(observation([scene], [wrist], [START]))
    np.testing.assert_array_equal(action["joint_positions"][0], np.tile(START.astype(np.float32), (16, 1)))


def lowest_hand(expert, arm, world, steps=60):
    heights = []
    for _ in range(steps):
        world.step(expert.get_action(world.observe())[0]["joint_positions"][0, 0])
        heights.append(arm.hand_pose(world.joints[:7])[0][2])
    return min(heights)


def test_the_hand_stays_up_where_the_wrist_camera_sees_no_cube(arm):
    elsewhere = np.array([0.5, 0.12, 0.025])
    believing = LiftCubeExpert(find=lambda image: CubePose(SCENE_CAMERA.project(elsewhere), elsewhere, 0.0))
    assert lowest_hand(believing, arm, ToyLift(arm, (0.5, -0.12, 0.025), 0.0)) > 0.1


def test_the_hand_goes_down_where_both_cameras_see_it(expert, arm):
    assert lowest_hand(expert, arm, ToyLift(arm, (0.5, -0.12, 0.025), 0.0)) < 0.03


def test_a_wrong_observation_is_refused(expert, arm):
    wrong = observation([scene_picture(np.array(CUBE_START))] * 2, [np.zeros((224, 224, 3), np.uint8)] * 2, [START] * 2)
    wrong["state"]["joint_positions"] = wrong["state"]["joint_positions"].astype(np.float64)
    with pytest.raises(ContractError, match="joint_positions"):
        expert.get_action(wrong)


def test_targets_stay_within_the_joints_limits(expert, arm):
    far = np.array([0.6, 0.2, 0.025])
    outside = START.copy()
    outside[5] = 3.76  # limit 3.7525
    action, _ = expert.get_action(observation([scene_picture(far)], [wrist_picture(arm, outside[:7], far)], [outside]))
    assert np.isfinite(action["joint_positions"]).all()


@pytest.mark.process
def test_it_starts_without_simulator_and_torch():
    code = (
        "import sys, tasks.lift_cube_franka.expert.joint_expert as e; e.LiftCubeExpert();"
        "print([m for m in ('isaaclab', 'newton', 'warp', 'torch') if m in sys.modules])"
    )
    started = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert started.stdout.strip() == "[]"
