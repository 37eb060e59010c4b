"""What the variations of a run draw for its episodes, as they are planned.

* ``draws_of``: what one episode is varied by.
* ``varied``: a plan with that in it.
"""

from collections.abc import Sequence
from dataclasses import replace
from zlib import crc32

import numpy as np

from groot_wrappers.variations.variation import Draw
from runners.episodes.plan import PlannedEpisode
from runners.variations.arms import with_arms
from runners.variations.settings import VariationSettings

__all__ = ["draws_of", "varied"]

DIGITS = 6
"""Of what is drawn, so that a row can be read."""


def draws_of(variations: VariationSettings, seed: int, share: float = 1.0) -> dict[str, Draw]:
    """Return what each variation draws for an episode, by its name.

    Each has a generator of its own, seeded by the episode and its name: it draws the same whatever is stacked on it,
    and the episode begins as it does without any.

    Args:
        variations: Of the run.
        seed: Of the episode.
        share: Of each one's own strength. A smaller one draws the same change scaled down, and 0 none.
    """
    drawn = {
        kind: variation.draw(np.random.default_rng([seed, crc32(kind.encode())]), share * variation.strength)
        for kind, variation in variations.kinds.items()
    }
    return {kind: {name: round(float(number), DIGITS) for name, number in draw.items()} for kind, draw in drawn.items()}


def varied(plan: Sequence[PlannedEpisode], variations: VariationSettings) -> list[PlannedEpisode]:
    """Return a plan whose episodes are varied, each in all arms; where nothing varies, the plan as it is."""
    if not variations.kinds:
        return list(plan)
    return [
        replace(episode, variation=draws_of(variations, episode.seed, episode.strength))
        if episode.strength
        else episode
        for episode in with_arms(plan, variations.strengths)
    ]
