"""The lift under ``embodiment=libero_panda`` on Newton: what a number does to the hand, and a lift from pixels."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

pytestmark = [pytest.mark.simulator, pytest.mark.timeout(280)]

ROBOSUITE_M_S, ROBOSUITE_RAD_S = 0.257, 2.57
"""Speeds that its OSC_POSE reaches under changes of 0.05 m and 0.5 rad, 20 a second: kp 150, damped critically."""


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    path = tmp_path_factory.mktemp("libero") / "facts.json"
    command = [sys.executable, "-m", "tests.tasks.lift_cube_franka.simulate_libero", str(path)]
    run = subprocess.run(
        command, cwd=Path(__file__).parents[3], capture_output=True, text=True, timeout=270, check=False
    )
    assert path.exists(), run.stdout[-2000:] + run.stderr[-4000:]
    told = json.loads(path.read_text())
    print(f"\nwhole run {told['total_s']:.1f} s")
    return told


def change(facts, name):
    before, after = map(np.array, facts["pushed"][name])
    turn = Rotation.from_rotvec(after[3:6]) * Rotation.from_rotvec(before[3:6]).inv()
    return after[:3] - before[:3], turn.as_rotvec()


def test_steps_and_pictures_are_those_of_libero(facts):
    assert facts["step_s"] == pytest.approx(1 / 20)
    assert facts["picture_shapes"] == {"image": [2, 1, 256, 256, 3], "wrist_image": [2, 1, 256, 256, 3]}


def test_states_begin_with_the_point_between_the_finger_tips(facts):
    before, _ = facts["pushed"]["x"]
    assert before[:3] == pytest.approx([0.42, 0.0, 0.28], abs=1e-3)
    assert before[3:6] == pytest.approx([np.pi, 0.0, 0.0], abs=1e-3), "the hand points down"
    assert before[6:] == pytest.approx([0.04, -0.04], abs=1e-4)
    assert facts["pushed"]["closed"][1][:3] == pytest.approx(facts["kinematics"], abs=1e-3)


@pytest.mark.parametrize(("name", "axis", "sign"), [("x", 0, 1), ("z", 2, -1)])
def test_a_full_change_moves_the_hand_as_fast_as_robosuites(facts, name, axis, sign):
    moved, turned = change(facts, name)
    assert sign * moved[axis] == pytest.approx(8 / 20 * ROBOSUITE_M_S, rel=0.1)
    assert np.abs(np.delete(moved, axis)).max() < 0.01
    assert np.abs(turned).max() < 0.03


def test_a_full_turn_turns_the_hand_about_the_bases_axis_and_the_point_between_the_finger_tips(facts):
    moved, turned = change(facts, "yaw")
    assert turned[2] == pytest.approx(8 / 20 * ROBOSUITE_RAD_S, rel=0.1)
    assert np.abs(turned[:2]).max() < 0.03
    assert np.abs(moved).max() < 0.005


def test_0_closes_the_gripper_and_1_opens_it(facts):
    assert np.abs(facts["pushed"]["closed"][1][6:]).max() < 0.02
    assert np.abs(facts["pushed"]["z"][1][6:]).min() > 0.039, "0.9 is above the threshold"


def test_without_a_change_the_hand_stays_where_it_is(facts):
    moved, turned = change(facts, "closed")
    assert np.abs(moved).max() < 1e-3
    assert np.abs(turned).max() < 1e-3


def test_the_expert_lifts_the_cube_in_every_env(facts):
    assert all(facts["lifted"]), facts["lifted"]
    assert max(facts["lifted"]) <= 90
