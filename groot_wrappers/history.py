"""History: the frames of past control steps that a server's delta indices ask for."""

from collections import deque
from collections.abc import Sequence

import torch

from groot_wrappers.modality import require_moments

__all__ = ["History"]


class History:
    """Frames of the present and of past control steps, per env.

    The episode's first frame stands in for steps before the episode began, as GR00T's data loader does.

    Args:
        delta_indices: Control steps relative to the present, oldest first, none above 0; ``(-15, 0)`` is the present
            and the frame of 15 control steps ago.

    Raises:
        ContractError: The indices are empty, not ascending, or reach into the future or too far back.
    """

    def __init__(self, delta_indices: Sequence[int]) -> None:
        self.delta_indices = tuple(delta_indices)
        require_moments(self.delta_indices)
        self._frames: deque[torch.Tensor] = deque(maxlen=1 - min(self.delta_indices))

    @property
    def reaches_back(self) -> bool:
        """Whether frames of past steps are needed, so that every control step has to be read."""
        return self.delta_indices[0] < 0

    def restart(self, frame: torch.Tensor, env_ids: torch.Tensor) -> None:
        """Begin anew for some envs.

        Args:
            frame: The present frame of all envs, (num_envs, ...). For envs outside ``env_ids`` it must be the frame
                that the history holds already.
            env_ids: int64 indices of the envs whose past is forgotten.
        """
        if not self._frames:
            self._frames.extend([frame] * (self._frames.maxlen or 1))
            return
        for position, past in enumerate(self._frames):
            renewed = past.clone()
            renewed[env_ids] = frame[env_ids]
            self._frames[position] = renewed

    def append(self, frame: torch.Tensor) -> None:
        """Add the frame of one more control step of all envs, (num_envs, ...)."""
        self._frames.append(frame)

    def sample(self) -> torch.Tensor:
        """Return the frames at the delta indices, oldest first, (num_envs, T, ...)."""
        return torch.stack([self._frames[index - 1] for index in self.delta_indices], dim=1)
