"""The settings of a run that goes on: those it was begun with, whatever its YAML files say by now."""

import json
import os
import shutil
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from runners.apps import play
from runners.apps.play import play as real_play
from runners.config.composed import resolved
from runners.experiment.run_end import RunEnd
from runners.run_folder.resume import EarlierStart, begun_by
from runners.sweeps.folder import JobEnd
from tests.support.processes import ROOT
from tests.support.samples.runs import make_run

TOY = ROOT / "tests/support/toys/conf"
VIDEO = "runners.recorders.video.VideoRecorder"
OF_THE_VERSION_BEFORE = {
    "created": "2026-11-25T01:28:34+00:00",
    "command": ["groot-play"],
    "starts": "per_env",
    "wandb_id": "0000abcd",
    "modality": {},
}
HORIZONS = {"episode": 1000, "video": None, "state": None, "execution": 8, "delay": None}


@pytest.fixture
def begin(command, monkeypatch):
    """Begin a run in the folder ``run``, as far as its manifest; return its settings."""
    settings = []

    def write(composition):
        folder = composition.folder
        make_run(folder, 1)
        settings.append(resolved(composition))
        overrides, folders = begun_by(composition.overrides, None), list(composition.config_folders)
        change_manifest(folder, config=settings[-1], overrides=overrides, config_folders=folders)
        JobEnd(0).write(folder)
        return 0

    def start(*arguments):
        monkeypatch.setattr(play, "play", write)
        code, _, err = command(play, *arguments, *([] if "-m" in arguments else ["hydra.run.dir=run"]))
        assert code == 0, err
        return settings[-1]

    return start


@pytest.fixture
def go_on(command, monkeypatch):
    """Go on with a run by a command line; return its settings, as they reach the experiment, and what was said."""
    settings = []

    def take(composition):
        settings.append(resolved(composition))
        JobEnd(0).write(composition.folder)
        return RunEnd(0, None)

    def start(*arguments):
        monkeypatch.setattr(play, "play", real_play)
        monkeypatch.setattr(play, "play_missing", take)
        monkeypatch.setattr(play, "play_job", lambda run, composition: run(composition).code)
        monkeypatch.setattr(play, "finished_run", lambda composition: None)
        code, out, err = command(play, *arguments)
        assert code == 0, err
        return settings[-1], out

    return start


def change_manifest(folder, **changes):
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def changed(then, now):
    """Return the settings that differ, but for the folder that is gone on with."""
    return {key: now[key] for key in then if then[key] != now[key] and key != "resume"}


def with_yaml_of_their_own(tmp_path):
    shutil.copytree(TOY, tmp_path / "my_conf")
    (tmp_path / "my_conf/recorder").mkdir()
    (tmp_path / "my_conf/recorder/mine.yaml").write_text("mine: {_target_: a.Recorder}\n")
    return tmp_path / "my_conf"


@pytest.mark.parametrize(
    ("flags", "fate"),
    [
        (["--config-dir", "my_conf"], "kept"),
        (["--config-dir=my_conf"], "changed"),
        (["-cd", "my_conf"], "gone"),
        (["-cd=my_conf"], "changed"),
        (["--config-di=my_conf"], "kept"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_what_was_composed_counts_from_any_folder_whatever_became_of_its_yaml(begin, go_on, tmp_path, flags, fate):
    folder = with_yaml_of_their_own(tmp_path)
    begun = begin(*flags, "task=toy", "server=expert", "seed=7", "+task.env.scene.ground=null")
    if fate == "changed":
        (folder / "task/toy.yaml").write_text("# @package _global_\ntask: {id: Another-v0, import: another}\n")
    if fate == "gone":
        shutil.rmtree(folder)
    (tmp_path / "elsewhere").mkdir()
    os.chdir(tmp_path / "elsewhere")
    now, _ = go_on("resume=../run")
    assert changed(begun, now) == {}
    assert now["task"]["id"] == "Toy-v0"


def test_options_are_looked_for_where_the_run_had_its_own(begin, go_on, monkeypatch, tmp_path):
    with_yaml_of_their_own(tmp_path)
    (tmp_path / "other/horizons").mkdir(parents=True)
    (tmp_path / "other/horizons/long.yaml").write_text("defaults: [default]\nvideo: 2\n")
    begun = begin("--config-dir", "my_conf", "hydra.searchpath=[file://other]", "task=toy", "horizons=long")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    now, _ = go_on("resume=../run", "recorder=[mine]", "horizons=long")
    assert changed(begun, now) == {"recorder": {"mine": {"_target_": "a.Recorder"}}}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["num_envs=3"], {"num_envs": 3}),
        (["recorder=[]"], {"recorder": {}}),
        (
            ["~recorder.wandb"],
            {"recorder": OmegaConf.to_container(OmegaConf.load(ROOT / "conf/recorder/video.yaml"))},
        ),
        (["gate={min_success: 0.5}", "episodes=9"], {"gate": {"min_success": 0.5}, "episodes": 9}),
        (["seed=8"], {"seed": 8}),
        (["horizons=chunked", "server=latency"], {}),
        (
            ["horizons.episode=7"],
            {"horizons": {"execution": 8, "delay": None, "episode": 7, "state": None, "video": None}},
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_given_takes_the_place_of_what_was(begin, go_on, given, expected):
    begun = begin(
        "server=latency",
        "server.base_ms=5",
        "num_envs=2",
        "episodes=6",
        "horizons=chunked",
        "horizons.episode=1000",
        "task.expert={_target_: tests.support.toys.policy.ToyPolicy, horizon: 4}",
        "embodiment=libero_panda",
        "instruction.text='lift it, \"now\"'",
    )
    now, _ = go_on("resume=run", *given)
    assert changed(begun, now) == expected


@pytest.mark.slow
def test_limit_of_an_episode_is_that_of_the_begin_and_not_of_this_version(begin, go_on):
    """Runs of earlier versions had 1000 control steps, and knew nothing of a task's own limit."""
    begun = begin("server=expert", "horizons=chunked")
    begun["horizons"]["episode"] = 1000
    del begun["task"]["episode_steps"], begun["sweep"], begun["horizons"]["delay"]
    change_manifest(Path("run"), config=begun, command=["groot-play", "--config-dir", "nowhere", "server=expert"])
    for given in ([], ["horizons=chunked"], ["task=lift_cube_franka", "server=expert", "horizons=chunked"]):
        now, _ = go_on("resume=run", *given)
        assert now["horizons"]["episode"] == 1000
        assert (now["horizons"]["delay"], now["sweep"]) == (None, {"name": None}), "what is new is as by default"
        EarlierStart.read(Path("run")).require_same(now)
    assert go_on("resume=run", "horizons.episode=300")[0]["horizons"]["episode"] == 300
    assert go_on("resume=run", "horizons=default")[0]["horizons"]["episode"] == 1000


@pytest.mark.parametrize("form", ["{}", "./{}/", "~/{}", "{home}/{}", "{link}"])
def test_folder_is_found_in_whatever_way_it_is_named(begin, go_on, monkeypatch, tmp_path, form):
    name = "it's my run, lr=0.1 #2 50% (a) [b]"
    begin("seed=3")
    Path("run").rename(name)
    Path("link").symlink_to(tmp_path / name)
    monkeypatch.setenv("HOME", str(tmp_path))
    now, _ = go_on("resume=" + form.format(name, home=tmp_path, link=tmp_path / "link"))
    assert now["seed"] == 3
    assert now["resume"] == str(tmp_path / name)
    assert "seed=3" in (tmp_path / name / ".hydra/overrides.yaml").read_text(), "as the first start wrote it"


def test_manifest_keeps_what_was_set_by_all_starts(begin, command, monkeypatch):
    begin("num_envs=2", "seed=3", "instruction.text='so, it'")
    told = []

    def keep(composition):
        told.append(begun_by(composition.overrides, EarlierStart.read(Path("run"))))
        return 0

    monkeypatch.setattr(play, "play", keep)
    command(play, "resume=run", "num_envs=4")
    assert told == [["seed=3", "instruction.text='so, it'", "num_envs=4"]]


@pytest.mark.slow
def test_jobs_of_a_sweep_go_on_with_what_they_were_begun_with_and_say_so(begin, go_on, tmp_path):
    folder = with_yaml_of_their_own(tmp_path)
    command = ["-m", "--config-dir", "my_conf", "task=toy", "seed=1,2", "sweep.name=mine"]
    begin(*command)
    yaml = (folder / "task/toy.yaml").read_text()
    (folder / "task/toy.yaml").write_text(yaml.replace("instruction: reach the goal", "instruction: go"))
    now, out = go_on(*command, "num_envs=4")
    assert now["task"]["instruction"] == "reach the goal"
    assert now["num_envs"] == 4
    assert out.count("goes on with the settings it was begun with") == 2
    assert "- task.instruction: 'reach the goal' then, 'go' now" in out


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[]", "Expected"),
        ("{", "is not what it should be"),
        (json.dumps(OF_THE_VERSION_BEFORE | {"config": {"episodes": "many", "num_envs": 1}}), "episodes"),
        (None, "is not there"),
    ],
)
def test_folder_without_a_run_is_refused(command, tmp_path, content, told):
    (tmp_path / "run").mkdir()
    if content is not None:
        (tmp_path / "run/manifest.json").write_text(content)
    code, _, err = command(play, "resume=run")
    assert code == 1
    assert "there is no run to go on with" in err
    assert told in err


def test_settings_that_this_version_does_not_know_are_refused(begin, command, monkeypatch):
    change_manifest(Path("run"), config=begin("seed=1") | {"speed": 3})
    monkeypatch.setattr(play, "play", real_play)
    code, _, err = command(play, "resume=run")
    assert code == 1
    assert "are not those of this version: Key 'speed' not in 'PlayConfig'" in err
