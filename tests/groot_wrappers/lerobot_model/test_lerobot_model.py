"""A checkpoint of LeRobot: its keys, what it draws, and what is refused; without LeRobot."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from groot_wrappers.errors import ContractError
from groot_wrappers.lerobot_model.instructions import Instructions
from groot_wrappers.lerobot_model.layout import layout_of
from groot_wrappers.lerobot_model.policy import LeRobotModel
from groot_wrappers.lerobot_model.sampling import drawn_from


def feature(kind, *shape):
    return SimpleNamespace(type=kind, shape=shape)


INPUTS = {"observation.images.wrist": feature("VISUAL", 3, 8, 8), "observation.state": feature("STATE", 3)}
OUTPUTS = {"action": feature("ACTION", 2)}


def test_keys_come_from_the_features_and_the_modality_file(tmp_path):
    whole = layout_of(INPUTS, OUTPUTS, tmp_path)
    assert (whole.cameras, whole.sizes) == ({"wrist": "observation.images.wrist"}, {"wrist": (8, 8)})
    assert (whole.state, whole.action) == ({"state": slice(0, 3)}, {"action": slice(0, 2)})
    split = {"state": {"hand": {"start": 2, "end": 3}, "arm": {"start": 0, "end": 2}}}
    (tmp_path / "modality.json").write_text(json.dumps(split))
    assert list(layout_of(INPUTS, OUTPUTS, tmp_path).state.items()) == [("arm", slice(0, 2)), ("hand", slice(2, 3))]


@pytest.mark.parametrize("end", [2, 4], ids=["short", "long"])
def test_refuses_a_modality_file_of_another_width(tmp_path, end):
    (tmp_path / "modality.json").write_text(json.dumps({"state": {"arm": {"start": 0, "end": end}}}))
    with pytest.raises(ContractError, match=f"split the 3 numbers of the state .* arm 0:{end}"):
        layout_of(INPUTS, OUTPUTS, tmp_path)


def test_refuses_an_input_that_is_not_sent(tmp_path):
    with pytest.raises(ContractError, match=r"wants 'observation.environment_state' \(ENV\)"):
        layout_of({**INPUTS, "observation.environment_state": feature("ENV", 2)}, OUTPUTS, tmp_path)


def test_instruction_is_sent_as_its_number(tmp_path):
    asked = {**INPUTS, "observation.environment_state": feature("ENV", 2)}
    (tmp_path / "instructions.json").write_text(json.dumps(["pick up the red cube", "pick up the blue cube"]))
    instructions = layout_of(asked, OUTPUTS, tmp_path).instructions
    encoded = instructions.encoded(["pick up the blue cube", "pick up the red cube"])
    assert (encoded.tolist(), encoded.dtype) == ([[0, 1], [1, 0]], np.float32)
    with pytest.raises(ContractError, match=r"instruction 'pick up the cube' is none of .* 'pick up the red cube'"):
        instructions.encoded(["pick up the cube"])
    assert layout_of(INPUTS, OUTPUTS, tmp_path).instructions is None


def test_refuses_instructions_of_another_number(tmp_path):
    (tmp_path / "instructions.json").write_text(json.dumps(["lift"]))
    with pytest.raises(ContractError, match=r"holds 1 texts, and .* is \(2,\)"):
        layout_of({**INPUTS, "observation.environment_state": feature("ENV", 2)}, OUTPUTS, tmp_path)


@pytest.mark.parametrize(
    ("content", "told"),
    [("[", "no JSON"), ('{"lift": 0}', "must be the list"), ("[]", "must be the list"), ('["a", "a"]', "a text twice")],
)
def test_refuses_what_is_no_list_of_instructions(tmp_path, content, told):
    (tmp_path / "instructions.json").write_text(content)
    with pytest.raises(ContractError, match=told):
        Instructions(tmp_path)


@pytest.mark.parametrize(
    "draw",
    [
        lambda rows: torch.randn(rows, 5),
        lambda rows: torch.randn(size=(rows, 5)),
        lambda rows: torch.randn_like(torch.zeros(rows, 5)),
        lambda rows: torch.normal(mean=0.0, std=1.0, size=(rows, 5)),
    ],
)
def test_what_is_drawn_is_the_rows(draw):
    rows = np.array([[3, 0], [4, 1]])
    with drawn_from(rows):
        first, second = draw(2), draw(2)
    with drawn_from(rows[1:]):
        alone = draw(1)
    assert torch.equal(first[1:], alone)
    assert not torch.equal(first, second)


def test_other_shapes_are_torchs_own():
    torch.manual_seed(0)
    own = torch.randn(3)
    torch.manual_seed(0)
    with drawn_from(np.array([[3, 0]])):
        assert torch.equal(torch.randn(3), own)


def test_refuses_what_is_no_checkpoint(tmp_path):
    with pytest.raises(ContractError, match=r"config.json, model.safetensors.* missing"):
        LeRobotModel(str(tmp_path))
    inner = tmp_path / "pretrained_model"
    inner.mkdir()
    (inner / "config.json").touch()
    with pytest.raises(ContractError, match=f"policy.checkpoint={inner}"):
        LeRobotModel(str(tmp_path))
