"""The long proof that watching changes no row, and what it costs: `make verify-watching`, a quarter of an hour.

The lift on Newton, with an expert and episodes so short that some of them fail.
"""

import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[3]
MAY_DIFFER = ("env", "video", "attempt")
VIEWERS = ("viser", "page") if find_spec("viser") else ("page", "page")
ALL = "recorder=[video,wandb,rerun,tensorboard,lerobot]"
RUN = ("server=expert", "horizons=chunked", "horizons.episode=70", "seed=5", "viewer.port=0")
MOST_RERUN_MS = {1: 1.5, 4: 1.5, 16: 5.0}


def start(folder, *overrides):
    command = [sys.executable, "-m", "runners.apps.play", *overrides]
    command += [] if any(override.startswith("resume=") for override in overrides) else [f"hydra.run.dir={folder}"]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def finish(process):
    _, told = process.communicate(timeout=1500)
    assert process.returncode == 0, told
    assert "left out" not in told, told


def rows_of(folder):
    path = folder / "episodes.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def outcomes(folder):
    """Return what must not differ of each episode, by index."""
    return {row["index"]: {key: row[key] for key in row if key not in MAY_DIFFER} for row in rows_of(folder)}


@pytest.mark.parametrize("num_envs", [4, 16])
def test_rows_are_the_same_watched_or_not_and_killed_and_resumed(tmp_path, num_envs):
    settings = (*RUN, f"num_envs={num_envs}", f"episodes={2 * num_envs}")
    finish(start(tmp_path / "unwatched", *[s for s in settings if "port" not in s], "recorder=[]"))
    watched = tmp_path / "watched"
    process = start(watched, *settings, f"viewer={VIEWERS[0]}", ALL)
    deadline = time.monotonic() + 900
    while len(rows_of(watched)) < num_envs // 2 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    before = len(rows_of(watched))
    assert 0 < before < 2 * num_envs, "it was killed in the middle"
    finish(start(watched, f"resume={watched}", f"viewer={VIEWERS[1]}", "recorder=[video,rerun]"))
    expected = outcomes(tmp_path / "unwatched")
    assert len(expected) == 2 * num_envs
    assert {row["success"] for row in expected.values()} == {True, False}, "some succeed, some fail"
    assert outcomes(watched) == expected
    succeeded = sum(row["success"] for row in expected.values())
    print(f"{num_envs} envs: {succeeded} of {len(expected)} succeed, the same rows; killed after {before}")


@pytest.mark.parametrize("num_envs", [1, 4, 16])
def test_cost_of_a_control_step(tmp_path, num_envs):
    out = tmp_path / "costs.json"
    command = [sys.executable, "-m", "tests.verify.watching.costs", str(num_envs), str(out)]
    subprocess.run(command, check=True, timeout=1500, cwd=ROOT)
    found = json.loads(out.read_text())
    for name, figures in found.items():
        print(f"{num_envs} envs, {name}: {figures['mean_ms']} ms a control step, {figures['end_ms']} ms at both ends")
    assert found["rerun"]["mean_ms"] - found["none"]["mean_ms"] < MOST_RERUN_MS[num_envs]
    for unwatched in {"page", "viser"} & set(found):
        assert found[unwatched]["mean_ms"] - found["none"]["mean_ms"] < 0.5, "while nobody looks"
