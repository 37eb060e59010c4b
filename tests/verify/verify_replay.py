"""The recorded lift played again: `make verify-replay`, some minutes on two cores.

DATASET names a data set of the lift's expert with 20 successful episodes or more; without it, 20 are recorded.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from runners.datasets.metadata import read_episodes

EPISODES = 20
ELSEWHERE_STEPS = 250
"""Control steps for an episode that should fail; the recorded ones have about 110."""

BIN = Path(sys.executable).parent


def play(folder: Path, *overrides: str) -> list[dict]:
    """Run groot-play to its end, print its figures, and return its rows."""
    settings = ["horizons=chunked", f"episodes={EPISODES}", f"hydra.run.dir={folder}", *overrides]
    subprocess.run([BIN / "groot-play", *settings], check=True, timeout=7200)
    summary = json.loads((folder / "summary.json").read_text())
    print(
        f"{' '.join(overrides)}: {summary['successes']}/{summary['episodes']}, {summary['env_steps']} steps, "
        f"{summary['wall_s']:.0f} s"
    )
    return [json.loads(line) for line in (folder / "episodes.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    if "DATASET" in os.environ:
        return Path(os.environ["DATASET"])
    folder = tmp_path_factory.mktemp("recording") / "run"
    play(folder, "server=expert", "num_envs=4", "recorder=[lerobot]")
    return folder / "dataset"


def test_recorded_episodes_lift_the_cube_again_from_their_own_seeds(dataset, tmp_path):
    recorded = read_episodes(dataset)[:EPISODES]
    rows = play(tmp_path / "run", "server=replay", f"dataset={dataset}", "recorder=[]")
    assert [row["seed"] for row in rows] == [episode.seed for episode in recorded]
    assert [(row["success"], row["steps"]) for row in rows] == [(True, episode.length) for episode in recorded]


def test_recorded_episodes_do_not_lift_the_cube_from_other_seeds(dataset, tmp_path):
    serve = [BIN / "groot-serve", "policy=replay", f"dataset={dataset}", "policy.language=task", "port=0"]
    server = subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        port = next(found[1] for line in server.stdout if (found := re.search(r"tcp://127\.0\.0\.1:(\d+)", line)))
        overrides = [f"server.port={port}", "server.reset=per_episode", "seed=1", f"horizons.episode={ELSEWHERE_STEPS}"]
        rows = play(tmp_path / "run", *overrides, "recorder=[]")
    finally:
        server.terminate()
        server.wait(10)
    own = {episode.seed for episode in read_episodes(dataset)}
    assert not own & {row["seed"] for row in rows}
    assert sum(row["success"] for row in rows) <= 2
