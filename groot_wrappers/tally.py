"""Tally: what the control steps of one chunk add up to in each env, and which envs they parked."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

__all__ = ["Tally"]


class Tally:
    """Adds up the control steps of one chunk; an env whose episode ends is parked and counted no further.

    All but rewards and actions is kept on the host, so that a control step waits for a GPU once.

    Args:
        parked: bool (num_envs,), the envs that are parked; written to as episodes end, here and by others.
        device: The env's.
    """

    def __init__(self, parked: np.ndarray[Any, Any], device: torch.device) -> None:
        self.parked = parked
        self.steps = np.zeros(len(parked), np.int64)
        self.terminated, self.truncated, self.success = (np.zeros(len(parked), bool) for _ in range(3))
        self.reward = torch.zeros(len(parked), device=device)
        self._device = device
        self._look()

    def held(self, action: torch.Tensor, held: torch.Tensor) -> torch.Tensor:
        """Return the action to play, (num_envs, action_dim): the new one, or for parked envs the one they hold."""
        if not np.array_equal(self.parked, self._seen):
            self._look()
        return action if self._playing is None else torch.where(self._playing[:, None], action, held)

    def add(
        self,
        reward: torch.Tensor,
        terminated: torch.Tensor,
        truncated: torch.Tensor,
        succeeded: Callable[[], torch.Tensor] | None,
    ) -> None:
        """Count one control step.

        Args:
            reward: (num_envs,).
            terminated: bool (num_envs,).
            truncated: bool (num_envs,).
            succeeded: Reads the env's success term, bool (num_envs,), which ends an episode; None where it has none.
        """
        self.reward += reward if self._playing is None else torch.where(self._playing, reward, 0.0)
        self.steps += ~self.parked
        ended = (terminated | truncated).cpu().numpy() & ~self.parked
        if ended.any():
            self.terminated |= ended & terminated.cpu().numpy()
            self.truncated |= ended & truncated.cpu().numpy()
            if succeeded is not None:
                self.success |= ended & succeeded().cpu().numpy()
            self.parked |= ended

    def _look(self) -> None:
        """Keep on the device which envs play; None where all do."""
        self._seen = self.parked.copy()
        self._playing = torch.as_tensor(~self.parked, device=self._device) if self.parked.any() else None
