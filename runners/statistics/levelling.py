"""Runs in an order, as checkpoints by step: which of them are shown to differ, and from which on none is.

Every run is compared with every later one, on the starts that both have had. So many tests would find differences by
chance: Holm's procedure keeps the chance of a single false one, of all pairs together, at 5% at most.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from runners.episodes.row import EpisodeRow
from runners.statistics.comparison import Comparison, NothingInCommonError, compare
from runners.statistics.intervals import ALPHA

__all__ = ["Levelling", "Pair", "find_level"]


@dataclass(frozen=True)
class Pair:
    """Two of the runs.

    Args:
        comparison: Of the episodes that they have in common, A the earlier run.
        p_value: McNemar's, by Holm over all pairs: what is at most 5% is shown to differ.
    """

    comparison: Comparison
    p_value: float

    @property
    def differs(self) -> bool:
        """Whether the runs are shown to differ."""
        return self.p_value <= ALPHA


@dataclass(frozen=True)
class Levelling:
    """What the comparison of all pairs shows.

    Args:
        runs: How many there are.
        pairs: By the numbers of both runs, the earlier first; those without an episode in common are not there.
        begin: The first run such that neither it nor a later one is shown to differ from any that comes after. At the
            latest the last one, after which none comes.
    """

    runs: int
    pairs: dict[tuple[int, int], Pair]
    begin: int


def find_level(runs: Sequence[Sequence[EpisodeRow]]) -> Levelling:
    """Compare each run with each later one.

    Args:
        runs: In their order, at least one; of each the last row of each episode.
    """
    found: dict[tuple[int, int], Comparison] = {}
    for earlier, later in combinations(range(len(runs)), 2):
        try:
            found[earlier, later] = compare(runs[earlier], runs[later])
        except NothingInCommonError:
            continue
    adjusted = _by_holm([comparison.p_value for comparison in found.values()])
    pairs = {key: Pair(each, p) for (key, each), p in zip(found.items(), adjusted, strict=True)}
    begin = max((earlier + 1 for (earlier, _), pair in pairs.items() if pair.differs), default=0)
    return Levelling(len(runs), pairs, begin)


def _by_holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values that may each be held against one level; statsmodels' own takes half a second, for a clean-up."""
    raw = np.asarray(p_values)
    order = np.argsort(raw)
    adjusted = np.empty_like(raw)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(raw[order] * np.arange(len(raw), 0, -1)))
    return [float(p) for p in adjusted]
