"""Runs that are cut off go on: what the file keeps, what is played again, and what is refused as another run."""

import json
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from groot_wrappers.errors import ContractError
from runners.again.kept_episodes import kept_episode, write_kept
from runners.episodes.episode_log import EpisodeLog
from runners.run_folder.resume import EarlierStart
from tests.support.dataset_reader import read_listed
from tests.support.processes import (
    finish,
    require_every_attempt_kept,
    require_every_episode_once,
    require_every_episode_recorded_once,
    rows_of,
    wait_for_rows,
    wait_until_group_is_empty,
)
from tests.support.samples.rows import make_row
from tests.support.wandb_reader import read_offline_run

SLOW = ("task.id=Toy-Slow-v0", "num_envs=2", "horizons.episode=20", "hydra.run.dir=run")


def test_log_goes_on_after_a_kill_at_any_byte(tmp_path):
    whole = tmp_path / "whole.jsonl"
    with EpisodeLog(whole) as log:
        for index in range(3):
            log.append(make_row(index, instruction="lift ü"))
    written = whole.read_bytes()
    for length in range(len(written) + 1):
        path = tmp_path / "episodes.jsonl"
        path.write_bytes(written[:length])
        with EpisodeLog(path) as log:
            kept = written[:length].count(b"\n")
            assert [row.index for row in log.rows] == list(range(kept))
            log.append(make_row(7))
        lines = path.read_bytes().splitlines()
        assert [json.loads(line)["index"] for line in lines] == [*range(kept), 7]


def manifest(folder, **changes):
    folder.mkdir(exist_ok=True)
    content = {
        "command": ["groot-play", "--config-dir", "my_conf", "task=mine", "seed=3"],
        "overrides": ["task=mine", "seed=3", "+task.env.scene.ground=null"],
        "reset_mode": "per_env",
        "created": "2026-11-25T01:28:34+00:00",
        "revision": None,
        "wandb_id": "0000abcd",
        "modality": {},
        "config": {
            "episodes": 8,
            "num_envs": 2,
            "seed": 3,
            "server": {"port": 1, "timeout_s": 60},
            "task": {"id": "A"},
        },
    }
    (folder / "manifest.json").write_text(json.dumps(content | changes))
    return EarlierStart.read(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"num_envs": 16},
        {"episodes": 9},
        {"server": {"port": 2, "timeout_s": 5, "endpoints": ["h:1"]}},
        {"resume": "run"},
    ],
)
def test_what_changes_no_episode_may_differ(tmp_path, change):
    earlier = manifest(tmp_path / "run")
    earlier.require_same(earlier.manifest.config | change, {})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"seed": 4}, "seed: 3 then, 4 now"),
        ({"task": {"id": "B"}}, "task.id: 'A' then, 'B' now"),
        ({"episodes": 4}, "episodes: 8 then, 4 now; they may only become more"),
        ({"horizons": {"execution": 8}}, "horizons.execution: None then, 8 now"),
    ],
)
def test_another_run_is_refused_with_the_difference(tmp_path, change, told):
    earlier = manifest(tmp_path / "run")
    with pytest.raises(ContractError) as error:
        earlier.require_same(earlier.manifest.config | change, {})
    assert told in str(error.value)
    assert "It was started by: groot-play --config-dir my_conf task=mine seed=3" in str(error.value)


def test_another_policy_is_another_run(tmp_path):
    played = {"checkpoint": "a", "revision": 3}
    earlier = manifest(tmp_path / "run", policy=played)
    earlier.require_same(earlier.manifest.config, {}, played)
    for now, told in (
        ({"checkpoint": "b", "revision": 3}, "policy of the server.checkpoint: 'a' then, 'b' now"),
        ({"checkpoint": "a", "revision": 3, "compiled": True}, "policy of the server.compiled: None then, True now"),
        ({}, "policy of the server.checkpoint: 'a' then, None now"),
    ):
        with pytest.raises(ContractError, match=told):
            earlier.require_same(earlier.manifest.config, {}, now)
    untold = manifest(tmp_path / "untold")
    untold.require_same(untold.manifest.config, {}, played)


def test_number_of_envs_is_part_of_a_run_whose_envs_begin_together(tmp_path):
    earlier = manifest(tmp_path / "run", reset_mode="per_batch")
    with pytest.raises(ContractError, match="num_envs: 2 then, 4 now"):
        earlier.require_same(earlier.manifest.config | {"num_envs": 4}, {})


@pytest.mark.isaaclab
def test_killed_run_goes_on_where_it_was_into_the_same_wandb_run_and_data_set(groot_play, tmp_path):
    folder, chance = tmp_path / "run", np.random.default_rng(0)
    process = groot_play(
        "server=expert",
        "task.expert._target_=tests.support.servers.policy_servers.Reaching",
        "episodes=8",
        "recorder=[video,wandb,lerobot]",
        *SLOW,
    )
    wait_for_rows(folder, 1, process)
    time.sleep(chance.uniform(0, 0.5))
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)
    kept = {episode.row["plan_index"] for episode in read_listed(folder / "dataset")}
    assert kept >= {row["index"] for row in rows_of(folder)}, "a kill takes no finished episode away"
    require_every_attempt_kept(folder, rows_of(folder))
    write_kept(folder, replace(kept_episode(folder, rows_of(folder)[0]["index"]), attempt=9))  # a kill before its row
    with (folder / "episodes.jsonl").open("ab") as log:
        log.write(b'{"index": 7, "seed"')  # what a kill in the middle of a row leaves
    # Nothing but the folder is said, and the number of envs changes.
    process = groot_play("resume=run", "num_envs=3")
    code, out, err = finish(process)
    assert code == 0, err
    rows = require_every_episode_once(folder, 8)
    require_every_episode_recorded_once(folder, rows)
    require_every_attempt_kept(folder, rows)
    assert kept_episode(folder, rows[0]["index"], attempt=9) is None
    assert not (folder / "actions").exists(), "all is in one file"
    assert "Going on after" in out
    manifest = json.loads((folder / "manifest.json").read_text())
    assert len(manifest["earlier_starts"]) == 1
    runs = sorted(folder.glob("wandb/offline-run-*/*.wandb"))
    assert len(runs) == 2
    assert {path.stem for path in runs} == {f"run-{manifest['wandb_id']}"}
    logged = read_offline_run(max(runs, key=lambda path: path.stat().st_mtime))
    assert len([entry for entry in logged.history if "episode/index" in entry]) <= len(rows)
    # The same folder is not played into by another run, nor by a changed one.
    code, _, err = finish(groot_play("server=expert", *SLOW))
    assert (code, "holds a run already" in err) == (1, True)
    code, _, err = finish(groot_play("resume=run", "seed=5"))
    assert (code, "seed: 0 then, 5 now" in err) == (1, True)


@pytest.mark.isaaclab
def test_killed_server_is_started_again_and_costs_no_episode(groot_play, tmp_path):
    folder = tmp_path / "run"
    process = groot_play(
        "server=expert",
        "task.expert._target_=tests.support.servers.policy_servers.Reaching",
        "episodes=8",
        "recorder=[video]",
        *SLOW,
    )
    wait_for_rows(folder, 1, process)
    (server,) = embedded_servers(process.pid)
    os.kill(server, signal.SIGKILL)
    code, out, err = finish(process)
    assert code == 0, err
    rows = require_every_episode_once(folder, 8)
    require_every_attempt_kept(folder, rows)
    errors = [row for row in rows if row["ended"] == "error"]
    assert 1 <= len(errors) <= 2
    for row in errors:
        (again,) = [r for r in rows if r["index"] == row["index"] and r["attempt"] == 1]
        assert again["video"] == f"videos/episode_{row['index']:06d}_attempt_1.mp4"
    assert "The policy server failed; what was running is tried again" in out
    assert json.loads((folder / "summary.json").read_text())["errors"] == 0
    assert not wait_until_group_is_empty(process.pid)


def embedded_servers(group):
    """Return the ids of the embedded policy servers of a process group."""
    found = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            number = int(command.parent.name)
            if "spawn_main" in command.read_text() and os.getpgid(number) == group:
                found.append(number)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found
