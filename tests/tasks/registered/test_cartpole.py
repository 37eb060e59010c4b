"""Tasks that IsaacLab registers, of both workflows, played by YAML alone, with their real asset and real pictures."""

import json
import os
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from tests.tasks.registered.cartpole_asset import write_asset_root

ROOT = Path(__file__).parents[3]
GROOT_PLAY = Path(sys.executable).with_name("groot-play")
RAIL = 46
"""Row of the rail's upper edge; an upright pole reaches 19 rows above it."""


@pytest.fixture(scope="session")
def asset_root(tmp_path_factory):
    return write_asset_root(tmp_path_factory.mktemp("assets"))


def play(asset_root, folder, *overrides):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "ISAACSIM_ASSET_ROOT": str(asset_root)}
    conf = Path(__file__).with_name("conf")
    run = subprocess.run(
        [GROOT_PLAY, "--config-dir", conf, "server=expert", "recorder=[video]", f"hydra.run.dir={folder}", *overrides],
        cwd=folder.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert run.returncode == 0, run.stderr
    return [json.loads(line) for line in (folder / "episodes.jsonl").read_text().splitlines()]


def heights(video):
    """Return by how many rows the pole stands above the rail in each frame of a video."""
    with av.open(str(video)) as container:
        frames = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    assert frames[0].shape == (96, 96)
    return np.array([RAIL - np.argwhere(frame[:RAIL] < 128)[:, 0].min(initial=RAIL) for frame in frames])


@pytest.mark.simulator
@pytest.mark.parametrize(("task", "reset_mode"), [("cartpole_direct", "per_batch"), ("cartpole_manager", "per_env")])
def test_policy_that_sees_pixels_alone_keeps_the_pole_up(task, reset_mode, asset_root, tmp_path):
    folder = tmp_path / "run"
    # Three episodes in two envs: the third begins when the direct env's batch has ended.
    rows = play(asset_root, folder, f"task={task}", "num_envs=2", "episodes=3", "horizons.episode=150")
    assert [row["ended"] for row in rows] == ["time_out"] * 3, "the cart left the rail"
    assert {row["success"] for row in rows} == {None}, "the task has no success term"
    assert json.loads((folder / "manifest.json").read_text())["reset_mode"] == reset_mode
    for row in rows:
        seen = heights(folder / row["video"])
        assert len(seen) == 150, "a picture for each step that the episode lasted"
        # Left alone, a pole that starts within 0.39 rad of upright lies below the rail after a second of these two.
        assert seen.min() > 13, "it leaned by more than 45 degrees"
        assert seen[75:].mean() > 17, "it was not kept upright"
