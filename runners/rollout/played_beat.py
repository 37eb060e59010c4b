"""PlayedBeat: what one beat brought in each env, on the host, as the rollout accounts for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from groot_wrappers.embodiment.stages import Progress
from groot_wrappers.errors import Gr00tError
from runners.episodes.row import Ended

__all__ = ["PlayedBeat"]


@dataclass(frozen=True)
class PlayedBeat:
    """What one beat brought; each list has an entry an env.

    Args:
        steps, held: Control steps played, and those for which the chunk had no action left.
        reward: Summed over them.
        terminated, truncated: Whether any of them ended the episode.
        success: The env's own success term, None where it has none.
        errors: Why an episode cannot be counted, else None.
        progress: What the episodes have come to, None where the env declares no stages.
        unanswered: The failure of the server after some control steps had been played, else None.
    """

    steps: Sequence[int]
    held: Sequence[int]
    reward: Sequence[float]
    terminated: Sequence[bool]
    truncated: Sequence[bool]
    success: Sequence[bool] | None
    errors: Sequence[str | None]
    progress: Progress | None
    unanswered: Gr00tError | None

    @classmethod
    def of(
        cls, reward: torch.Tensor, terminated: torch.Tensor, truncated: torch.Tensor, info: Mapping[str, Any]
    ) -> "PlayedBeat":
        """Take what ``Gr00tActionWrapper.step`` returns, but for the observation."""
        return cls(
            steps=info["steps"].tolist(),
            held=info["held"].tolist(),
            reward=reward.tolist(),
            terminated=terminated.tolist(),
            truncated=truncated.tolist(),
            success=None if info["success"] is None else info["success"].tolist(),
            errors=info["error"],
            progress=info["progress"],
            unanswered=info["unanswered"],
        )

    def ended(self, env_id: int) -> Ended | None:
        """Return how an env's episode ended, None while it runs. ``terminated`` alone is not success."""
        if self.errors[env_id] is not None:
            return "error"
        if self.success is not None and self.success[env_id]:
            return "success"
        if self.terminated[env_id]:
            return "failure"
        return "time_out" if self.truncated[env_id] else None

    def judged(self, env_id: int, ended: Ended) -> bool | None:
        """Return whether an episode succeeded, None where that is not judged."""
        return None if self.success is None or ended == "error" else self.success[env_id]
