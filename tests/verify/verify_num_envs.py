"""An episode of the lift is the same for any number of envs, state by state: part of `make verify-lift`."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.verify.support.trajectories import EPISODES

NUM_ENVS = (1, 4, 16)
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """What each number of envs gave, a process each."""
    folder, found = tmp_path_factory.mktemp("trajectories"), {}
    for num_envs in NUM_ENVS:
        path = folder / f"{num_envs}.npz"
        command = [sys.executable, "-m", "tests.verify.support.trajectories", str(num_envs), str(path)]
        subprocess.run(command, check=True, timeout=3600, cwd=Path(__file__).parents[2])
        found[num_envs] = dict(np.load(path))
    return found


@pytest.mark.parametrize("num_envs", NUM_ENVS[1:])
def test_every_episode_starts_moves_and_ends_alike(runs, num_envs):
    alone, among = runs[1], runs[num_envs]
    assert sorted(alone) == sorted(among)
    assert (alone["successes"] == among["successes"]).all()
    apart = []
    for index in map(str, range(EPISODES)):
        assert alone[index].shape == among[index].shape
        assert (alone[index][0] == among[index][0]).all(), "the start"
        apart.append(float(np.abs(alone[index] - among[index]).max()))
    print(
        f"{num_envs} envs beside 1: {alone['successes'].sum()} of {EPISODES} succeed in both; in "
        f"{sum(len(alone[str(index)]) for index in range(EPISODES))} states the largest difference is {max(apart):g}"
    )
    assert max(apart) <= TOLERANCE
