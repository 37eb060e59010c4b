"""DroppedCamera: now and then a camera gives nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch

from groot_wrappers.variations.variation import Draw
from groot_wrappers.variations.wire import Moment

__all__ = ["DroppedCamera"]


@dataclass(frozen=True)
class DroppedCamera:
    """Sends black pictures on some control steps, of each camera by itself.

    Args:
        strength: Share of the full range, in [0, 1].
        share: Full range of the share of control steps.
        keys: Video keys that are changed, None for all.
    """

    strength: float
    share: float
    keys: Sequence[str] | None = None
    modality: ClassVar[Literal["video", "state"]] = "video"

    def draw(self, generator: np.random.Generator, strength: float) -> Draw:
        """Draw ``share``; which steps it is comes from the episode's seed."""
        return {"share": strength * self.share * generator.uniform(0, 1)}

    def vary(self, frames: torch.Tensor, draws: Sequence[Draw], moment: Moment) -> torch.Tensor:
        """Return the pictures, or black ones."""
        share = torch.tensor([drawn["share"] for drawn in draws], device=frames.device)
        dropped = moment.uniform() < share
        return torch.where(dropped[:, None, None, None], torch.zeros_like(frames), frames)
