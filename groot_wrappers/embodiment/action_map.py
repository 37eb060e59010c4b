"""ActionLayout: where the numbers of each action key go in the env's action, how they are changed, and the way back."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import torch

from groot_wrappers.embodiment.affine_map import NumberMap
from groot_wrappers.embodiment.embodiment import ActionTarget, Embodiment, StateSource
from groot_wrappers.embodiment.isaaclab_env import IsaacLabEnv
from groot_wrappers.embodiment.poses import PoseColumns, frame_in_root
from groot_wrappers.embodiment.rotations import PoseForm, compose, inverse
from groot_wrappers.embodiment.sources import number_map, state_source
from groot_wrappers.errors import ContractError, did_you_mean, raise_all

__all__ = ["ActionLayout", "Chunk", "target_columns", "target_width"]

Chunk: TypeAlias = Mapping[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]] | torch.Tensor]


@dataclass(frozen=True)
class _Numbers:
    """What a key of numbers does: they are changed by ``numbers``, and become the env's by undoing ``taken``.

    Args:
        numbers: From the key to what is commanded (rad, m where it is joints).
        taken: From the env's number to what it commands, which is undone.
    """

    numbers: NumberMap
    taken: NumberMap

    def to_env(self, values: torch.Tensor, base: torch.Tensor | None) -> torch.Tensor:
        """Return the env's numbers, (..., columns), for the key's, (..., D), relative to ``base``."""
        return self.taken.backward(self.numbers.forward(values, base))

    def from_env(self, values: torch.Tensor, base: torch.Tensor | None) -> torch.Tensor:
        """Return the key's numbers for the env's."""
        return self.numbers.backward(self.taken.forward(values), base)


@dataclass(frozen=True)
class _Pose:
    """What a key that is a pose does: it is read as ``form``, and goes to a term that takes a body's pose.

    Args:
        form: How the key is written.
        columns: The term's.
        reference: Reads the pose, in the robot's root link, in which the key's poses are, (num_envs, 7); None where
            that is the root link itself.
    """

    form: PoseForm
    columns: PoseColumns
    reference: Callable[[], torch.Tensor] | None

    def to_env(self, values: torch.Tensor, base: torch.Tensor | None) -> torch.Tensor:
        """Return the env's numbers, (..., 7), for the key's, (..., D), that are in the pose ``base``."""
        return self.columns.to_env(self.form.read(values, base))

    def from_env(self, values: torch.Tensor, base: torch.Tensor | None) -> torch.Tensor:
        """Return the key's numbers for the env's."""
        pose = self.columns.from_env(values)
        return self.form.write(pose if base is None else compose(inverse(base), pose))


@dataclass(frozen=True)
class _Drive:
    """What one action key does: what ``map`` makes of its numbers goes to ``columns``.

    Args:
        columns: Of the env's action, in the key's order.
        width: D of the key; 1 for a key that all its columns share.
        map: The way to the env and back.
        relative_to: State key that the key is relative to.
        hold: What is played instead of the key, float32 (columns,) or a single one; None for a key that is read.
    """

    columns: list[int]
    width: int
    map: _Numbers | _Pose
    relative_to: str | None
    hold: torch.Tensor | None

    def base(self, state: Callable[[str], torch.Tensor]) -> torch.Tensor | None:
        """Return what the key is relative to now, (num_envs, ...), a tensor of its own; None where it is absolute."""
        if isinstance(self.map, _Pose):
            return None if self.map.reference is None else self.map.reference().clone()
        return None if self.relative_to is None else state(self.relative_to).clone()


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
            (drive.columns, drive.map.taken.backward(drive.hold))
            for drive in drives.values()
            if drive.hold is not None and isinstance(drive.map, _Numbers)
        ]

    @property
    def widths(self) -> dict[str, int]:
        """Key to D, for the keys that are read from chunks."""
        return {key: drive.width for key, drive in self._read.items()}

    @property
    def relative_to(self) -> dict[str, str]:
        """Action key to the state key that it is relative to."""
        return {key: drive.relative_to for key, drive in self._read.items() if drive.relative_to is not None}

    def bases(self, state: Callable[[str], torch.Tensor]) -> dict[str, torch.Tensor]:
        """Return what the action keys are relative to now, by action key; absolute ones are left out.

        Args:
            state: Returns the present state of a key, float32 (num_envs, D).
        """
        bases = {key: drive.base(state) for key, drive in self._read.items()}
        return {key: base for key, base in bases.items() if base is not None}

    def to_env(self, chunk: Chunk, bases: Mapping[str, torch.Tensor], at_least: int = 1) -> torch.Tensor:
        """Return the env's action for a chunk.

        Args:
            chunk: ``{action key: float32 (num_envs, T_action, D)}``.
            bases: What ``bases`` returned when the observation was made that the chunk answers.
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
            actions[:, :, drive.columns] = drive.map.to_env(parts[key], _for_steps(bases.get(key)))
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

    def from_env(self, actions: torch.Tensor, bases: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Return the chunk whose actions these are; what was clipped or thresholded comes back as it was played.

        Args:
            actions: float32 (num_envs, T, action_dim).
            bases: As in ``to_env``.
        """
        chunk = {}
        for key, drive in self._read.items():
            values = drive.map.from_env(actions.cpu()[:, :, drive.columns], _for_steps(bases.get(key)))
            chunk[key] = values[:, :, : drive.width]
        return chunk


def _for_steps(base: torch.Tensor | None) -> torch.Tensor | None:
    """Return a base (num_envs, D) for all control steps of a chunk, (num_envs, 1, D), on the host."""
    return None if base is None else base.cpu()[:, None]


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


def target_width(env: IsaacLabEnv, key: str, target: ActionTarget, embodiment: Embodiment) -> int:
    """Return how many numbers an action key has, D, of which a target makes the columns that it drives.

    Arguments and errors are those of :func:`target_columns`.
    """
    return _drive(env, f"embodiment.action.{key}", target, embodiment).width


def _drive(env: IsaacLabEnv, where: str, target: ActionTarget, embodiment: Embodiment) -> _Drive:
    """Find what a target names, and check that its settings fit."""
    if target.rotation is not None:
        return _pose_drive(env, where, target, embodiment)
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
    return _Drive(columns, width, _Numbers(numbers, taken), target.relative_to, hold)


def _pose_drive(env: IsaacLabEnv, where: str, target: ActionTarget, embodiment: Embodiment) -> _Drive:
    """Find the term that takes the pose which a target names, and what the pose is told in."""
    term = str(target.term)
    if term not in env.pose_columns:
        raise ContractError(
            f"{where}: rotation is {target.rotation}, but the env has no action term '{term}' that takes the absolute "
            f"pose of a body.{did_you_mean(term, env.pose_columns)} Terms that do (DifferentialInverseKinematicsAction "
            f"whose controller has command_type pose and use_relative_mode false): "
            f"{', '.join(env.pose_columns) or 'none'}. Action terms: {_told_terms(env)}."
        )
    columns, form = env.pose_columns[term], PoseForm.of(target)
    robot = env.robots[columns.robot]
    reference = frame_in_root(env.base.scene, robot, where, target.frame)
    if target.relative_to is not None:
        state = _base_pose(where, target.relative_to, columns.body, embodiment)
        held = PoseForm.of(state).held
        form = replace(form, held=held)

        def reference() -> torch.Tensor:
            pose = env.body_pose(columns.robot, columns.body)
            return compose(pose, held.to(pose))

    place = env.action_terms[term]
    taken = list(range(place.start, place.start + place.width))
    return _Drive(taken, form.width, _Pose(form, columns, reference), target.relative_to, None)


def _base_pose(where: str, key: str, body: str, embodiment: Embodiment) -> StateSource:
    """Return the state that a pose is relative to, if it is the whole pose of the body that the pose moves."""
    state = _state(where, key, embodiment)
    if state.body != body or state.slice is not None or (state.scale, state.offset) != (1, 0):
        raise ContractError(
            f"{where}: relative_to is '{key}', but a pose is relative to the whole pose of the body that "
            f"its term moves. Write embodiment.state.{key} as {{body: {body}, rotation: ...}}, without slice, "
            "scale and offset."
        )
    return state


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
    (base_width,) = state_source(env, state, _state(where, state, embodiment)).shape
    if base_width != width:
        raise ContractError(
            f"{where}: it has {width} numbers, but embodiment.state.{state}, to which it is relative, has {base_width}."
        )


def _state(where: str, key: str, embodiment: Embodiment) -> StateSource:
    """Return the state that a key is relative to."""
    if key not in embodiment.state:
        raise ContractError(
            f"{where}: relative_to is '{key}', but the embodiment has no state of that name."
            f"{did_you_mean(key, embodiment.state)} It has: {', '.join(embodiment.state) or 'none'}."
        )
    return embodiment.state[key]


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
