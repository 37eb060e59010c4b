"""Sweeps over the checkpoints of a training: one job each, the new ones alone the next time, and what is refused."""

import json
import os
import re
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from groot_wrappers.errors import ContractError
from runners import load_run
from runners.apps import play
from runners.config.composed import resolved
from runners.run_folder.resume import EarlierStart
from runners.sweeps.folder import JobEnd, read_jobs
from runners.sweeps.jobs import jobs_of, sweep_name
from tests.support.processes import START_S, finish, play_in_this_process, rows_of
from tests.support.samples.checkpoints import make_lerobot_checkpoint
from tests.support.samples.runs import make_run

THREE = ("005000", "010000", "015000")
SERVED = "server.command=serve --checkpoint {checkpoint} --port {port}"
CHECKPOINTS = ("checkpoints=train", "server=started", SERVED)


@pytest.fixture
def training(tmp_path):
    """A training of LeRobot's that has written two checkpoints, and writes the third."""
    for name in ("005000", "010000", "015000"):
        make_lerobot_checkpoint(tmp_path / "train", name)
    (tmp_path / "train/last").symlink_to("010000")
    (tmp_path / "train/015000/pretrained_model/policy_postprocessor.json").rename(tmp_path / "later.json")
    return tmp_path / "train"


def test_each_whole_checkpoint_is_a_job_and_the_same_command_plays_the_new_one_alone(sweep, training):
    """What is played is pretended, with the folder of a run that is whole; what there is to play is found for real."""
    played = []

    def play_job(run, composition):
        config, settings = composition.config, resolved(composition)
        played.append((config.checkpoints, config.checkpoint))
        make_run(composition.folder, config.episodes, rate={"005000": 0.2, "010000": 0.9}.get(config.checkpoint, 0.8))
        manifest = json.loads((composition.folder / "manifest.json").read_text())
        manifest |= {"created": datetime.now(UTC).isoformat(), "config": settings}
        (composition.folder / "manifest.json").write_text(json.dumps(manifest))
        JobEnd(0).write(composition.folder)
        return 0

    command = (*CHECKPOINTS, "episodes=40")
    code, out, err, _ = sweep(*command, play_job=play_job)
    assert code == 0, err
    assert played == [(str(training), "005000"), (str(training), "010000")], "the one that is being written is not"
    assert "2 whole checkpoints in train, steps 5000 to 10000" in out
    assert "left out: 015000: it has no policy_postprocessor.json" in out
    assert "Success has not levelled off: the last checkpoint, step 10000, is shown to differ" in out
    training.with_name("later.json").rename(training / "015000/pretrained_model/policy_postprocessor.json")
    code, out, err, _ = sweep(*command, play_job=play_job)
    assert code == 0, err
    assert out.count("is whole") == 2
    assert played[2:] == [(str(training), "015000")]
    (folder,) = Path("outputs/sweeps").iterdir()
    assert [job.overrides[-1] for job in read_jobs(folder)] == [f"checkpoint='{name}'" for name in THREE]
    assert "From step 10000 on, no checkpoint is shown to differ from a later one" in out
    assert "From step 10000 on" in (folder / "groot-report.html").read_text()


def test_sweep_is_the_same_with_more_checkpoints_and_another_with_other_settings():
    def name(*overrides):
        return sweep_name(jobs_of(overrides, None), "checkpoint")

    two = name("checkpoints=train", "seed=0,1", "checkpoint='005000','010000'")
    assert name("checkpoints=train", "seed=1,0", "num_envs=4", "checkpoint='015000'") == two
    assert name("checkpoints=train", "seed=0", "checkpoint='005000','010000'") != two
    assert name("checkpoints=other", "seed=0,1", "checkpoint='005000','010000'") != two
    assert sweep_name(jobs_of(["checkpoint='005000'"], None)) != sweep_name(jobs_of(["checkpoint='010000'"], None))


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["checkpoints=nowhere", "server=started", SERVED], "that folder cannot be read"),
        (["checkpoints=train", "server=started", "server.command=serve {port}"], "write {checkpoint} where its folder"),
        (["checkpoints=train,other", "server=started", SERVED], "Each in turn is a sweep over one such folder"),
    ],
)
def test_sweep_that_cannot_be_is_refused_before_a_job_begins(sweep, training, overrides, told):
    code, _, err, played = sweep(*overrides)
    assert (code, played) == (1, []), err
    assert told in err
    assert not Path("outputs/sweeps").exists()


def test_run_of_no_checkpoint_is_refused(command, monkeypatch, training):
    monkeypatch.setattr(play, "play", play_in_this_process)
    code, _, err = command(play, *CHECKPOINTS, "hydra.run.dir=run")
    assert code == 1
    assert "a run plays one checkpoint. Each in turn is a sweep over one such folder: groot-play -m" in err


def test_checkpoint_that_was_written_anew_is_not_what_was_played(tmp_path, training):
    make_run(tmp_path / "run")
    earlier = EarlierStart.read(tmp_path / "run")
    config = earlier.manifest.config | {"checkpoints": str(training), "checkpoint": "005000"}
    earlier = replace(earlier, manifest=msgspec.structs.replace(earlier.manifest, config=config))
    begun = earlier.manifest.created.timestamp()
    files = list(training.glob("005000/pretrained_model/*.safetensors"))
    for file in files:
        os.utime(file, (begun - 1, begun - 1))
    earlier.require_same(config)
    os.utime(files[0], (begun + 1, begun + 1))
    with pytest.raises(ContractError, match=r"checkpoint 005000: its weights are of 2026-11-25 01:28:35 UTC"):
        earlier.require_same(config)
    files[0].unlink()
    earlier.require_same(config)  # trainings delete what is old, and what it has shown stays


@pytest.mark.isaaclab
def test_server_of_each_job_loads_its_own_checkpoint(groot_play, tmp_path):
    for name, skill in (("005000", 100), ("010000", 200)):
        make_lerobot_checkpoint(tmp_path / "a training", name, skill=skill)
    server = f"{sys.executable} -m tests.support.servers.serve_checkpoint {{checkpoint}} {{port}}"
    settings = ("checkpoints=a training", "server=started", f"server.command={server}", "recorder=[]")
    settings += ("num_envs=10", "episodes=20", "horizons.episode=5", "horizons.execution=5")
    code, out, err = finish(groot_play("-m", *settings), 2 * START_S)
    assert code == 0, err
    (sweep,) = (tmp_path / "outputs/sweeps").iterdir()
    first, second = (load_run(sweep / job.name) for job in read_jobs(sweep))
    assert (first.summary.checkpoint, first.summary.checkpoint_step) == ("005000", 5000)
    assert {(row["checkpoint"], row["checkpoint_step"]) for row in rows_of(second.folder)} == {("010000", 10000)}
    assert 0.0 < first.summary.success_rate < 1.0 == second.summary.success_rate
    loaded = str(tmp_path / "a training/010000/pretrained_model")
    assert loaded in (second.folder / "server.log").read_text().splitlines()
    assert re.search(r"^ +10000  20 of 20 ", out, flags=re.MULTILINE)
