"""What README.md and docs/ say of settings is so: commands compose, overrides exist, defaults are those of the code."""

import dataclasses
import re
import shlex

import hydra
import pytest
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import OmegaConf

from runners.apps import dataset as dataset_app
from runners.apps import report as report_app
from runners.apps.play import OLD_FLAGS
from runners.config.schema import BenchConfig, PlayConfig
from runners.launch import command_line
from tests.docs.pages import SPAN, all_spans, commands, compose, example_folder, table

KEY_IS_VALUE = re.compile(r"\"?[a-z_]+(\.[a-z_]+)*=[^ ].*")
NOT_OVERRIDES = {"key=value", "update_latest_camera_pose=True"}
PARSERS = {"groot-dataset": dataset_app.make_parser, "groot-report": report_app.make_parser}  # those without Hydra
UNFINISHED = {"task=any", "policy=gr00t", "policy=lerobot"}  # what it leaves open is said beside it
OF_A_READER = re.compile(r"\bmy_(policy|recorder)\b")  # what CONTRIBUTING.md tells a reader to write


def unswept(overrides):
    """Return the first of the values that each override of a multirun gives."""
    GlobalHydra.instance().clear()
    words = [word for word in overrides if not word.startswith("hydra")]  # how jobs are launched is no setting of one
    with hydra.initialize_config_module("conf", version_base="1.3"):
        parsed = OverridesParser.create(GlobalHydra.instance().config_loader()).parse_overrides(words)
    return [
        f"{p.key_or_group}={next(iter(p.sweep_string_iterator()))}" if p.is_sweep_override() else p.input_line
        for p in parsed
    ]


def fields_of(schema):
    return {field.name for field in dataclasses.fields(schema)}


@pytest.mark.slow
@pytest.mark.parametrize("command", commands())
def test_every_command_composes(command):
    app, *words = shlex.split(command, comments=True)
    if words == ["--help"]:
        return
    if app in PARSERS:
        PARSERS[app]().parse_args(words)
        return
    config_dir = None
    if words[0] == "--config-dir":
        config_dir, words = example_folder() / words[1], words[2:]
    if words[0] == "-m":
        words = unswept(words[1:])
    compose(app.removeprefix("groot-"), words, config_dir)


@pytest.mark.slow
@pytest.mark.parametrize(
    "override",
    sorted(s for s in all_spans() if KEY_IS_VALUE.fullmatch(s) and "..." not in s and not OF_A_READER.search(s)),
)
def test_every_override_composes(override):
    if override in NOT_OVERRIDES | UNFINISHED:
        return
    words = [word for word in shlex.split(override) if not word.startswith("hydra.")]  # compose leaves Hydra's own out
    keys = {re.split(r"[.=]", word)[0] for word in words}
    if keys <= fields_of(PlayConfig):
        try:
            compose("play", words)
        except HydraException:  # what only the servers of groot-bench take
            if not keys <= fields_of(BenchConfig):
                raise
            compose("bench", words)
    elif keys <= fields_of(BenchConfig):
        compose("bench", words)
    else:
        of_checkpoint = ["policy=gr00t", "policy.model_path=x", "policy.embodiment_tag=x"]
        is_of_checkpoint = override.startswith("policy.")
        compose("serve", [*(of_checkpoint if is_of_checkpoint else ["policy=lift_cube_expert"]), *words])


def test_old_arguments_stand_with_their_overrides_and_defaults():
    told = {}
    defaults = compose("play", [])
    for argument, override, default in table("argument"):
        flag, value = shlex.split(argument.strip("`"))
        key, _, now = shlex.split(override.strip("`"))[0].partition("=")
        told[flag] = key
        assert command_line._option_with_id(key, value) == now.strip("'")
        of_key = "lift_cube_franka" if key == "task" else OmegaConf.select(OmegaConf.create(defaults), key)
        assert default.strip("`") == ("null" if of_key is None else str(of_key))
    assert told == OLD_FLAGS


def test_defaults_of_the_settings_are_those_of_the_configuration():
    defaults = OmegaConf.create(compose("play", []))
    for keys, told, *_ in table("key"):
        values = told.split(", ")
        names = SPAN.findall(keys)
        for name, value in zip(names, values if len(values) == len(names) else values * len(names), strict=True):
            if re.fullmatch(r"[\d.]+|null|localhost|cpu|paused", value):
                got = OmegaConf.select(defaults, name)
                assert value == ("null" if got is None else f"{got:g}" if isinstance(got, float) else str(got)), name
