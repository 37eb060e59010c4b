"""DROID's table on Newton: what is held, what is seen, what joint targets mean, what success is."""

import json
import subprocess
import sys

import numpy as np
import pytest

from tasks.droid_table.expert.experts import DroidPoseExpert
from tasks.droid_table.expert.perception import find
from tasks.droid_table.geometry import EXTERIOR_CAMERA, PLACES, START_JOINTS, WRIST_CAMERA, finger_angle
from tasks.droid_table.things import THINGS
from tests.support.processes import ROOT

pytestmark = [pytest.mark.simulator, pytest.mark.timeout(280)]

KEYS = ("exterior_image_1_left", "wrist_image_left")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Facts and pictures of one run of the simulator."""
    path = tmp_path_factory.mktemp("droid_table") / "facts.json"
    command = [sys.executable, "-m", "tests.tasks.droid_table.simulate", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=270, check=False)
    assert path.exists(), done.stdout[-2000:] + done.stderr[-4000:]
    return json.loads(path.read_text()), dict(np.load(path.with_suffix(".npz")))


@pytest.fixture(scope="module")
def facts(run):
    return run[0]


@pytest.fixture(scope="module")
def pictures(run):
    return run[1]


@pytest.mark.parametrize("thing", ["cube", "cylinder", "thin_plate"])
def test_gripper_holds_for_five_seconds_against_two_newtons(facts, thing):
    assert facts["holding"]["slipped"][thing] < 0.004


def test_gripper_stops_where_the_linkages_closed_form_says_for_the_width(facts):
    expected = [finger_angle(width) for width in (0.05, 0.06, 0.008)]
    assert facts["holding"]["angles"] == pytest.approx(expected, abs=0.02)


def test_linkage_holds_within_a_degree_under_load(facts):
    assert np.degrees(facts["holding"]["linkage"]) < 0.1


def test_linkage_holds_within_a_degree_while_it_closes_on_something(facts):
    """After each control step; `make verify-droid` looks at every physics step."""
    assert np.degrees(facts["holding"]["closing"]) < 1.0


def test_start_has_droids_nine_numbers_and_joints_in_every_env(facts):
    """The flange points down, x forward: diag(1, -1, -1), of whose product with DROID's turn these are the rows."""
    for nine, joints in zip(facts["state"]["eef_9d"], facts["state"]["joint_position"], strict=True):
        assert nine == pytest.approx([0.3597, 0.0, 0.4899, 0, 0, -1, 1, 0, 0], abs=2e-3)
        assert joints == pytest.approx(START_JOINTS, abs=2e-3)
    assert np.ravel(facts["state"]["gripper_position"]) == pytest.approx(0.0, abs=1e-3)


def test_joint_positions_that_come_back_are_absolute_and_not_added_to_the_state(facts):
    """The state sent back keeps the arm where it is; were it added to the joints, the elbow would fly by 2.5 rad."""
    before, after = facts["state"]["joint_position"], facts["after"]["joint_position"]
    for env_id in (0, 2):
        assert after[env_id] == pytest.approx(before[env_id], abs=5e-3)
    assert after[1][0] - before[1][0] == pytest.approx(0.2, abs=0.02)
    assert np.ravel(facts["after"]["gripper_position"]) == pytest.approx(1.0, abs=0.02)


def test_a_joint_velocity_puts_the_target_a_fifth_of_a_radian_beyond_where_the_joint_is_and_the_fastest_is_one(facts):
    """The second control step goes on from where the joints are by then, not from the targets."""
    for beyond in np.array(facts["velocity"]["beyond"]):
        assert beyond[0] == pytest.approx([0.2, 0, 0, 0, 0, 0, 0], abs=1e-6)
        assert beyond[1] == pytest.approx([0.2, 0, 0, 0, 0, 0, -0.1], abs=1e-6)
        assert beyond[2] == pytest.approx(0.0, abs=1e-6)


def test_joints_come_about_half_as_far_as_their_target_in_a_control_step(facts):
    """So the expert plans, once they are in motion; standing still costs nothing."""
    beyond, moved = (np.array(facts["velocity"][name]) for name in ("beyond", "moved"))
    assert moved[1, 0, 0] / beyond[1, 0, 0] == pytest.approx(0.487, abs=0.1)
    assert np.abs(moved[:, 2]).max() < 1e-3


def test_pictures_are_of_now_and_of_fifteen_control_steps_ago(facts, pictures):
    for key in KEYS:
        assert pictures[key].shape == (3, 2, 180, 320, 3)
    assert facts["past"] == [True, True]
    assert facts["moved"] == [True, True], "the wrist camera moves with the arm, and the arm is seen from outside"


def test_a_seed_is_the_same_start_in_any_env_and_another_seed_another(facts):
    first, other, again = facts["digests"]
    assert first == again != other
    for name, places in facts["begun"].items():
        assert places[0] == places[2] != places[1], name


def test_things_stand_apart_at_places_of_their_own(facts):
    for env_id in range(2):
        places = np.array([begun[env_id][:2] for begun in facts["begun"].values()])
        off = np.abs(places[:, None] - np.array(PLACES)).max(axis=2)
        assert (off.min(axis=1) < 0.031).all()
        assert len(set(off.argmin(axis=1))) == len(places)


@pytest.mark.parametrize("name", ["red_mug", "blue_mug", "plate", "bowl"])
def test_things_are_found_where_they_stand(facts, pictures, name):
    expert = DroidPoseExpert()
    for env_id in range(2):
        true = np.array(facts["begun"][name][env_id][:2])
        mounted = WRIST_CAMERA.carried_by(expert._arm.pose(np.array(START_JOINTS)))
        sights = [
            find(pictures[KEYS[0]][env_id, 1], name, EXTERIOR_CAMERA),
            find(pictures[KEYS[1]][env_id, 1], name, mounted),
        ]
        clear = [sight for sight in sights if sight is not None and sight.share > 0.85]
        assert clear, name
        for sight in clear:
            assert np.linalg.norm(sight.position - true) < 0.008


def test_success_is_the_named_thing_lifted_put_down_and_let_go(facts):
    told = facts["success"]
    stages = ["reached", "grasped", "lifted", "above_target", "placed", "let_go"]
    assert not any(told["begun"][f"progress_{stage}"][0] for stage in stages)
    assert [told["carried"][f"progress_{stage}"][0] for stage in stages[:3]] == [True] * 3
    assert [told["placed"][f"progress_{stage}"][0] for stage in stages[3:]] == [True] * 3
    assert told["placed"]["distance_to_success"][0] == pytest.approx(0.0, abs=1e-6)
    assert told["success_after"] in range(6, 12), "0.4 s at 15 Hz, once the mug has settled"


def test_what_lies_on_its_side_is_where_its_middle_is(facts):
    """The plate's room is 6 cm: one mug's bottom is 7 cm off and its middle 3 cm, the other's 3 cm and 7 cm."""
    told = facts["success"]
    assert told["lying"]["progress_placed"][0]
    assert not told["lying_off"]["progress_placed"][0]


def test_another_thing_in_the_hand_is_told_and_reaches_nothing(facts):
    told = facts["success"]
    assert told["carried"]["event_wrong_object"] == [False, True]
    assert not told["carried"]["progress_reached"][1]
    assert told["other"] is False


def test_every_thing_fits_the_gripper_and_has_room_to_stand():
    for name, thing in THINGS.items():
        assert thing.is_target != (thing.grip > 0), name
        assert thing.width < 0.07, name
