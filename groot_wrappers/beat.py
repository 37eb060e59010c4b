"""Beat: what the control steps of one chunk add up to in each env, and which envs they parked."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

__all__ = ["Beat"]


class Beat:
    """Adds up the control steps of one chunk; an env whose episode ends is parked and counted no further.

    All but rewards and actions is kept on the host, so that a control step waits for a GPU once.

    Args:
        parked: bool (num_envs,), the envs that are parked; written to as episodes end, here and by others.
        device: The env's.
    """

    def __init__(self, parked: np.ndarray[Any, Any], device: torch.device) -> None:
        self._parked = parked
        self.steps = np.zeros(len(parked), np.int64)
        self.terminated, self.truncated, self.success = (np.zeros(len(parked), bool) for _ in range(3))
        self.reward = torch.zeros(len(parked), device=device)
        self._device = device
        self._look()

    @property
    def playing(self) -> np.ndarray[Any, Any]:
        """The envs whose episode goes on, bool (num_envs,); never written to."""
        return self._playing

    def held(self, action: torch.Tensor, held: torch.Tensor) -> torch.Tensor:
        """Return the action to play, (num_envs, action_dim): the new one, or for parked envs the one they hold."""
        if (self._playing == self._parked).any():
            self._look()
        return action if self._where is None else torch.where(self._where[:, None], action, held)

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
        self.reward += reward if self._where is None else torch.where(self._where, reward, 0.0)
        self.steps += self._playing
        ended = (terminated | truncated).cpu().numpy() & self._playing
        if ended.any():
            self.terminated |= ended & terminated.cpu().numpy()
            self.truncated |= ended & truncated.cpu().numpy()
            if succeeded is not None:
                self.success |= ended & succeeded().cpu().numpy()
            self._parked |= ended
            self._look()

    def _look(self) -> None:
        """Keep which envs play, on the device too; None there where all do."""
        self._playing = ~self._parked
        self._where = None if self._playing.all() else torch.as_tensor(self._playing, device=self._device)
