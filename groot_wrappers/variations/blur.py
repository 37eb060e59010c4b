"""Blur: the pictures are out of focus."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch

from groot_wrappers.variations.variation import Draw
from groot_wrappers.variations.wire import Moment

__all__ = ["Blur"]

REACH = 3
"""Standard deviations beyond which nothing of a pixel is left."""


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
        width = frames.shape[2]
        sigma = torch.tensor([width * drawn["radius"] for drawn in draws], device=frames.device).clamp(min=1e-3)
        # One reach for all, so that what an env is sent does not depend on its neighbours' sums.
        reach = int(np.ceil(REACH * self.radius * width))
        places = torch.arange(-reach, reach + 1, device=frames.device)
        weights = torch.exp(-0.5 * (places / sigma[:, None]) ** 2)
        kernels = (weights / weights.sum(dim=1, keepdim=True)).repeat_interleave(3, dim=0)[:, None, None, :]
        planes = frames.movedim(-1, 1).reshape(1, -1, *frames.shape[1:3]).float()
        for kernel, padding in ((kernels, (reach, reach, 0, 0)), (kernels.mT, (0, 0, reach, reach))):
            padded = torch.nn.functional.pad(planes, padding, mode="replicate")
            planes = torch.nn.functional.conv2d(padded, kernel, groups=kernel.shape[0])
        blurred = planes.reshape(len(frames), 3, *frames.shape[1:3]).movedim(1, -1)
        return blurred.round().clamp(0, 255).to(torch.uint8)
