"""Gr00tActionWrapper: plays a GR00T action chunk on an env, control step by control step, and parks ended episodes.

Classes:
    ControlStepWatcher: what may look at every control step of a chunk.
    Gr00tActionWrapper: the wrapper.
"""

import re
from collections.abc import Mapping
from typing import Any, Protocol

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces

from groot_wrappers.embodiment import ActionTarget, Embodiment
from groot_wrappers.errors import ContractError

__all__ = ["ControlStepWatcher", "Gr00tActionWrapper"]


class ControlStepWatcher(Protocol):
    """Looks at the control steps inside a chunk, which no caller of ``step`` sees."""

    def __call__(self, observation: Any, playing: np.ndarray[Any, Any]) -> None:
        """See one control step.

        Args:
            observation: The observation after the step; reading its pixels draws them.
            playing: bool (num_envs,), the envs whose episode goes on after the step.
        """


class Gr00tActionWrapper(gym.Wrapper[Any, Any, Any, Any]):
    """Takes chunks ``{key: (num_envs, T_action, D)}`` and plays the first ``execution`` control steps of each.

    An env whose episode ends within a chunk is **parked**: IsaacLab has already begun an episode of its own there, of
    which nothing is counted; the env holds its last action until ``reset`` begins the next planned episode. So every
    chunk is played from its start, and ``execution - 1`` idle steps an episode are the price.

    Args:
        env: An env wrapped by :class:`Gr00tObservationWrapper`, or any vectorised env with IsaacLab's
            ``action_manager``; the first reset must have been made through this wrapper.
        embodiment: Its ``action`` maps the server's action keys onto the env's action terms.
        execution: Control steps that are played of each chunk; 1 is the plain gym step.
        horizon: T_action of the chunks that will come; ``execution`` where it is not known.
        watcher: Called after every control step.

    Raises:
        ContractError: A target names no joint or term of the env, two keys drive one column of the env's action, a
            column is driven by none, or ``execution`` does not fit into ``horizon``.
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        embodiment: Embodiment,
        execution: int = 1,
        *,
        horizon: int | None = None,
        watcher: ControlStepWatcher | None = None,
    ) -> None:
        super().__init__(env)
        horizon = execution if horizon is None else horizon
        if not 1 <= execution <= horizon:
            raise ContractError(
                f"horizons.execution={execution} was asked for, but the server's chunks hold {horizon} control steps. "
                f"Set horizons.execution to 1 ... {horizon}."
            )
        base: Any = env.unwrapped
        self.num_envs: int = base.num_envs
        self.device = torch.device(base.device)
        self.execution = execution
        self._watcher = watcher
        self._columns = _match_columns(embodiment.action, base)
        # Keys whose target holds a constant are not read from chunks.
        self._constants = {
            key: (self._columns.pop(key), float(target.hold))
            for key, target in embodiment.action.items()
            if target.hold is not None
        }
        self._held = torch.zeros((self.num_envs, base.action_manager.total_action_dim), device=self.device)
        self._parked = torch.ones(self.num_envs, dtype=torch.bool, device=self.device)
        self._has_success = "success" in base.termination_manager.active_terms
        rewards = getattr(base, "reward_manager", None)
        self.has_rewards = rewards is None or bool(rewards.active_terms)
        """False for an env that is configured without reward terms, whose rewards of 0 mean nothing."""

        self.action_space = spaces.Dict(
            {
                key: spaces.Box(-np.inf, np.inf, (self.num_envs, horizon, len(columns)), np.float32)
                for key, columns in self._columns.items()
            }
        )

    @property
    def parked(self) -> torch.Tensor:
        """The envs that wait for a reset, bool (num_envs,)."""
        return self._parked.clone()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin episodes in all envs or in those of ``options["env_ids"]``, and unpark them.

        See :meth:`Gr00tObservationWrapper.reset` for the options.
        """
        observation, info = self.env.reset(seed=seed, options=options)
        self._parked[list((options or {}).get("env_ids", range(self.num_envs)))] = False
        return observation, info

    def step(  # type: ignore[override]  # gym.Env declares scalars, IsaacLab's envs are vectorised
        self, chunk: Mapping[str, np.ndarray[Any, Any] | torch.Tensor]
    ) -> tuple[Any, torch.Tensor, torch.Tensor, torch.Tensor, dict[str, Any]]:
        """Play up to ``execution`` control steps of a chunk; stop early once every env is parked.

        Args:
            chunk: ``{action key: float32 (num_envs, T_action, D)}``, T_action at least ``execution``, in the units
                that the embodiment's target takes (joints: absolute positions in rad or m). Rows of parked envs are
                ignored. A row with a number that is not finite is not played: its episode ends as an error.

        Returns:
            Observation after the last control step; reward float32, terminated and truncated bool, all (num_envs,), on
            the env's device: the reward is summed while the episode ran, the flags are those of any of its steps.
            ``info`` has ``steps`` int64 (num_envs,), the control steps played; ``success`` bool (num_envs,), the env's
            own success term read before IsaacLab's autoreset hides it, or None where the env has none; ``error``, a
            list of num_envs entries: None, or why the episode cannot be counted.

        Raises:
            ContractError: A key is missing, a shape does not fit, or all envs are parked.
        """
        actions = self._to_actions(chunk)
        if bool(self._parked.all()):
            raise ContractError("Every env is parked: its episode has ended. Call reset before the next step.")
        errors: list[str | None] = [None] * self.num_envs
        self._park_rows_that_are_not_finite(actions, chunk, errors)

        env: Any = self.env
        terminations = env.unwrapped.termination_manager
        reward_sum = torch.zeros(self.num_envs, device=self.device)
        terminated_any, truncated_any, success = (torch.zeros_like(self._parked) for _ in range(3))
        steps = torch.zeros(self.num_envs, dtype=torch.int64, device=self.device)
        observation: Any = None
        info: dict[str, Any] = {}
        for step in range(self.execution):
            playing = ~self._parked
            self._held = torch.where(playing[:, None], actions[:, step], self._held)
            observation, reward, terminated, truncated, info = env.step(self._held)
            reward_sum += torch.where(playing, reward, torch.zeros_like(reward))
            steps += playing
            terminated_any |= playing & terminated
            truncated_any |= playing & truncated
            if self._has_success:
                # IsaacLab keeps the term's value from before the autoreset (TerminationManager.get_term).
                success |= playing & terminations.get_term("success")
            self._parked |= terminated | truncated
            if self._watcher is not None:
                self._watcher(observation, (~self._parked).cpu().numpy())
            if bool(self._parked.all()):
                break
        self._report_states_that_are_not_finite(observation, steps > 0, reward_sum, errors)
        info = dict(info) | {"steps": steps, "success": success if self._has_success else None, "error": errors}
        return observation, reward_sum, terminated_any, truncated_any, info

    def _to_actions(self, chunk: Mapping[str, np.ndarray[Any, Any] | torch.Tensor]) -> torch.Tensor:
        """Lay the keys of a chunk out as the env's action, (num_envs, T_action, action_dim)."""
        missing = sorted(set(self._columns) - set(chunk))
        if missing:
            raise ContractError(
                f"The action lacks {', '.join(missing)}; it has {', '.join(sorted(chunk)) or 'nothing'}. "
                "The keys of embodiment.action must be the action keys of the server."
            )
        parts = {key: torch.as_tensor(chunk[key], dtype=torch.float32) for key in self._columns}
        horizons = {part.shape[1] if part.dim() == 3 else 0 for part in parts.values()}
        length = max(horizons)
        for key, columns in self._columns.items():
            shape = tuple(parts[key].shape)
            if shape != (self.num_envs, length, len(columns)) or length < self.execution:
                raise ContractError(
                    f"The action '{key}' has the shape {shape}, but ({self.num_envs}, T >= {self.execution}, "
                    f"{len(columns)}) is played here: envs, control steps, and the width of embodiment.action.{key}. "
                    f"Mend the target of embodiment.action.{key}, or set horizons.execution to what the server's "
                    "chunks hold."
                )
        actions = torch.zeros((self.num_envs, length, self._held.shape[1]))
        for key, columns in self._columns.items():
            actions[:, :, columns] = parts[key].cpu()
        for columns, constant in self._constants.values():
            actions[:, :, columns] = constant
        return actions.to(self.device)

    def _park_rows_that_are_not_finite(
        self, actions: torch.Tensor, chunk: Mapping[str, Any], errors: list[str | None]
    ) -> None:
        """Park the envs whose numbers cannot be sent to a robot, so that their neighbours go on."""
        bad = ~actions[:, : self.execution].isfinite().all(dim=(1, 2)) & ~self._parked
        for env_id in bad.nonzero().flatten().tolist():
            keys = [key for key in self._columns if not np.isfinite(np.asarray(chunk[key][env_id])).all()]
            errors[env_id] = (
                f"The server's action for {', '.join(keys)} holds NaN or infinity. "
                "Look at the checkpoint and at the statistics that it normalises with."
            )
        self._parked |= bad

    def _report_states_that_are_not_finite(
        self, observation: Any, played: torch.Tensor, reward: torch.Tensor, errors: list[str | None]
    ) -> None:
        """Park the envs where the simulator has diverged."""
        sane = reward.isfinite()
        if observation is not None:
            for values in observation["state"].values():
                finite = np.isfinite(values).reshape(self.num_envs, -1).all(axis=1)
                sane &= torch.as_tensor(finite, device=self.device) | self._parked
        diverged = played & ~sane
        for env_id in diverged.nonzero().flatten().tolist():
            errors[env_id] = "The simulator diverged: the env's state or reward is NaN or infinite."
        self._parked |= diverged


def _match_columns(targets: Mapping[str, ActionTarget], base: Any) -> dict[str, list[int]]:
    """Return, for each action key, the columns of the env's action that it drives, in the key's order."""
    terms = dict(zip(base.action_manager.active_terms, base.action_manager.action_term_dim, strict=True))
    starts = dict(zip(terms, np.cumsum([0, *terms.values()]).tolist(), strict=False))
    joints = _joint_columns(base, starts)
    columns: dict[str, list[int]] = {}
    for key, target in targets.items():
        if target.term is not None:
            if target.term not in terms:
                raise ContractError(
                    f"embodiment.action.{key}: the env has no action term '{target.term}'. It has: {', '.join(terms)}."
                )
            columns[key] = list(range(starts[target.term], starts[target.term] + terms[target.term]))
            continue
        columns[key] = []
        for pattern in target.joints or ():
            found = [column for name, column in joints.items() if re.fullmatch(pattern, name)]
            if not found:
                raise ContractError(
                    f"embodiment.action.{key}: no term of the env takes absolute positions of a joint that matches "
                    f"'{pattern}'. Joints with such a term (JointPositionAction, scale=1.0, use_default_offset=False): "
                    f"{', '.join(joints) or 'none'}."
                )
            columns[key] += found
    driven = [column for key in columns for column in columns[key]]
    twice = sorted({column for column in driven if driven.count(column) > 1})
    unfilled = sorted(set(range(sum(terms.values()))) - set(driven))
    if twice or unfilled:
        names = {column: name for name, column in joints.items()}
        listed = ", ".join(names.get(column, f"column {column}") for column in twice or unfilled)
        problem = "more than one key drives" if twice else "no key drives"
        raise ContractError(
            f"embodiment.action: {problem} {listed}. Every part of the env's action ({terms}) takes exactly one key."
        )
    return columns


def _joint_columns(base: Any, starts: Mapping[str, int]) -> dict[str, int]:
    """Return the column of the env's action that sets the absolute position of each joint, in the terms' order."""
    columns: dict[str, int] = {}
    for term, start in starts.items():
        cfg = base.action_manager.get_term(term).cfg
        # Only IsaacLab's JointPositionAction without scale and offset takes absolute positions as a server sends them.
        absolute = type(base.action_manager.get_term(term)).__name__ == "JointPositionAction"
        if absolute and cfg.scale == 1 and cfg.offset == 0 and not cfg.use_default_offset:
            _, names = base.scene[cfg.asset_name].find_joints(cfg.joint_names, preserve_order=cfg.preserve_order)
            columns |= {name: start + position for position, name in enumerate(names)}
    return columns
