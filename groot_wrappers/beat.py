"""Beat: what the control steps of one chunk add up to in each env, and which envs they parked."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from groot_wrappers.errors import Gr00tError

__all__ = ["Beat"]

_DIVERGED = "The simulator diverged: the env's {} is NaN or infinite."


class Beat:
    """Adds up the control steps of one chunk; an env whose episode ends is parked and counted no further.

    All but rewards and actions is kept on the host, so that a control step waits for a GPU once.

    Args:
        parked: bool (num_envs,), the envs that are parked; written to as episodes end.
        device: The env's.
        succeeded: Reads the env's success term, bool (num_envs,), which ends an episode; None where it has none.

    Attributes:
        played: Control steps so far.
        steps: int64 (num_envs,), those of them that were part of an env's episode.
        held: int64 (num_envs,), those of them for which its chunk had no entry left, so that its last one was held.
        reward: float32 (num_envs,) on the env's device, summed over ``steps``.
        terminated, truncated, success: bool (num_envs,), of any of ``steps``.
        errors: Of each env None, or why its episode cannot be counted.
        unanswered: Why no chunk came after some control steps had been played, else None.
    """

    def __init__(
        self, parked: np.ndarray[Any, Any], device: torch.device, succeeded: Callable[[], torch.Tensor] | None
    ) -> None:
        self.played = 0
        self.steps, self.held = (np.zeros(len(parked), np.int64) for _ in range(2))
        self.reward = torch.zeros(len(parked), device=device)
        self.terminated, self.truncated, self.success = (np.zeros(len(parked), bool) for _ in range(3))
        self.errors: list[str | None] = [None] * len(parked)
        self.unanswered: Gr00tError | None = None
        self._parked = parked
        self._device = device
        self._succeeded = succeeded
        self._park(np.zeros(len(parked), bool))

    @property
    def playing(self) -> np.ndarray[Any, Any]:
        """The envs whose episode goes on, bool (num_envs,); never written to."""
        return self._playing

    def action(self, asked: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
        """Return the action to play, (num_envs, action_dim): what is asked, or for parked envs their last one."""
        return asked if self._where is None else torch.where(self._where[:, None], asked, last)

    def add(
        self,
        reward: torch.Tensor,
        terminated: torch.Tensor,
        truncated: torch.Tensor,
        ran_out: np.ndarray[Any, Any] | None,
    ) -> None:
        """Count one control step.

        Args:
            reward: (num_envs,).
            terminated: bool (num_envs,).
            truncated: bool (num_envs,).
            ran_out: bool (num_envs,), the envs whose chunk had no entry for it; None where there is no such env.
        """
        self.played += 1
        self.reward += reward if self._where is None else torch.where(self._where, reward, 0.0)
        self.steps += self._playing
        if ran_out is not None:
            self.held += self._playing & ran_out
        ended = (terminated | truncated).cpu().numpy() & self._playing
        if ended.any():
            self.terminated |= ended & terminated.cpu().numpy()
            self.truncated |= ended & truncated.cpu().numpy()
            if self._succeeded is not None:
                self.success |= ended & self._succeeded().cpu().numpy()
            self._park(ended)

    def refuse_rows(
        self,
        actions: np.ndarray[Any, Any],
        asked: Mapping[str, np.ndarray[Any, Any]],
        has_finite_state: Callable[[int], bool],
    ) -> None:
        """Park the envs whose numbers cannot be sent to a robot, so that their neighbours go on.

        Args:
            actions: float32 (num_envs, T, action_dim), what would be played.
            asked: ``{action key: float32 (num_envs, T_action, D)}``, the same as the server gave it.
            has_finite_state: Whether what the server was told of an env is finite, by its index.
        """
        bad = ~np.isfinite(actions).all(axis=(1, 2)) & self._playing
        for env_id in np.flatnonzero(bad).tolist():
            keys = [key for key, values in asked.items() if not np.isfinite(values[env_id]).all()]
            self.errors[env_id] = (
                f"The server's action for {', '.join(keys)} holds NaN or infinity. "
                "Look at the checkpoint and at the statistics that it normalises with."
                if has_finite_state(env_id)
                else _DIVERGED.format("state")
            )
        if bad.any():
            self._park(bad)

    def outcome(
        self, observation: Any, info: Mapping[str, Any]
    ) -> tuple[Any, torch.Tensor, torch.Tensor, torch.Tensor, dict[str, Any]]:
        """Return what gym's ``step`` does, once the envs are parked where the simulator has diverged.

        Args:
            observation: After the last control step; None where none was played.
            info: The env's, of that step.
        """
        sane = np.isfinite(self.reward.cpu().numpy())
        if observation is not None:
            for values in observation["state"].values():
                sane &= np.isfinite(values).reshape(len(sane), -1).all(axis=1) | self._parked
        diverged = (self.steps > 0) & ~sane
        for env_id in np.flatnonzero(diverged):
            self.errors[env_id] = _DIVERGED.format("state or reward")
        self._park(diverged)
        steps, held, terminated, truncated, success = (
            torch.as_tensor(values, device=self._device)
            for values in (self.steps, self.held, self.terminated, self.truncated, self.success)
        )
        told = dict(info) | {"steps": steps, "success": None if self._succeeded is None else success}
        told |= {"error": self.errors, "held": held, "unanswered": self.unanswered}
        return observation, self.reward, terminated, truncated, told

    def _park(self, envs: np.ndarray[Any, Any]) -> None:
        """Park some envs, bool (num_envs,), and keep which play, on the device too; None there where all do."""
        self._parked |= envs
        self._playing = ~self._parked
        self._where = None if self._playing.all() else torch.as_tensor(self._playing, device=self._device)
