"""What all variations have in common, free of torch: they are drawn as an episode is planned.

* ``Draw``: what one variation drew for one episode.
* ``EpisodeVariation``: all that is otherwise in an episode.
* ``Variation``: what draws.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

__all__ = ["Draw", "EpisodeVariation", "Variation"]

Draw = dict[str, float]
"""What one variation drew for one episode: its numbers by name, whose units ``docs/variations.md`` says."""


@dataclass(frozen=True)
class EpisodeVariation:
    """All that is otherwise in an episode.

    Args:
        seed: Of the episode, from which what changes at each control step is drawn.
        draws: Name of a variation to what it drew; empty where nothing is otherwise.
    """

    seed: int = 0
    draws: Mapping[str, Draw] = field(default_factory=dict)


@runtime_checkable
class Variation(Protocol):
    """Draws what is otherwise in an episode.

    Attributes:
        strength: Share of the full range that is drawn from, in [0, 1].
    """

    @property
    def strength(self) -> float:
        """See above."""

    def draw(self, generator: np.random.Generator, strength: float) -> Draw:
        """Draw for one episode.

        Args:
            generator: Of this episode and this variation alone.
            strength: Share of the full range. With the same generator a smaller one draws the same change scaled down,
                and 0 none.
        """
