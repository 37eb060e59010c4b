"""The arguments as a person typed them, and what Hydra gets of them."""

from pathlib import Path

import pytest

from runners.apps import play
from runners.config.overrides import parsed
from runners.launch.command_line import written_out


def value_of(argument):
    return parsed(written_out([argument])[0]).value()


@pytest.mark.parametrize("name", ["run", "my run, lr=0.1 #2 50% (a) [b]", "it's here", 'say "hi"', "größer", "back\\"])
@pytest.mark.parametrize("key", ["resume", "dataset"])
def test_path_that_is_there_needs_no_quotes(tmp_path, monkeypatch, key, name):
    monkeypatch.chdir(tmp_path)
    Path(name).mkdir()
    assert value_of(f"{key}={name}") == name
    assert value_of(f"{key}={tmp_path / name}/").rstrip("/") == str(tmp_path / name)


@pytest.mark.parametrize(
    "command", ["serve --checkpoint {checkpoint} --port {port}", "cd 'a b' && serve {port}", "serve --tag it's, {port}"]
)
def test_command_of_a_server_needs_no_quotes_of_hydras(command):
    assert value_of(f"server.command={command}") == command
    assert value_of(f'server.command="{command}"') == command


@pytest.mark.parametrize("key", ["resume", "dataset", "hydra.run.dir", "hydra.sweep.dir"])
@pytest.mark.parametrize("quotes", ["", "'", '"'])
def test_home_folder_is_known_behind_the_equals_sign(monkeypatch, key, quotes):
    monkeypatch.setenv("HOME", "/home/me, too")
    assert value_of(f"{key}={quotes}~/runs/a{quotes}") == "/home/me, too/runs/a"


@pytest.mark.parametrize(
    "argument",
    ["resume=null", "resume='~nobody-of-that-name/x'", "instruction.text='~/x'", "--config-dir", "-m", "x=[1"],
)
def test_all_else_is_left_as_it_was_typed(argument):
    assert written_out([argument]) == [argument]


@pytest.mark.parametrize(
    ("override", "horizon"),
    [
        ("task.expert={_target_: tests.support.toys.policy.ToyPolicy, horizon: 4}", 4),
        ("server.policy={_target_: tests.support.toys.policy.ToyPolicy, horizon: 5}", 5),
        ("server={policy: {_target_: tests.support.toys.policy.ToyPolicy, horizon: 6}}", 6),
    ],
)
def test_whole_object_takes_the_arguments_of_its_class(command, monkeypatch, override, horizon):
    composed = []
    monkeypatch.setattr(play, "play", lambda composition: composed.append(composition.config) or 0)
    code, _, err = command(play, "server=expert", override)
    assert (code, err) == (0, "")
    assert composed[0].server.policy == {"_target_": "tests.support.toys.policy.ToyPolicy", "horizon": horizon}


def test_whole_objects_are_swept_too(command, monkeypatch):
    composed = []
    monkeypatch.setattr(play, "play", lambda composition: composed.append(composition.config.task.expert.horizon) or 0)
    command(play, "-m", "task.expert={_target_: a.B, horizon: 4},{_target_: a.B, horizon: 5}")
    assert composed == [4, 5]


def test_group_is_changed_by_a_mapping_of_its_keys(command, monkeypatch):
    composed = []
    monkeypatch.setattr(play, "play", lambda composition: composed.append(composition.config) or 0)
    command(play, "horizons={execution: 8}", "server={host: there, port: 7}", "gate={min_success: 0.5}")
    (config,) = composed
    assert (config.horizons.execution, config.horizons.episode) == (8, 225)
    assert (config.server.host, config.server.port, config.server.timeout_s) == ("there", 7, 60)
    assert config.gate.min_success == 0.5


def test_setting_that_a_later_one_overrules_is_told(command, monkeypatch):
    composed = []
    monkeypatch.setattr(play, "play", lambda composition: composed.append(composition.config.num_envs) or 0)
    _, _, err = command(play, "num_envs=1", "seed=2", "num_envs=3", "seed=2")
    assert composed == [3]
    assert err == "num_envs=1 counts for nothing: num_envs=3 comes later.\n"


def test_paths_are_those_of_the_folder_that_the_command_was_given_in(command, monkeypatch, tmp_path):
    composed = []
    monkeypatch.setattr(
        play, "play", lambda composition: composed.append((composition.config.dataset, Path.cwd())) or 0
    )
    command(play, "dataset=base/dataset", "hydra.job.chdir=true", "hydra.run.dir=run")
    assert composed == [(str(tmp_path / "base/dataset"), tmp_path / "run")]
