"""Which keys a checkpoint of LeRobot wants and gives, under GR00T's names.

* ``Layout``: cameras, and the parts of the state and of the action.
* ``layout_of``: that of a checkpoint's features and of the ``modality.json`` beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groot_wrappers.errors import ContractError
from groot_wrappers.lerobot_model.instructions import INSTRUCTIONS, Instructions

__all__ = ["ACTION", "INSTRUCTION", "STATE", "Layout", "layout_of"]

STATE, ACTION = "observation.state", "action"
INSTRUCTION = "observation.environment_state"
"""What ACT has a layer for beside the state; with ``instructions.json`` in the checkpoint, which text is meant."""

_CAMERA = "observation.images."
_MODALITY = "modality.json"
_LARGEST = 1 << 20
"""Bytes of a modality.json: one of a humanoid has some thousand."""


@dataclass(frozen=True)
class Layout:
    """The keys of a checkpoint.

    Attributes:
        cameras: LeRobot's key of each video key.
        state: slice of the state of each state key, in order; empty where the checkpoint takes none.
        action: slice of the action of each action key, in order.
        sizes: height and width of each video key's pictures in the training.
        instructions: the texts that are told apart by their number; None where none is sent.
    """

    cameras: dict[str, str]
    state: dict[str, slice]
    action: dict[str, slice]
    sizes: dict[str, tuple[int, int]]
    instructions: Instructions | None = None


def layout_of(inputs: Mapping[str, Any], outputs: Mapping[str, Any], folder: Path) -> Layout:
    """Return the keys of a checkpoint.

    Args:
        inputs: LeRobot's features of the observation by key, each with ``type`` and ``shape``.
        outputs: Those of the answer.
        folder: Of the checkpoint.

    Raises:
        ContractError: It has an input that GR00T's protocol has no place for, no action, or a ``modality.json`` that
            or ``instructions.json`` that does not fit its widths.
    """
    cameras: dict[str, str] = {}
    sizes: dict[str, tuple[int, int]] = {}
    instructions = Instructions(folder) if (folder / INSTRUCTIONS).is_file() else None
    for key, feature in inputs.items():
        kind = str(getattr(feature.type, "value", feature.type))
        if kind == "VISUAL":
            name = key[len(_CAMERA) :] if key.startswith(_CAMERA) else key.rpartition(".")[2]
            if name in cameras:
                raise ContractError(f"the checkpoint names two cameras '{name}': {cameras[name]} and {key}")
            cameras[name] = key
            sizes[name] = (int(feature.shape[-2]), int(feature.shape[-1]))
        elif key == INSTRUCTION and instructions is not None:
            if (len(instructions),) != tuple(feature.shape):
                raise ContractError(
                    f"{INSTRUCTIONS} holds {len(instructions)} texts, and the checkpoint's '{key}' is {feature.shape}"
                )
        elif key != STATE and kind != "LANGUAGE":
            raise ContractError(
                f"the checkpoint wants '{key}' ({kind}), and pictures, {STATE} and the task are sent. Train one "
                "without it: take it out of policy.input_features. Where it is the number of an instruction, lay the "
                f"list of the texts beside it as {INSTRUCTIONS}"
            )
    if ACTION not in outputs:
        raise ContractError(f"the checkpoint gives no '{ACTION}', only {sorted(outputs)}")
    split = _split_of(folder / _MODALITY)
    state = _parts(split, "state", int(inputs[STATE].shape[0])) if STATE in inputs else {}
    action = _parts(split, "action", int(outputs[ACTION].shape[0]))
    return Layout(cameras, state, action, sizes, instructions if INSTRUCTION in inputs else None)


def _split_of(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    if file.stat().st_size > _LARGEST:
        raise ContractError(f"{file} has more than {_LARGEST} bytes, which no modality file of a robot has")
    try:
        split = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ContractError(f"{file} is no JSON: {error}. Copy meta/modality.json of the data set again") from error
    if not isinstance(split, dict):
        raise ContractError(f"{file} must hold an object. Copy meta/modality.json of the data set again")
    return split


def _parts(split: Mapping[str, Any], modality: str, width: int) -> dict[str, slice]:
    """Return the keys' slices, which follow one another from 0 to ``width``."""
    if modality not in split:
        return {modality: slice(0, width)}
    told = f"{_MODALITY} must split the {width} numbers of the {modality} into keys with start and end, without gaps"
    try:
        bounds = sorted((int(part["start"]), int(part["end"]), str(key)) for key, part in split[modality].items())
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ContractError(f"{told}, got {split[modality]!r:.200}") from error
    ends = [0, *(end for _, end, _ in bounds)]
    if not bounds or [start for start, _, _ in bounds] != ends[:-1] or ends[-1] != width or len(set(ends)) != len(ends):
        raise ContractError(f"{told}, got {', '.join(f'{key} {start}:{end}' for start, end, key in bounds)}")
    return {key: slice(start, end) for start, end, key in bounds}
