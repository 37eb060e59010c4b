"""The checkpoints in the folder of a training, in the order of their steps.

* ``Checkpoint``: one of them.
* ``step_of``: the step that a name tells.
* ``find_checkpoints``: all that are whole.
* ``named_checkpoint``: the one of a name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from groot_wrappers.errors import ContractError
from runners.checkpoints.completeness import why_not_whole
from runners.utils.pasting import override

__all__ = ["Checkpoint", "FoundCheckpoints", "find_checkpoints", "named_checkpoint", "step_of"]

NAME = re.compile(r"(?:checkpoint-)?(\d{1,18})", flags=re.ASCII)
"""LeRobot's ``005000``, and ``checkpoint-5000`` of GR00T and all others that use Hugging Face's Trainer."""

LEROBOT_MODEL = "pretrained_model"
"""Beside the training's own state, what a server of LeRobot loads."""

MOST_TOLD = 5
"""Names, or reasons, in one message."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint of a training.

    Args:
        name: Of its folder.
        step: Of the training, from its name.
        folder: What a server loads, absolute.
    """

    name: str
    step: int
    folder: Path

    @property
    def written(self) -> datetime:
        """When the last of its weights was written, in UTC.

        Raises:
            OSError: They are not there any more.
        """
        moments = [path.stat().st_mtime for path in self.folder.glob("*.safetensors")]
        if not moments:
            raise FileNotFoundError(self.folder)
        return datetime.fromtimestamp(max(moments), UTC)


@dataclass(frozen=True)
class FoundCheckpoints:
    """What the folder of a training holds.

    Args:
        whole: By step.
        left_out: Name to why it is not whole, by step.
    """

    whole: tuple[Checkpoint, ...]
    left_out: Mapping[str, str]

    def tell(self, folder: str) -> list[str]:
        """Say it in lines.

        Args:
            folder: As it was asked for.
        """
        steps = [each.step for each in self.whole]
        told = f"step {steps[0]}" if len(steps) == 1 else f"steps {steps[0]} to {steps[-1]}"
        some = list(self.left_out.items())[:MOST_TOLD]
        more = len(self.left_out) - len(some)
        return [
            f"{len(steps)} whole {'checkpoint' if len(steps) == 1 else 'checkpoints'} in {folder}, {told}",
            *(f"  left out: {name}: {why}" for name, why in some),
            *([f"  and {more} more"] if more else []),
        ]


def step_of(name: str) -> int | None:
    """Return the step that a checkpoint's name tells, None for what is no such name, as ``last``."""
    match = NAME.fullmatch(name)
    return None if match is None else int(match[1])


def find_checkpoints(folder: Path) -> FoundCheckpoints:
    """Return the checkpoints in a folder, without those that a training is still writing.

    Raises:
        ContractError: There is no such folder, none of its checkpoints is whole, or two are of one step.
    """
    found = _all_named(folder)
    reasons = {each.name: why_not_whole(each.folder, each.name) for each in found}
    left_out = {name: why for name, why in reasons.items() if why is not None}
    whole = tuple(each for each in found if each.name not in left_out)
    if not whole:
        raise ContractError(f"checkpoints={folder} was asked for, but {_why_none(folder, left_out)}")
    for one, other in pairwise(whole):
        if one.step == other.step:
            raise ContractError(
                f"checkpoints={folder} was asked for, but {one.name} and {other.name} in it are both of step "
                f"{one.step}. Name those that are meant: checkpoint={one.name}, or move one of them elsewhere."
            )
    return FoundCheckpoints(whole, left_out)


def named_checkpoint(folder: Path, name: str) -> Checkpoint:
    """Return the checkpoint of a name.

    Raises:
        ContractError: There is none in the folder, or it is not whole.
    """
    found = _all_named(folder)
    asked = f"{override('checkpoint', name)} was asked for, but"
    for each in found:
        if each.name == name:
            why = why_not_whole(each.folder, name)
            if why is None:
                return each
            raise ContractError(
                f"{asked} it is not whole in {folder}: {why}. Wait until the training has written it, or name another."
            )
    if not found:
        raise ContractError(f"{asked} {_why_none(folder, {})}")
    alike = [each.name for each in found if each.step == step_of(name)] or [each.name for each in found][-MOST_TOLD:]
    raise ContractError(
        f"{asked} {folder} holds none of that name. Is {' or '.join(override('checkpoint', each) for each in alike)} "
        "meant?"
    )


def _all_named(folder: Path) -> list[Checkpoint]:
    """Return all that are called like checkpoints, by step."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError as error:
        raise ContractError(
            f"checkpoints={folder} was asked for, but that folder cannot be read: {error.strerror}. Name the one that "
            "a training writes its checkpoints into."
        ) from error
    named = [(path, step) for path in paths if (step := step_of(path.name)) is not None]
    return [
        Checkpoint(path.name, step, (inner if (inner := path / LEROBOT_MODEL).is_dir() else path).absolute())
        for path, step in sorted(named, key=lambda each: each[1])
    ]


def _why_none(folder: Path, left_out: Mapping[str, str]) -> str:
    """Return why a folder has no whole checkpoint, and what mends it."""
    if left_out:
        name, why = list(left_out.items())[-1]
        return (
            f"none of its {len(left_out)} checkpoints is whole; of the last one, {name}: {why}. Wait until the "
            "training has written one."
        )
    if (inner := folder / "checkpoints").is_dir():
        return f"it holds no checkpoint itself. Is checkpoints={inner} meant?"
    if step_of(folder.name) is not None:
        return (
            f"it is a checkpoint itself. Name the folder that holds it: checkpoints={folder.parent} "
            f"{override('checkpoint', folder.name)}."
        )
    return (
        "it holds no checkpoint: a folder 005000, as LeRobot's, or checkpoint-5000, as GR00T's. Name the one that a "
        "training writes them into."
    )
