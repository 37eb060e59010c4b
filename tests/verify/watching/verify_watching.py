"""The long proof that watching changes no row, and what it costs: `make verify-watching`, a quarter of an hour.

The lift on Newton, with an expert that fails where the cube lies at the right. Viewers are looked at while they show.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.processes import rows_of
from tests.verify.watching.costs import measure_apart, table
from tests.verify.watching.looking import looking_at

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[3]
MAY_DIFFER = ("env", "video")
SCENE = "viser" if find_spec("viser") else "page"
ALL = "recorder=[video,wandb,rerun,tensorboard,lerobot]"
RUN = (
    "server=expert",
    "task.expert._target_=tests.verify.watching.some_fail.OpenHandedAtTheRight",
    "horizons=chunked",
    "horizons.episode=90",
    "seed=5",
)
LEAST_SEEN = 4
"""Pictures that differ, of each viewer while episodes are played: the page has one a beat, eleven an episode."""
MOST_RERUN_MS = {1: 1.5, 4: 1.5, 16: 5.0}
MOST_UNWATCHED_MS = 0.5
"""Of a viewer that nobody looks at."""


@contextlib.contextmanager
def playing(folder, *overrides):
    """Yield a run in a process of its own, which has ended with the block."""
    command = [sys.executable, "-m", "runners.apps.play", *overrides]
    told = folder.with_name(f"{folder.name}_{time.monotonic_ns()}.log")
    with told.open("w") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
    process.told = told
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)


def finish(process):
    process.wait(1500)
    told = process.told.read_text()
    assert process.returncode == 0, told
    assert "left out" not in told, told


@contextlib.contextmanager
def looked_at(process, viewer):
    """Look at a run from when it says where; by the end of the block enough must have been seen."""
    while (address := re.search(r"Look at it: http://127\.0\.0\.1:(\d+)", process.told.read_text())) is None:
        assert process.poll() is None, process.told.read_text()
        time.sleep(0.1)
    with looking_at(viewer, int(address[1]), least=LEAST_SEEN) as looking:
        yield
    print(f"viewer={viewer}: {looking.pictures} pictures were seen")


def outcomes(folder):
    """Return what must not differ of each episode, by index."""
    return {row["index"]: {key: row[key] for key in row if key not in MAY_DIFFER} for row in rows_of(folder)}


@pytest.mark.parametrize("num_envs", [4, 16])
def test_rows_are_the_same_watched_or_not_and_killed_and_resumed(tmp_path, num_envs):
    settings = (*RUN, f"num_envs={num_envs}", f"episodes={2 * num_envs}")
    unwatched, watched, killed = (tmp_path / name for name in ("unwatched", "watched", "killed"))

    with playing(unwatched, *settings, f"hydra.run.dir={unwatched}", "recorder=[]") as process:
        finish(process)
    expected = outcomes(unwatched)
    assert len(expected) == 2 * num_envs
    assert {row["success"] for row in expected.values()} == {True, False}, "some succeed, some fail"

    watching = (f"viewer={SCENE}", "viewer.port=0", ALL)
    with playing(watched, *settings, f"hydra.run.dir={watched}", *watching) as process, looked_at(process, SCENE):
        finish(process)
    assert outcomes(watched) == expected

    watching = ("viewer=page", "viewer.port=0", ALL)
    with playing(killed, *settings, f"hydra.run.dir={killed}", *watching) as process, looked_at(process, "page"):
        deadline = time.monotonic() + 900
        while len(rows_of(killed)) < num_envs and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)
    before = len(rows_of(killed))
    assert 0 < before < 2 * num_envs, "it was killed in the middle"

    watching = (f"viewer={SCENE}", "viewer.port=0", "recorder=[video,rerun]")
    with playing(killed, f"resume={killed}", *watching) as process, looked_at(process, SCENE):
        finish(process)
    assert len(rows_of(killed)) == 2 * num_envs
    assert outcomes(killed) == expected

    succeeded = sum(row["success"] for row in expected.values())
    keys = len(next(iter(expected.values())))
    print(f"{num_envs} envs: {succeeded} of {len(expected)} succeed, three times the same {keys} keys of each row")
    print(f"{num_envs} envs: killed after {before} rows")


def test_cost_of_a_control_step():
    found = {num_envs: measure_apart(num_envs) for num_envs in (1, 4, 16)}
    print(table(found))
    for num_envs, figures in found.items():
        added = {name: of["step_ms"] - figures["none"]["step_ms"] for name, of in figures.items()}
        assert added["rerun"] < MOST_RERUN_MS[num_envs]
        for unwatched in {"page", "viser"} & set(figures):
            assert added[unwatched] < MOST_UNWATCHED_MS
