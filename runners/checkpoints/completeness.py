"""Whether a checkpoint is whole, as far as its files' names, lengths and lists tell: a training may be writing it.

Trainers write the weights first, and what a server needs beside them after that:

* LeRobot, into ``pretrained_model``: configuration, weights, processors; each processor's states, then its JSON.
* GR00T: configuration, weights, index, ``trainer_state.json``, and then the processor's files.
* Others by Hugging Face's Trainer, into ``checkpoint-N``: likewise up to ``trainer_state.json``.
"""

import re
from pathlib import Path
from typing import Any

import msgspec

from runners.utils.json_files import JsonFileError, parse_json, read_json

__all__ = ["why_not_whole"]

CONFIG = "config.json"
LEROBOT_PROCESSORS = ("policy_preprocessor.json", "policy_postprocessor.json")
GR00T_PROCESSOR = ("processor_config.json", "statistics.json")
TRAINER_STATE = "trainer_state.json"

SHARD = re.compile(r"(.+)-\d+-of-\d+\.safetensors")
LONGEST_HEADER = 100_000_000
"""Bytes of the header of a safetensors file: the format's own limit."""


class _Config(msgspec.Struct):
    """Of ``config.json``: what LeRobot calls its policy, and what transformers calls its model."""

    type: str | None = None
    architectures: list[str] | None = None


class _Index(msgspec.Struct):
    """Of the index of sharded weights: the file of each tensor."""

    weight_map: dict[str, str]


class _Step(msgspec.Struct):
    state_file: str | None = None


class _Processor(msgspec.Struct):
    """Of a processor of LeRobot: its steps, of which some have a state in a file of its own."""

    steps: list[_Step]


class _Tensor(msgspec.Struct):
    data_offsets: tuple[int, int]


def why_not_whole(folder: Path, name: str) -> str | None:
    """Return why a checkpoint is not whole, None for one that is.

    Args:
        folder: What a server loads.
        name: Of the checkpoint, which tells its trainer.
    """
    try:
        config = read_json(folder / CONFIG, _Config)
        last, listed = _needed(config, name), _listed(folder, config)
        missing = [each for each in dict.fromkeys([*last, *listed]) if not (folder / each).is_file()]
        if missing:
            return f"it has no {missing[0]}" + (f", and {len(missing) - 1} more are missing" if missing[1:] else "")
        weights = sorted(folder.glob("*.safetensors"))
        if not weights:
            return "it has no weights (*.safetensors)"
        for each in last:
            read_json(folder / each, dict[str, Any])
        return next((told for path in weights if (told := _why_cut_off(path))), None)
    except JsonFileError as error:
        return str(error)
    except OSError as error:
        return f"{error.filename} cannot be read: {error.strerror}"


def _needed(config: _Config, name: str) -> tuple[str, ...]:
    """Return the files that its trainer writes last."""
    if config.type is not None:
        return LEROBOT_PROCESSORS
    if any(each.startswith("Gr00tN1d") for each in config.architectures or ()):
        return GR00T_PROCESSOR
    return (TRAINER_STATE,) if name.startswith("checkpoint-") else ()


def _listed(folder: Path, config: _Config) -> list[str]:
    """Return the files that its own lists name: shards, which have an index, and states of processors."""
    shards = filter(None, (SHARD.fullmatch(path.name) for path in folder.iterdir()))
    indices = {f"{shard[1]}.safetensors.index.json" for shard in shards}
    files = [*indices]
    for index in indices:
        if (folder / index).is_file():
            files += read_json(folder / index, _Index).weight_map.values()
    for processor in LEROBOT_PROCESSORS if config.type is not None else ():
        if (folder / processor).is_file():
            files += [step.state_file for step in read_json(folder / processor, _Processor).steps if step.state_file]
    return files


def _why_cut_off(path: Path) -> str | None:
    """Return why a safetensors file is not as long as its header says, None for one that is."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, LONGEST_HEADER):
            return f"{path.name} is cut off in its header: it has {size} bytes"
        try:
            header = parse_json(file.read(length), dict[str, Any])
            header.pop("__metadata__", None)
            tensors = msgspec.convert(header, dict[str, _Tensor]).values()
        except ValueError as error:
            return f"{path.name} has no header of safetensors: {error}"
    whole = 8 + length + max((tensor.data_offsets[1] for tensor in tensors), default=0)
    return None if size == whole else f"{path.name} has {size} of {whole} bytes"
