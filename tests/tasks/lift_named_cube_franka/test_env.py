"""The real lift of a named cube: where both start, that the instruction decides what success is, and who listens."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tasks.lift_named_cube_franka.geometry import CUBE_STARTS

pytestmark = [pytest.mark.simulator, pytest.mark.timeout(280)]


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    """What happened in a process of the simulator."""
    path = tmp_path_factory.mktemp("lift_named_cube") / "facts.json"
    command = [sys.executable, "-m", "tests.tasks.lift_named_cube_franka.simulate", str(path)]
    root = Path(__file__).parents[3]
    run = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=270, check=False)
    assert path.exists(), run.stdout[-2000:] + run.stderr[-4000:]
    return json.loads(path.read_text())


def test_cubes_start_apart_in_reach_each_on_either_side(facts):
    red, blue = (np.array([start[colour]["placed"] for start in facts["starts"]]) for colour in ("red", "blue"))
    for placed in (red, blue):
        x, y, z = placed[:, :3].T
        assert ((x >= CUBE_STARTS["x"][0] - 1e-6) & (x <= CUBE_STARTS["x"][1] + 1e-6)).all()
        assert ((abs(y) >= CUBE_STARTS["y"][0] - 1e-6) & (abs(y) <= CUBE_STARTS["y"][1] + 1e-6)).all()
        assert z == pytest.approx(0.025, abs=1e-4)
        assert 0.05 < np.ptp(Rotation.from_quat(placed[:, 3:]).as_euler("xyz")[:, 2]) < np.radians(61)
        assert len(np.unique(placed.round(4), axis=0)) == len(placed)
    assert (red[:, 1] * blue[:, 1] < 0).all(), "one on each side"
    assert 4 <= (red[:, 1] > 0).sum() <= 16, "of 20: the side says nothing of the colour"
    assert np.linalg.norm(red[:, :2] - blue[:, :2], axis=1).min() > 0.12


def test_both_cubes_are_seen_where_they_are(facts):
    for start in facts["starts"]:
        for colour in ("red", "blue"):
            assert start[colour]["seen"] is not None, (colour, start)
            assert start[colour]["seen"] == pytest.approx(start[colour]["placed"][:3], abs=0.008), colour


def test_start_comes_from_the_seed_and_not_from_the_instruction(facts):
    first, *others = facts["same_seed"]
    assert others == [first, first]


@pytest.mark.parametrize(("colour", "named"), [("red", 0), ("blue", 1)])
def test_named_cube_lifted_is_success_and_another_ends_the_episode_without(facts, colour, named):
    said = facts["by_hand"][colour]
    assert said[named] == [15, True, False]
    assert said[1 - named] == [15, False, True]


@pytest.mark.parametrize("colour", ["red", "blue"])
def test_nothing_succeeds_where_no_cube_or_both_are_named(facts, colour):
    assert facts["by_hand"][colour][2:] == [[15, False, True]] * 2


def test_env_that_is_told_nothing_says_so(facts):
    assert "wrap it by Gr00tObservationWrapper" in facts["untold"]


def test_expert_takes_the_cube_that_it_is_told_to(facts):
    assert facts["reads"]["ended"] == [[True, True]] * 4
    for stages in zip(*(facts["reads"][name] for name in ("reached", "grasped", "lifted")), strict=True):
        assert 0 < stages[0] < stages[1] < stages[2]
    assert facts["reads"]["wrong_object"] == facts["reads"]["dropped"] == [0] * 4


def test_policy_that_ignores_language_shows_up_as_such(facts):
    red, blue = [True, True], [False, True]
    assert facts["deaf"]["ended"] == [red, blue] * 2
    assert [bool(step) for step in facts["deaf"]["wrong_object"]] == [False, True] * 2
    assert [bool(step) for step in facts["deaf"]["lifted"]] == [True, False] * 2


def test_policy_that_takes_the_other_cube_reaches_nothing_and_its_event_says_why(facts):
    contrary = facts["contrary"]
    assert contrary["ended"] == [[False, True]] * 3 + [[False, False]]
    assert all(contrary["wrong_object"][:3])
    assert contrary["reached"] == contrary["lifted"] == [0] * 4


def test_instruction_that_names_no_cube_leaves_no_distance(facts):
    left = facts["way_left"]
    assert np.isnan(left[3])
    assert np.isfinite(left[:3]).all()
