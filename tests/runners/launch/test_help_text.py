"""``--help`` of the Hydra commands: short, of this command alone, and in the words of the YAML files."""

import re

import pytest
import yaml

from runners.apps import bench, inspect_env, play, serve
from runners.config.setting_kinds import options_of
from tests.support.processes import ROOT

COMMANDS = {"play": play, "serve": serve, "inspect": inspect_env, "bench": bench}


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_short_and_names_every_key_of_the_command_and_every_option(command, name):
    code, out, err = command(COMMANDS[name], "--help")
    assert (code, err) == (0, "")
    assert len(out.splitlines()) < 76
    assert max(map(len, out.splitlines())) <= 125
    for key in keys_of(yaml.safe_load((ROOT / f"conf/{name}.yaml").read_text())):
        assert re.search(rf"(^|, |,\n){re.escape(key)}=", out, re.MULTILINE), key
    for group in options_of_groups(out):
        for option in options_of(group):
            assert option in out
    assert "$" not in out.partition("== Groups")[0]


def keys_of(section, prefix=""):
    """Yield the full names of a YAML file's own keys."""
    for key, value in section.items():
        if isinstance(value, dict) and key != "hydra":
            yield from keys_of(value, f"{prefix}{key}.")
        elif key not in ("defaults", "hydra"):
            yield f"{prefix}{key}"


def options_of_groups(out):
    """Return the groups that a help names."""
    told = out.partition("== Groups")[2].partition("== Keys")[0]
    groups = [line.partition("=")[0] for line in told.splitlines()[1:] if not line.startswith(" ")]
    assert all(map(options_of, groups))
    return groups


def test_groups_are_those_of_the_command(command):
    told = options_of_groups(command(serve, "--help")[1])
    assert told == ["policy"]
    assert set(options_of_groups(command(play, "--help")[1])) >= {"task", "server", "horizons", "recorder"}


def test_keys_have_their_values_and_comments(command):
    out = command(play, "-h")[1]
    assert "num_envs=1                     # envs side by side\n" in out
    assert "horizons.execution=1           # steps played of each chunk\n" in out
    assert "[gr00t]" in out
    assert "resume=null" in out
    assert "3 gate not met" in out


def test_keys_are_those_of_the_options_that_are_chosen(command):
    out = command(play, "server=latency", "recorder=[lerobot]", "task=lift_cube_franka_play", "--help")[1]
    assert "server.base_ms=190             # of a request" in out
    assert "server.port=0                  # any free one" in out, "the option itself has the last word"
    assert "server.timeout_s=60            # longest wait" in out, "which is said where it begins"
    assert "num_envs=16                    # envs side by side" in out
    assert "[latency]" in out
    assert "recorder.lerobot.episodes=all  # or successful" in out
    assert "recorder.wandb" not in out.partition("== Keys")[2]


def test_options_that_are_not_there_have_no_keys(command):
    code, out, _ = command(play, "server=nowhere", "--help")
    assert code == 0
    assert "server=" in out
    assert "server.timeout_s" not in out
