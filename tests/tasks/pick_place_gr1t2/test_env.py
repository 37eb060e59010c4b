"""The real environment: starts, joints, pixels, what counts as success, and a neighbour that breaks."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tasks.pick_place_gr1t2 import geometry

pytestmark = [pytest.mark.simulator, pytest.mark.timeout(280)]


def simulate(num_envs, folder):
    path = folder / f"{num_envs}.json"
    command = [sys.executable, "-m", "tests.tasks.pick_place_gr1t2.simulate", str(num_envs), str(path)]
    run = subprocess.run(
        command, cwd=Path(__file__).parents[3], capture_output=True, text=True, timeout=270, check=False
    )
    assert path.exists(), run.stdout[-2000:] + run.stderr[-4000:]
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    """What happened in a run of the simulator with two envs."""
    return simulate(2, tmp_path_factory.mktemp("pick_place"))


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """What happened in a run with one."""
    return simulate(1, tmp_path_factory.mktemp("pick_place_alone"))


def test_action_has_29_columns_and_the_followers_none(facts):
    assert facts["action_dim"] == 29


def test_start_depends_on_the_seed_alone(facts):
    first, second = facts["same_seed"]
    assert first == second
    third, fourth = facts["other_seeds"]
    assert third != fourth
    for position in (first, third, fourth):
        aside = np.abs(np.subtract(position, geometry.WHEEL_START))
        assert (aside[:2] <= 0.05).all()
        assert aside[2] < 0.001


def test_head_camera_sees_wheel_and_zone_and_moves_with_the_waist(facts):
    assert facts["video"] == [2, 1, 256, 256, 3]
    first, second = np.load(facts["picture"])[:, 0].astype(int)
    assert (first == second).all(), "one start, one picture"
    red, green, blue = first[..., 0], first[..., 1], first[..., 2]
    assert ((red > 2 * green) & (red > 2 * blue)).sum() > 100
    assert (blue > 1.5 * red).sum() > 1500
    assert facts["head_turned"] > 5


def test_outer_finger_joints_follow(facts):
    for follower, (position, leader) in facts["followers"].items():
        assert position == pytest.approx(leader, abs=0.05), follower
    assert facts["right_hand"] == pytest.approx([0.6] * 6, abs=0.05)


def test_waist_goes_where_it_is_told(facts):
    assert facts["waist"] == pytest.approx([0.2, 0, 0], abs=0.02)


def test_wheel_succeeds_after_half_a_second_in_the_zone_only_if_it_was_lifted(facts):
    assert facts["success"] == [[False, False], [True, False], [False, False]]
    assert 9 <= facts["steps"][0][0] + facts["steps"][1][0] <= 11


def test_broken_env_ends_in_an_error_and_its_neighbour_goes_on(facts):
    error, neighbour = facts["errors"]
    assert "diverged" in error
    assert neighbour is None
    assert facts["parked"] == [True, False]
    assert facts["neighbour"]


def test_broken_env_is_whole_again_after_its_reset(facts):
    assert facts["errors_after_reset"] == [None, None]
    assert facts["wheels_after_reset"][0] == pytest.approx(facts["other_seeds"][0], abs=0.005)


def test_an_episode_is_the_same_for_any_number_of_envs(facts, alone):
    """Bit for bit, through contacts of hand, table and wheel."""
    assert facts["bumps"]["first"]["7"] == alone["bumps"]["first"]["7"]
    assert facts["bumps"]["swapped"]["8"] == alone["bumps"]["swapped"]["8"]
    assert facts["bumps"]["first"]["7"]["pushed"] > 0.01, "hand and wheel have touched"


def test_an_episode_is_the_same_in_any_env_and_after_any_other(facts):
    assert facts["bumps"]["first"] == facts["bumps"]["again"]
    first, swapped = facts["bumps"]["first"], facts["bumps"]["swapped"]
    assert [first[seed] for seed in "78"] == [swapped[seed] for seed in "78"]
    assert first["7"] != first["8"]


def test_fingers_that_are_knocked_against_their_limits_are_not_thrown_back(facts):
    """With limits too hard for the physics step they reach hundreds of rad/s, then the simulation breaks."""
    assert facts["bumps"]["first"]["fastest"] < 20


def test_stages_tell_where_the_wheel_and_the_hands_are(facts):
    up, placed, in_hand, beside = (facts[name] for name in ("up", "placed", "in_hand", "beside"))
    assert (up["progress_above_zone"], up["progress_placed"]) == ([True, False], [False, True])
    assert placed["progress_placed"] == placed["progress_let_go"] == [True, True]
    assert placed["distance_to_success"] == [0, 0]
    assert in_hand["progress_reached"] == in_hand["progress_grasped"] == [True, True]
    assert in_hand["event_dropped"] == [False, False]
    assert beside["progress_grasped"] == [False, False]
    assert beside["event_dropped"] == [True, True]
    assert all(0.2 < left < 0.6 for left in beside["distance_to_success"])
