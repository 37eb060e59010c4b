"""Sweeps at length: one of the real lift that is killed in its middle, and what each of a hundred jobs costs."""

import itertools
import os
import signal
import subprocess
import time

import pytest

from runners.sweeps.folder import read_jobs
from tests.support.processes import (
    GROOT_PLAY,
    clean_environment,
    groot_play,
    policy_process,
    require_every_episode_once,
    rows_of,
)

__all__ = ["clean_environment", "groot_play", "policy_process"]  # fixtures

GROOT_REPORT = GROOT_PLAY.with_name("groot-report")
EPISODES = 4
LIFT = (
    "instruction=pick_up_the_cube,lift_the_red_block,empty",
    "seed=0,1",
    "server=expert",
    "num_envs=2",
    f"episodes={EPISODES}",
    "horizons=chunked",
    "recorder=[]",
    "sweep.name=lift",
    "hydra/launcher=joblib",
    "hydra.launcher.n_jobs=2",
)


@pytest.mark.simulator
def test_lift_in_three_wordings_and_two_starts_is_killed_in_its_middle_and_gone_on_with(tmp_path, clean_environment):
    command, sweep = [str(GROOT_PLAY), "-m", *LIFT], tmp_path / "outputs/sweeps/lift"
    begun = subprocess.Popen(command, cwd=tmp_path, start_new_session=True)
    while True:
        played = [len(rows_of(path.parent)) for path in sweep.glob("*/episodes.jsonl")]
        if sum(played) > 2 * EPISODES and any(0 < rows < EPISODES for rows in played):
            break
        assert begun.poll() is None
        time.sleep(0.1)
    os.killpg(begun.pid, signal.SIGKILL)
    begun.wait()
    folders = [sweep / job.name for job in read_jobs(sweep)]
    assert len(folders) == 6
    before = {folder: rows_of(folder) for folder in folders}
    print("\nKilled with so many rows a job:", [len(rows) for rows in before.values()])
    subprocess.run([GROOT_REPORT, sweep, "--output", tmp_path / "killed.html"], check=True)
    subprocess.run(command, cwd=tmp_path, check=True)
    for folder in folders:
        assert require_every_episode_once(folder, EPISODES)[: len(before[folder])] == before[folder]
    told = subprocess.run([GROOT_REPORT, sweep, "--output", tmp_path / "whole.html"], check=True, capture_output=True)
    print(told.stdout.decode())
    assert b"Sweep lift: 6 jobs: 6 done" in told.stdout
    begun_at = time.monotonic()
    told = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert told.stdout.count(b"is whole") == 6
    print(f"Whole, it took {time.monotonic() - begun_at:.1f} s")


@pytest.mark.parametrize("jobs", [100])
def test_each_of_many_jobs_costs_little_and_writes_into_its_own_folder(groot_play, policy_process, tmp_path, jobs):
    (port,) = policy_process("half_solved").ports.values()
    for what in ("played", "whole already"):
        process = groot_play("-m", f"server.port={port}", "recorder=[]", f"seed=range({jobs})", "sweep.name=toy")
        ends = [time.monotonic() for line in process.stdout if "ended with code 0" in line or "is whole" in line]
        assert process.wait() == 0, process.stderr.read()
        assert len(ends) == jobs
        gaps = sorted(later - sooner for sooner, later in itertools.pairwise(ends))
        print(f"\n{what}: a job takes {gaps[jobs // 2]:.2f} s (median), {gaps[-1]:.2f} s (longest)")
    sweep = tmp_path / "outputs/sweeps/toy"
    folders = {job.name for job in read_jobs(sweep)}
    assert {path.name for path in tmp_path.iterdir()} == {"outputs"}
    assert {path.name for path in sweep.iterdir()} == {"sweep.json", "multirun.yaml", *folders}
    assert len(folders) == jobs
    assert all(len(rows_of(sweep / name)) == 1 for name in folders)
