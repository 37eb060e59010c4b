"""StateNoise: what the policy is told of the robot is inexact."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch

from groot_wrappers.variations.variation import Draw
from groot_wrappers.variations.wire import Moment

__all__ = ["StateNoise"]


@dataclass(frozen=True)
class StateNoise:
    """Adds normal noise to each number of the states, anew at each control step.

    Actions that are relative to a state are so to the one that was sent, as on a robot that knows no other.

    Args:
        strength: Share of the full range, in [0, 1].
        deviation: Full range of its standard deviation, in the units of the states: rad, m.
        keys: State keys that are changed, None for all.
    """

    strength: float
    deviation: float
    keys: Sequence[str] | None = None
    modality: ClassVar[Literal["video", "state"]] = "state"

    def draw(self, generator: np.random.Generator, strength: float) -> Draw:
        """Draw ``deviation``; the noise itself comes from the episode's seed."""
        return {"deviation": strength * self.deviation * generator.uniform(0, 1)}

    def vary(self, frames: torch.Tensor, draws: Sequence[Draw], moment: Moment) -> torch.Tensor:
        """Return inexact states."""
        deviation = torch.tensor([drawn["deviation"] for drawn in draws], device=frames.device)
        return frames + deviation[:, None] * moment.normal(*frames.shape[1:])
