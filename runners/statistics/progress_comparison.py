"""Two runs side by side by how far their episodes came, paired by seed and instruction as for their success.

A pair in which one policy came further and neither succeeded, or both did, tells them apart here, and does not there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from runners.episodes.row import EpisodeRow
from runners.statistics.bounded_mean import mean_interval
from runners.statistics.comparison import points
from runners.statistics.intervals import ALPHA

__all__ = ["ProgressComparison", "compare_progress"]

RESAMPLES = 9999
"""Of the pairs' signs, where all there are would be more than that."""


@dataclass(frozen=True)
class ProgressComparison:
    """How far the episodes came that two runs, A and B, have in common.

    Args:
        a, b: The progress of each pair's episodes, in the order of A's plan.
        left_out: Episodes in common of which one run's tells no progress: it ended in an error.
    """

    a: tuple[float, ...]
    b: tuple[float, ...]
    left_out: int

    @property
    def difference(self) -> float:
        """Mean progress of B less that of A."""
        return float(np.mean(self.b) - np.mean(self.a))

    @property
    def interval(self) -> tuple[float, float]:
        """95% interval of the difference, which holds for any distribution of the pairs' differences in [-1, 1].

        It takes more pairs than the test to leave 0 out: the test asks alone whether A and B could be swapped.
        """
        halves = [(b - a + 1) / 2 for a, b in zip(self.a, self.b, strict=True)]
        low, high = mean_interval(halves, "wilson")
        return 2 * low - 1, 2 * high - 1

    @property
    def p_value(self) -> float:
        """Paired permutation test (scipy): how often the difference is as large if A and B are swapped in any pairs."""
        if len(self.a) < 2:
            return 1.0

        def difference(a: Any, b: Any, axis: int) -> Any:
            return np.mean(b - a, axis=axis)

        test = scipy.stats.permutation_test(
            (np.array(self.a), np.array(self.b)),
            difference,
            permutation_type="samples",
            vectorized=True,
            n_resamples=RESAMPLES,
            rng=np.random.default_rng(0),
        )
        return float(test.pvalue)

    def tell(self) -> list[str]:
        """Say it in lines."""
        low, high = self.interval
        further, shorter = (sum(sign * (b - a) > 0 for a, b in zip(self.a, self.b, strict=True)) for sign in (1, -1))
        lines = [
            f"Progress: A {np.mean(self.a):.1%}, B {np.mean(self.b):.1%}; B - A = {points(self.difference)} points "
            f"(95% interval {points(low)} to {points(high)}, by bets, paired); of {len(self.a)} pairs B came "
            f"further in {further}, A in {shorter}",
            f"Paired permutation test: p = {self.p_value:.3g}; "
            + ("the runs differ" if self.p_value <= ALPHA else "no difference is shown")
            + f" at the level of {ALPHA:.0%}",
        ]
        if self.left_out:
            lines.append(f"{self.left_out} more in common are left out: one of the runs ended in an error there")
        return lines


def compare_progress(pairs: Sequence[tuple[EpisodeRow, EpisodeRow]]) -> ProgressComparison | None:
    """Compare pairs of episodes, each of A's and B's; None where none of them tells its progress in both.

    Args:
        pairs: The last row of each, in the order of A's plan.
    """
    told = [(first.progress, second.progress) for first, second in pairs]
    judged = [(first, second) for first, second in told if first is not None and second is not None]
    if not judged:
        return None
    return ProgressComparison(
        a=tuple(first for first, _ in judged), b=tuple(second for _, second in judged), left_out=len(told) - len(judged)
    )
