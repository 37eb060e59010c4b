"""The lift on Newton with absolute and relative poses of the hand as actions, written as DROID's nine numbers."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

pytestmark = [pytest.mark.simulator, pytest.mark.timeout(280)]

POINTING_DOWN = [0, 0, -1, 1, 0, 0]
"""The first two rows of diag(1, -1, -1) times DROID's turn."""


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    path = tmp_path_factory.mktemp("hand_pose") / "facts.json"
    command = [sys.executable, "-m", "tests.tasks.lift_cube_franka.simulate_hand_pose", str(path)]
    run = subprocess.run(
        command, cwd=Path(__file__).parents[3], capture_output=True, text=True, timeout=270, check=False
    )
    assert path.exists(), run.stdout[-2000:] + run.stderr[-4000:]
    return json.loads(path.read_text())


def homogeneous(nine):
    rows = np.array(nine[3:]).reshape(2, 3)
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = np.stack([*rows, np.cross(*rows)]), nine[:3]
    return pose


def test_a_hand_that_points_down_has_droids_nine_numbers_in_every_env_and_frame(facts):
    before = facts["absolute"]["before"]
    for frame in ("eef_9d", "world", "link0"):
        assert np.array(before[frame]) == pytest.approx(np.array([[0.42, 0.0, 0.383, *POINTING_DOWN]] * 2), abs=2e-3)
    assert np.array(before["tool"]) == pytest.approx(np.array([[0.42, 0.0, 0.28, 1, 0, 0, 0]] * 2), abs=2e-3)


@pytest.mark.parametrize(("target", "state"), [("absolute", "eef_9d"), ("world", "world")])
def test_the_hand_goes_to_the_pose_that_is_asked_for(facts, target, state):
    told = facts[target]
    np.testing.assert_allclose(told["still"], told["before"][state], atol=1e-3)
    np.testing.assert_allclose(told["after"][state], told["asked"], atol=3e-3)


def test_a_relative_pose_is_composed_with_the_pose_of_before(facts):
    told = facts["relative"]
    np.testing.assert_allclose(told["still"], [[0, 0, 0, 1, 0, 0, 0, 1, 0]] * 2, atol=1e-4)
    for before, asked, after in zip(told["before"]["eef_9d"], told["asked"], told["after"]["eef_9d"], strict=True):
        expected, got = homogeneous(before) @ homogeneous(asked), homogeneous(after)
        np.testing.assert_allclose(got[:3, 3], expected[:3, 3], atol=3e-3)
        assert Rotation.from_matrix(got[:3, :3].T @ expected[:3, :3]).magnitude() < 0.01
