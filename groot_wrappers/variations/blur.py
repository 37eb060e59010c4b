"""Blur: the pictures are out of focus."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch

from groot_wrappers.variations.variation import Draw
from groot_wrappers.variations.wire import Moment

__all__ = ["Blur"]


@dataclass(frozen=True)
class Blur:
    """Blurs pictures by a Gaussian, as wide for a small picture as for a large one of the same scene.

    Args:
        strength: Share of the full range, in [0, 1].
        radius: Full range of the standard deviation, as a share of the picture's width.
        keys: Video keys that are changed, None for all.
    """

    strength: float
    radius: float
    keys: Sequence[str] | None = None
    modality: ClassVar[Literal["video", "state"]] = "video"

    def draw(self, generator: np.random.Generator, strength: float) -> Draw:
        """Draw ``radius``."""
        return {"radius": strength * self.radius * generator.uniform(0, 1)}

    def vary(self, frames: torch.Tensor, draws: Sequence[Draw], moment: Moment) -> torch.Tensor:
        """Return blurred pictures."""
        height, width = frames.shape[1:3]
        blurred = torch.empty_like(frames)
        # One by one: what an env is sent does not depend on how many are multiplied together.
        for picture, frame, drawn in zip(blurred, frames, draws, strict=True):
            down, across = (_weights(size, width * drawn["radius"], frames.device) for size in (height, width))
            planes = down @ frame.movedim(-1, 0).float() @ across.T
            picture[:] = planes.movedim(0, -1).round().clamp(0, 255)
        return blurred


def _weights(size: int, deviation: float, device: torch.device) -> torch.Tensor:
    """Return how much of each pixel of a row goes into each, float32 (size, size); beyond the border there is none."""
    places = torch.arange(size, device=device, dtype=torch.float32)
    weights = torch.exp(-0.5 * ((places - places[:, None]) / max(deviation, 1e-3)) ** 2)
    return weights / weights.sum(dim=1, keepdim=True)
