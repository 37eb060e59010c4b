"""The long proof that kills cost no episode: groot-play and its server killed at random moments, about ten minutes.

Real processes, sockets and files around the toy env, whose episodes are short, so that kills fall into every part of a
run: imports, the server's start, requests, rows that are being written, the end.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.support.processes import (
    ROOT,
    clean_environment,
    finish,
    free_port,
    groot_play,
    require_every_attempt_kept,
    require_every_episode_once,
    require_every_episode_recorded_once,
    rows_of,
    wait_for_rows,
)

__all__ = ["clean_environment", "groot_play"]  # fixtures

KILLS, EPISODES = 20, 300
POLICY = "tests.support.servers.policy_servers.Reaching"  # half of its episodes last until their time is up
RUN = ("task.id=Toy-Slow-v0", "num_envs=4", f"episodes={EPISODES}", "horizons.episode=60", "hydra.run.dir=run")
RUN += ("recorder=[video,wandb,lerobot]",)


@pytest.fixture
def serve(clean_environment):
    """Start groot-serve on a port, in a process of its own."""
    started = []

    def start(port):
        command = [
            Path(sys.executable).with_name("groot-serve"),
            "--config-dir",
            ROOT / "tests/support/toys/conf",
            "policy=toy",
        ]
        command += [f"policy._target_={POLICY}", f"port={port}"]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(10)


def test_runner_is_killed_at_random_moments(groot_play, tmp_path):
    chance, folder = np.random.default_rng(1), tmp_path / "run"
    for kill in range(KILLS):
        begun = (folder / "manifest.json").exists()
        process = groot_play(*(["resume=run"] if begun else ["server=expert", f"task.expert._target_={POLICY}", *RUN]))
        if kill % 2:  # while episodes end; else somewhere in the start
            wait_for_rows(folder, len(rows_of(folder)) + 1, process)
        time.sleep(chance.uniform(0.5, 6))
        ended_first = process.poll() is not None
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        rows = rows_of(folder)
        print(f"kill {kill + 1}: {len(rows)} rows", flush=True)
        assert not ended_first or len({row["index"] for row in rows}) == EPISODES, process.stderr.read()
    code, out, err = finish(groot_play("resume=run"), timeout=600)
    assert code == 0, out + err
    rows = require_every_episode_once(folder, EPISODES)
    require_every_episode_recorded_once(folder, rows)
    require_every_attempt_kept(folder, rows)
    print(f"{KILLS} kills of the runner: {len(rows)} rows, every one of {EPISODES} episodes once, recorded once")


def test_server_is_killed_at_random_moments(groot_play, serve, tmp_path):
    chance, folder = np.random.default_rng(2), tmp_path / "run"
    port = free_port()
    server = serve(port)
    process = groot_play(f"server.port={port}", "server.connect_timeout_s=60", "retries=50", *RUN)
    kills = 0
    while process.poll() is None and kills < KILLS:
        # The first kills may fall before the first request.
        time.sleep(chance.uniform(0.2, 1.5) if rows_of(folder) else 3)
        if process.poll() is None and rows_of(folder):
            server.kill()
            server.wait(10)
            kills += 1
            time.sleep(chance.uniform(0, 0.5))
            server = serve(port)
            print(f"kill {kills}: {len(rows_of(folder))} rows", flush=True)
            time.sleep(4)  # until it answers again, and some episodes end
    code, out, err = finish(process, timeout=300)
    assert code == 0, out + err
    assert kills == KILLS, "the plan was too short for so many kills"
    rows = require_every_episode_once(folder, EPISODES)
    require_every_episode_recorded_once(folder, rows)
    require_every_attempt_kept(folder, rows)
    errors = sum(row["ended"] == "error" for row in rows)
    print(f"{kills} kills of the server: {errors} attempts cut off, every one of {EPISODES} episodes once")
