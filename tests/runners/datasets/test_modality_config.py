"""The file for GR00T's fine-tuning is Python that registers the data set's own keys, whatever a server called them."""

import sys
from dataclasses import replace
from enum import Enum
from types import ModuleType, SimpleNamespace

import pytest

from groot_wrappers.errors import ContractError
from groot_wrappers.modality import ActionConfig, ModalityConfig
from runners.datasets.modality_config import modality_config_text
from tests.support.samples.datasets import FEATURES

SERVER = {
    "video": ModalityConfig((-15, 0), ("front", "wrist")),
    "state": ModalityConfig((0,), ("gripper", "arm")),
    "action": ModalityConfig(
        tuple(range(16)),
        ("gripper", "arm"),
        action_configs=(
            ActionConfig("ABSOLUTE", "NON_EEF", "DEFAULT"),
            ActionConfig("RELATIVE", "EEF", "XYZ_ROT6D", "arm"),
        ),
    ),
    "language": ModalityConfig((0,), ("task",)),
}


@pytest.fixture
def gr00t(monkeypatch):
    """Stand in for the modules of GR00T that such a file imports; what is registered is returned."""
    registered = {}
    parts = {
        "gr00t": {},
        "gr00t.configs": {},
        "gr00t.configs.data": {},
        "gr00t.configs.data.embodiment_configs": {
            "register_modality_config": lambda config, embodiment_tag: registered.update({embodiment_tag: config})
        },
        "gr00t.data": {},
        "gr00t.data.embodiment_tags": {"EmbodimentTag": Enum("EmbodimentTag", ["NEW_EMBODIMENT"])},
        "gr00t.data.types": {
            "ActionConfig": SimpleNamespace,
            "ModalityConfig": SimpleNamespace,
            "ActionRepresentation": Enum("ActionRepresentation", ["RELATIVE", "DELTA", "ABSOLUTE"]),
            "ActionType": Enum("ActionType", ["EEF", "NON_EEF"]),
            "ActionFormat": Enum("ActionFormat", ["DEFAULT", "XYZ_ROT6D", "XYZ_ROTVEC"]),
        },
    }
    for name, content in parts.items():
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    return registered


def run(text):
    exec(compile(text, "modality_config.py", "exec"), {})  # noqa: S102  # as GR00T's fine-tuning does


def test_file_registers_the_keys_of_the_data_set(gr00t):
    run(modality_config_text(FEATURES, {kind: config.to_json() for kind, config in SERVER.items()}))
    ((tag, config),) = gr00t.items()
    assert tag.name == "NEW_EMBODIMENT"
    assert {kind: (each.delta_indices, each.modality_keys) for kind, each in config.items()} == {
        "video": ([-15, 0], ["front", "wrist"]),
        "state": ([0], ["arm", "gripper"]),
        "action": (list(range(16)), ["arm", "gripper"]),
        "language": ([0], ["task"]),
    }
    arm, gripper = config["action"].action_configs
    assert [arm.rep.name, arm.type.name, arm.format.name, arm.state_key] == ["RELATIVE", "EEF", "XYZ_ROT6D", "arm"]
    assert [gripper.rep.name, gripper.type.name, gripper.format.name] == ["ABSOLUTE", "NON_EEF", "DEFAULT"]


@pytest.mark.parametrize(
    ("language", "key"),
    [
        ("annotation.human.coarse_action", "annotation.human.coarse_action"),
        ("instruction", "annotation.human.task_description"),
    ],
)
def test_server_that_says_little_leaves_the_numbers_as_they_are(gr00t, language, key):
    run(modality_config_text(replace(FEATURES, languages=(language,)), {"action": {"delta_indices": [0, 1]}}))
    (config,) = gr00t.values()
    assert [each.rep.name for each in config["action"].action_configs] == ["ABSOLUTE", "ABSOLUTE"]
    assert config["language"].modality_keys == [key]


def test_no_server_writes_code(gr00t):
    evil = "ABSOLUTE, x=__import__('os').abort()"
    action = {"delta_indices": [0], "modality_keys": ["arm"], "action_configs": [{"rep": evil}]}
    with pytest.raises(ContractError, match="which is no name"):
        modality_config_text(FEATURES, {"action": action})
    quoted = replace(FEATURES, state={"a'] + [__import__('os').abort()] + ['": 1}, languages=("task",))
    run(modality_config_text(quoted, {}))
    (config,) = gr00t.values()
    assert config["state"].modality_keys == list(quoted.state)
