"""Brightness: the pictures are brighter or darker, as under another exposure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch

from groot_wrappers.variations.variation import Draw
from groot_wrappers.variations.wire import Moment

__all__ = ["Brightness"]


@dataclass(frozen=True)
class Brightness:
    """Multiplies what is in the pictures by 2 to the power of a number of stops.

    Args:
        strength: Share of the full range, in [0, 1].
        stops: Full range, to both sides.
        keys: Video keys that are changed, None for all.
    """

    strength: float
    stops: float
    keys: Sequence[str] | None = None
    modality: ClassVar[Literal["video", "state"]] = "video"

    def draw(self, generator: np.random.Generator, strength: float) -> Draw:
        """Draw ``stops``."""
        return {"stops": strength * self.stops * generator.uniform(-1, 1)}

    def vary(self, frames: torch.Tensor, draws: Sequence[Draw], moment: Moment) -> torch.Tensor:
        """Return brighter or darker pictures."""
        gain = torch.tensor([2.0 ** drawn["stops"] for drawn in draws], device=frames.device)
        return (frames * gain[:, None, None, None]).round().clamp(0, 255).to(torch.uint8)
