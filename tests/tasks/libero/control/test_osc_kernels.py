"""robosuite's controller in kernels, held against what robosuite 1.4 said in LIBERO (``record_robosuite.py``)."""

import json
from pathlib import Path

import mujoco
import numpy as np
import pytest
import warp as wp
from scipy.spatial.transform import Rotation

from tasks.libero.control.arm_model import PANDA, arm_model, ending
from tasks.libero.control.kernels import Mat77, Vec7, factor, move_fingers, solve
from tests.tasks.libero.control.arm_worlds import COLUMNS, ArmWorlds, array, panda

pytestmark = pytest.mark.isaaclab

REACH = np.array([0.05] * 3 + [0.5] * 3)


@pytest.fixture(scope="module")
def said():
    """What robosuite said, by name: an array with a row a state; and where the arm stood."""
    told = json.loads(Path(__file__).with_name("robosuite.json").read_text())
    return {name: np.array([state[name] for state in told["states"]]) for name in told["states"][0]} | {
        "base": told["base"]
    }


@pytest.fixture(scope="module")
def worlds(said):
    worlds = ArmWorlds(panda(said["base"]), said["q"], said["qd"])
    worlds.told = worlds.aim(np.clip(said["action"], -1, 1) * REACH)
    return worlds


def test_goals_are_robosuites(said, worlds):
    positions, quaternions = worlds.told
    assert positions == pytest.approx(said["goal_position"], abs=1e-6)
    assert Rotation.from_quat(quaternions).as_matrix() == pytest.approx(said["goal_rotation"], abs=1e-6)


def test_a_change_without_rotation_leaves_the_goal_where_a_reset_had_it(said, worlds):
    still = (said["action"][:, 3:] == 0).all(axis=1)
    assert 0 < still.sum() < len(still)
    assert np.ptp(worlds.told[1][still], axis=0).max() == 0
    assert np.abs(worlds.told[1][~still] - worlds.told[1][still][0]).max() > 0.1


def test_torques_are_robosuites(said, worlds):
    torques = worlds.torques()
    most = np.array(PANDA.torque)
    free = np.abs(said["torques"]) < most
    assert free.mean() > 0.5
    assert torques == pytest.approx(said["torques"], abs=2e-4)


def test_the_tool_is_told_as_robosuites_sensors_do(said, worlds):
    position, quaternion = worlds.tool()
    assert position == pytest.approx(said["eef_pos"], abs=1e-6)
    angle = 2 * np.arccos(quaternion[:, 3:])
    told = quaternion[:, :3] / np.sqrt(1 - quaternion[:, 3:] ** 2) * angle
    assert told == pytest.approx(said["eef_axis_angle"], abs=2e-5)
    assert (angle > np.pi).any(), "a quaternion that is only told up to its sign would be another state"


def test_an_arm_at_its_goals_and_at_rest_is_held_by_gravitys_and_coriolis_torques_alone(said):
    model, q, qd = panda(said["base"]), said["q"][:1], [[0.0] * 7 + [0.05, -0.05]]
    data = mujoco.MjData(model)
    data.qpos[:], data.qvel[:] = q[0], qd[0]
    mujoco.mj_forward(model, data)
    arm = ArmWorlds(model, q, qd)
    arm.arm.rest, arm.rest = wp.array(q[0, :7], dtype=wp.float64), arm.q
    arm.aim(np.zeros((1, 6)))
    assert arm.torques()[0] == pytest.approx(data.qfrc_bias[:7], abs=1e-4)


@wp.kernel
def _solve(matrices: wp.array(dtype=Mat77), wanted: wp.array(dtype=Vec7), size: int, found: wp.array(dtype=Vec7)):
    row = wp.tid()
    found[row] = solve(factor(matrices[row], size), size, wanted[row])


def solved(matrix, wanted):
    size = len(wanted)
    whole, right = np.zeros((1, 7, 7)), np.zeros((1, 7))
    whole[0, :size, :size], right[0, :size] = matrix, wanted
    found = wp.zeros(1, dtype=Vec7)
    wp.launch(_solve, 1, [wp.array(whole, dtype=Mat77), wp.array(right, dtype=Vec7), size, found])
    assert (found.numpy()[0, size:] == 0).all()
    return found.numpy()[0, :size]


@pytest.mark.parametrize("size", [3, 6, 7])
@pytest.mark.parametrize("condition", [1e1, 1e6, 1e11])
def test_small_matrices_are_inverted_as_by_numpys_pinv_up_to_near_singularities(size, condition):
    draw = np.random.default_rng(size)
    turned = np.linalg.qr(draw.normal(size=(size, size)))[0]
    matrix = turned @ np.diag(np.geomspace(1, 1 / condition, size)) @ turned.T
    matrix = (matrix + matrix.T) / 2
    wanted = draw.normal(size=size)
    assert solved(matrix, wanted) == pytest.approx(np.linalg.pinv(matrix) @ wanted, rel=condition * 1e-14 + 1e-9)


def test_a_singular_matrix_moves_nothing_in_the_direction_that_it_lacks():
    assert solved(np.diag([2.0, 0.0, 4.0]), [2.0, 5.0, 4.0]) == pytest.approx([1.0, 0.0, 1.0])
    assert np.isfinite(solved(np.ones((6, 6)), np.arange(6.0))).all()


def test_a_stretched_arm_gets_finite_torques(said):
    straight = np.zeros((1, 9))
    worlds = ArmWorlds(panda(said["base"]), straight, straight)
    worlds.aim(np.full((1, 6), 0.05))
    torques = worlds.torques()
    assert np.isfinite(torques).all()
    assert (np.abs(torques) <= np.array(PANDA.torque) + 1e-6).all()


def test_fingers_go_a_hundredth_a_step_and_stay_at_zero():
    way, apart = array([1.0, -1.0, 0.0, 0.3]), array([0.995, 0.0, 0.25, -1.0])
    target, columns = wp.zeros((4, 9), dtype=wp.float32), wp.array([7, 8], dtype=wp.int32)
    wp.launch(move_fingers, 4, [way, 0.01, columns, array([0.04, -0.04]), apart, target])
    assert apart.numpy() == pytest.approx([1.0, -0.01, 0.25, -0.99], abs=1e-6)
    assert target.numpy()[:, 7] == pytest.approx([0.04, 0.0198, 0.025, 0.0002], abs=1e-6)
    assert target.numpy()[:, 8] == pytest.approx(-target.numpy()[:, 7])
    assert (target.numpy()[:, :7] == 0).all()


def test_an_arm_of_another_kind_is_refused_by_name():
    model = mujoco.MjModel.from_xml_string("<mujoco><worldbody><body name='a'/></worldbody></mujoco>")
    with pytest.raises(ValueError, match="'robot0_joint1' is to be one of the scene's names"):
        arm_model(model, COLUMNS)


def test_a_name_is_found_behind_the_path_that_newton_puts_before_it():
    names = ["_World_envs_env_0_robot0_base_joints_robot0_joint1", "_World_envs_env_0_other_joint1"]
    assert ending(names, "robot0_joint1") == names[0]
    with pytest.raises(ValueError, match="'joint1' is to be one"):
        ending(names, "joint1")
