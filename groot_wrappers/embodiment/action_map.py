"""ActionLayout: where the numbers of each action key go in the env's action, how they are changed, and the way back."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch

from groot_wrappers.embodiment.affine_map import NumberMap
from groot_wrappers.embodiment.embodiment import ActionTarget, Embodiment
from groot_wrappers.embodiment.isaaclab_env import IsaacLabEnv
from groot_wrappers.embodiment.sources import number_map, state_source
from groot_wrappers.errors import ContractError, did_you_mean, raise_all

__all__ = ["ActionLayout", "Chunk", "target_columns"]

Chunk: TypeAlias = Mapping[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]] | torch.Tensor]


@dataclass(frozen=True)
class _Drive:
    """What one action key does: its numbers, changed by ``numbers``, go to ``columns`` in the units of ``taken``.

    Args:
        columns: Of the env's action, in the key's order.
        width: D of the key; 1 for a key that all its columns share.
        numbers: From the key to what is commanded (rad, m where it is joints).
        taken: From the env's number to what it commands, which is undone.
        relative_to: State key whose numbers are the base.
        hold: What is played instead of the key, float32 (columns,) or a single one; None for a key that is read.
    """

    columns: list[int]
    width: int
    numbers: NumberMap
    taken: NumberMap
    relative_to: str | None
    hold: torch.Tensor | None


class ActionLayout:
    """Lays chunks out as the env's action.

    Args:
        env: The env.
        embodiment: Its ``action`` is laid out; its ``state`` holds what ``relative_to`` names.

    Raises:
        ContractError: A target names no joint or term of the env, a setting does not fit its key's width, two keys
            drive one column of the env's action, or a column is driven by none; all of that in one message.
    """

    def __init__(self, env: IsaacLabEnv, embodiment: Embodiment) -> None:
        self._env = env
        self.num_envs, self.action_dim = env.num_envs, env.action_dim
        drives: dict[str, _Drive] = {}
        problems = []
        for key, target in embodiment.action.items():
            try:
                drives[key] = _drive(env, f"embodiment.action.{key}", target, embodiment)
            except ContractError as error:
                problems.append(str(error))
        problems += _coverage(env, drives, whole=not problems)
        raise_all("The embodiment's action does not fit the env:", problems)
        self._read = {key: drive for key, drive in drives.items() if drive.hold is None}
        self._constants = [
            (drive.columns, drive.taken.backward(drive.hold)) for drive in drives.values() if drive.hold is not None
        ]

    @property
    def widths(self) -> dict[str, int]:
        """Key to D, for the keys that are read from chunks."""
        return {key: drive.width for key, drive in self._read.items()}

    @property
    def bases(self) -> set[str]:
        """The state keys that some action key is relative to."""
        return {drive.relative_to for drive in self._read.values() if drive.relative_to is not None}

    def to_env(self, chunk: Chunk, states: Mapping[str, torch.Tensor], at_least: int = 1) -> torch.Tensor:
        """Return the env's action for a chunk.

        Args:
            chunk: ``{action key: float32 (num_envs, T_action, D)}``.
            states: The present state of the keys in ``bases``, float32 (num_envs, D).
            at_least: Least T_action that will do.

        Returns:
            float32 (num_envs, T_action, action_dim) on the host.

        Raises:
            ContractError: A key is missing, or a shape does not fit.
        """
        missing = sorted(set(self._read) - set(chunk))
        if missing:
            raise ContractError(
                f"The action lacks {', '.join(missing)}; it has {', '.join(sorted(chunk)) or 'nothing'}. "
                "The keys of embodiment.action must be the action keys of the server."
            )
        parts = {key: torch.as_tensor(chunk[key], dtype=torch.float32).cpu() for key in self._read}
        length = max((part.shape[1] if part.dim() == 3 else 0 for part in parts.values()), default=at_least)
        for key, width in self.widths.items():
            shape = tuple(parts[key].shape)
            if shape != (self.num_envs, length, width) or length < at_least:
                raise ContractError(
                    f"The action '{key}' has the shape {shape}, but ({self.num_envs}, T >= {at_least}, "
                    f"{width}) is played here: envs, control steps, and the width of embodiment.action.{key}. "
                    f"Mend the target of embodiment.action.{key}, or set `execution` to what the server's "
                    "chunks hold."
                )
        actions = torch.zeros((self.num_envs, length, self.action_dim))
        for key, drive in self._read.items():
            base = None if drive.relative_to is None else states[drive.relative_to].cpu()[:, None]
            actions[:, :, drive.columns] = drive.taken.backward(drive.numbers.forward(parts[key], base))
        for columns, constant in self._constants:
            actions[:, :, columns] = constant
        return actions

    def standing_still(self) -> torch.Tensor:
        """Return what keeps the envs where they are, float32 (num_envs, action_dim) on the host.

        See :meth:`IsaacLabEnv.standing_still`; a key that holds a constant holds it.
        """
        actions = self._env.standing_still().cpu()
        for columns, constant in self._constants:
            actions[:, columns] = constant
        return actions

    def from_env(self, actions: torch.Tensor, states: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Return the chunk whose actions these are; what was clipped or thresholded comes back as it was played.

        Args:
            actions: float32 (num_envs, T, action_dim).
            states: As in ``to_env``.
        """
        chunk = {}
        for key, drive in self._read.items():
            base = None if drive.relative_to is None else states[drive.relative_to].cpu()[:, None]
            values = drive.numbers.backward(drive.taken.forward(actions.cpu()[:, :, drive.columns]), base)
            chunk[key] = values[:, :, : drive.width]
        return chunk


def target_columns(env: IsaacLabEnv, key: str, target: ActionTarget, embodiment: Embodiment) -> list[int]:
    """Return the columns of the env's action that a target drives, in the key's order.

    Args:
        env: The env.
        key: The action key, which a message names.
        target: What the key drives.
        embodiment: Its ``state`` holds what ``relative_to`` names.

    Raises:
        ContractError: The target names no joint or term of the env, or a setting does not fit.
    """
    return _drive(env, f"embodiment.action.{key}", target, embodiment).columns


def _drive(env: IsaacLabEnv, where: str, target: ActionTarget, embodiment: Embodiment) -> _Drive:
    """Find what a target names, and check that its settings fit."""
    taken = number_map(where, 1, 1.0, 0.0)
    if target.joints:
        columns, taken = _joint_columns(env, where, target.joints)
    elif target.term:
        if target.term not in env.action_terms:
            raise ContractError(
                f"{where}: the env has no action term '{target.term}'.{did_you_mean(target.term, env.action_terms)} "
                f"It has: {_told_terms(env)}."
            )
        term = env.action_terms[target.term]
        columns = list(range(term.start, term.start + term.width))
    else:
        columns = list(range(env.action_dim))
    if target.slice is not None:
        begin, end = target.slice
        if end > len(columns):
            raise ContractError(
                f"{where}: slice is [{begin}, {end}], but there are {len(columns)} numbers. Set slice within them."
            )
        columns = columns[begin:end]
        if target.joints:
            taken = NumberMap(taken.scale[begin:end], taken.offset[begin:end])
    width = 1 if target.shared else len(columns)
    if isinstance(target.hold, Sequence) and len(target.hold) != len(columns):
        raise ContractError(f"{where}: hold has {len(target.hold)} numbers, but {len(columns)} are held.")
    if target.relative_to is not None:
        _require_base(env, where, target.relative_to, width, embodiment)
    numbers = number_map(
        where,
        width,
        target.scale,
        target.offset,
        threshold=target.threshold,
        invert=target.invert,
        clip=None if target.clip is None else (target.clip[0], target.clip[1]),
    )
    hold = None if target.hold is None else torch.as_tensor(target.hold, dtype=torch.float32)
    return _Drive(columns, width, numbers, taken, target.relative_to, hold)


def _joint_columns(env: IsaacLabEnv, where: str, patterns: Sequence[str]) -> tuple[list[int], NumberMap]:
    """Return the columns that the joints are set by, and how the env's numbers there become positions."""
    offered = env.joint_columns
    found = []
    for pattern in patterns:
        matching = [column for name, column in offered.items() if re.fullmatch(pattern, name)]
        if not matching:
            raise ContractError(
                f"{where}: no term of the env takes positions of a joint that matches '{pattern}'."
                f"{did_you_mean(pattern, offered)} Joints with such a term (JointPositionAction): "
                f"{', '.join(offered) or 'none'}. Action terms: {_told_terms(env)}."
            )
        found += matching
    scale = torch.tensor([column.scale for column in found])
    return [column.column for column in found], NumberMap(scale, torch.tensor([column.offset for column in found]))


def _require_base(env: IsaacLabEnv, where: str, state: str, width: int, embodiment: Embodiment) -> None:
    """Raise unless the state that a key is relative to is there and as wide as the key."""
    if state not in embodiment.state:
        raise ContractError(
            f"{where}: relative_to is '{state}', but the embodiment has no state of that name."
            f"{did_you_mean(state, embodiment.state)} It has: {', '.join(embodiment.state) or 'none'}."
        )
    (base_width,) = state_source(env, state, embodiment.state[state]).shape
    if base_width != width:
        raise ContractError(
            f"{where}: it has {width} numbers, but embodiment.state.{state}, to which it is relative, has {base_width}."
        )


def _coverage(env: IsaacLabEnv, drives: Mapping[str, _Drive], *, whole: bool) -> list[str]:
    """Say which columns of the env's action several keys drive, and, where all keys are known, which none does."""
    names = {place.column: joint for joint, place in env.joint_columns.items()}
    drivers: dict[int, list[str]] = {column: [] for column in range(env.action_dim)}
    for key, drive in drives.items():
        for column in drive.columns:
            drivers[column].append(key)
    problems = []
    twice = {column: keys for column, keys in drivers.items() if len(keys) > 1}
    if twice:
        told = ", ".join(f"{_name(env, names, c)} ({' and '.join(keys)})" for c, keys in twice.items())
        problems.append(f"embodiment.action: more than one key drives {told}. Take it from all but one of them.")
    unfilled = [column for column, keys in drivers.items() if not keys]
    if unfilled and whole:
        told = ", ".join(_name(env, names, column) for column in unfilled)
        problems.append(
            f"embodiment.action: no key drives {told}. Every part of the env's action ({_told_terms(env)}) takes "
            "exactly one key; a part that the server knows nothing of is held, by an entry under any name: "
            "{term: ..., hold: 0.0} (or joints, or a slice)."
        )
    return problems


def _name(env: IsaacLabEnv, joints: Mapping[int, str], column: int) -> str:
    """Return what a person knows a column of the env's action by."""
    if column in joints:
        return joints[column]
    for name, term in env.action_terms.items():
        if term.start <= column < term.start + term.width:
            return name if term.width == 1 else f"{name}[{column - term.start}]"
    return f"column {column}"


def _told_terms(env: IsaacLabEnv) -> str:
    if not env.action_terms:
        return f"{env.action_dim} numbers without names; take a slice of them"
    return ", ".join(f"{name} ({term.kind}, {term.width})" for name, term in env.action_terms.items())
