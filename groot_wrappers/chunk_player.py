"""ChunkPlayer: which entry of which chunk each env plays at which control step.

Classes:
    Entry: what is played at one control step.
    ChunkPlayer: the chunks in hand, and how far each env has come.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

__all__ = ["ChunkPlayer", "Entry"]


@dataclass(frozen=True)
class Entry:
    """What is played at one control step.

    Args:
        action: float32 (num_envs, action_dim), the env's action.
        asked: ``{action key: float32 (num_envs, D)}``, the same under the server's keys and in its numbers.
        ran_out: bool (num_envs,), the envs whose chunk has no entry for the step, so that its last one is held; None
            where there is no such env.
    """

    action: torch.Tensor
    asked: dict[str, np.ndarray[Any, Any]]
    ran_out: np.ndarray[Any, Any] | None


class ChunkPlayer:
    """Keeps the chunk that each env plays, and the entry that comes next.

    A chunk that comes late takes over at the entry of its own control step: what it was to play before has been played
    by the chunk before it. An env that has begun an episode has none before, and stands still; the state that its first
    chunk was asked for is still its state, so that the chunk is played from its first entry.

    Args:
        num_envs: Envs side by side.
    """

    def __init__(self, num_envs: int) -> None:
        self._actions = torch.zeros((num_envs, 1, 0))
        self._asked: dict[str, np.ndarray[Any, Any]] = {}
        self._taken = 0  # since the chunks came
        self._skipped = np.zeros(num_envs, np.int64)  # entries before the first that an env takes
        self._in_step = True  # whether all envs take the same entry
        self._begun = np.zeros(num_envs, bool)

    @property
    def begun(self) -> np.ndarray[Any, Any]:
        """The envs that have begun an episode since the last chunk came, bool (num_envs,)."""
        return self._begun

    def begin(self, env_ids: Sequence[int]) -> None:
        """Know of envs that begin an episode: what they have played so far is over."""
        self._begun[env_ids] = True

    def load(self, actions: torch.Tensor, asked: Mapping[str, np.ndarray[Any, Any]], steps: int = 0) -> None:
        """Take the chunks of all envs.

        Args:
            actions: float32 (num_envs, T, action_dim), on the env's device.
            asked: ``{action key: float32 (num_envs, T, D)}``, the same as the server gave it.
            steps: Control steps since the chunks were asked for.
        """
        self._actions, self._asked = actions, dict(asked)
        self._taken, self._skipped = 0, np.where(self._begun, 0, steps)
        self._in_step = bool((self._skipped == self._skipped[0]).all())
        self._begun[:] = False

    def hold(self, actions: torch.Tensor, asked: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Let the envs that have begun an episode play this until their first chunk comes.

        Args:
            actions: float32 (num_envs, 1, action_dim), on the env's device; rows of other envs are not looked at.
            asked: ``{action key: float32 (num_envs, 1, D)}``.
        """
        if not self._asked:
            self._actions, self._asked = actions, dict(asked)
            return
        begun = torch.as_tensor(self._begun, device=actions.device)
        self._actions = torch.where(begun[:, None, None], actions, self._actions)
        self._asked = {
            key: np.where(self._begun[:, None, None], asked[key], values) for key, values in self._asked.items()
        }
        self._skipped[self._begun] = -self._taken
        self._in_step = False

    def take(self) -> Entry:
        """Return what is played at the next control step, and go on."""
        length = self._actions.shape[1]
        taken, self._taken = self._taken, self._taken + 1
        if self._in_step and taken + self._skipped[0] < length:  # nearly always; a few microseconds
            entry = taken + int(self._skipped[0])
            asked = {key: values[:, entry] for key, values in self._asked.items()}
            return Entry(self._actions[:, entry], asked, None)
        entries = self._skipped + taken
        index, ran_out = np.minimum(entries, length - 1), (entries >= length) & ~self._begun
        rows = np.arange(len(index))
        asked = {key: values[rows, index] for key, values in self._asked.items()}
        device = self._actions.device
        at = torch.as_tensor(rows, device=device), torch.as_tensor(index, device=device)
        return Entry(self._actions[at], asked, ran_out)
