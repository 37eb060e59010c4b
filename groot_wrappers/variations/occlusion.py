"""Occlusion: a patch hides a part of the pictures, as dirt on a lens does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch

from groot_wrappers.variations.variation import Draw
from groot_wrappers.variations.wire import Moment

__all__ = ["Occlusion"]


@dataclass(frozen=True)
class Occlusion:
    """Lays a grey square over the pictures, which stays where it is for an episode.

    Args:
        strength: Share of the full range, in [0, 1].
        side: Full range of its side, as a share of the picture's shorter side.
        keys: Video keys that are changed, None for all.
    """

    strength: float
    side: float
    keys: Sequence[str] | None = None
    modality: ClassVar[Literal["video", "state"]] = "video"

    def draw(self, generator: np.random.Generator, strength: float) -> Draw:
        """Draw ``x`` and ``y`` of its centre (in [0, 1], from the left and the top), ``side`` and ``grey`` (of 255)."""
        x, y, grey = generator.uniform(0, 1, 3).tolist()
        return {"x": x, "y": y, "side": strength * self.side, "grey": 255 * grey}

    def vary(self, frames: torch.Tensor, draws: Sequence[Draw], moment: Moment) -> torch.Tensor:
        """Return pictures with the patch on them."""
        height, width = frames.shape[1:3]
        x, y, side, grey = (
            torch.tensor([drawn[name] for drawn in draws], device=frames.device) for name in ("x", "y", "side", "grey")
        )
        half = (side * min(height, width) / 2)[:, None]
        across = (torch.arange(width, device=frames.device) + 0.5 - (x * width)[:, None]).abs() < half
        down = (torch.arange(height, device=frames.device) + 0.5 - (y * height)[:, None]).abs() < half
        hidden = (down[:, :, None] & across[:, None, :])[..., None]
        return torch.where(hidden, grey.round().to(torch.uint8)[:, None, None, None], frames)
