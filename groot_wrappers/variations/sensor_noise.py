"""SensorNoise: the pictures are grainy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch

from groot_wrappers.variations.variation import Draw
from groot_wrappers.variations.wire import Moment

__all__ = ["SensorNoise"]


@dataclass(frozen=True)
class SensorNoise:
    """Adds normal noise to each channel of each pixel, anew at each control step.

    Args:
        strength: Share of the full range, in [0, 1].
        levels: Full range of its standard deviation, of 255.
        keys: Video keys that are changed, None for all.
    """

    strength: float
    levels: float
    keys: Sequence[str] | None = None
    modality: ClassVar[Literal["video", "state"]] = "video"

    def draw(self, generator: np.random.Generator, strength: float) -> Draw:
        """Draw ``levels``; the noise itself comes from the episode's seed."""
        return {"levels": strength * self.levels * generator.uniform(0, 1)}

    def vary(self, frames: torch.Tensor, draws: Sequence[Draw], moment: Moment) -> torch.Tensor:
        """Return grainy pictures."""
        levels = torch.tensor([drawn["levels"] for drawn in draws], device=frames.device)
        noisy = frames + levels[:, None, None, None] * moment.normal(*frames.shape[1:])
        return noisy.round().clamp(0, 255).to(torch.uint8)
