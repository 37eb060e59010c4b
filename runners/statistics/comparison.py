"""Two runs side by side, episode by episode: whether they differ, by how much, and what could have been seen.

Episodes are paired by seed and instruction, so that both runs have had the same starts. That takes the luck of the
starts out of the difference.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import scipy

from groot_wrappers.errors import Gr00tError
from runners.episodes.row import EpisodeRow
from runners.statistics.intervals import ALPHA

__all__ = [
    "Comparison",
    "NothingInCommonError",
    "compare",
    "compare_pairs",
    "pairs_of",
    "points",
    "smallest_difference",
]

POWER = 0.8


class NothingInCommonError(Gr00tError):
    """Two runs have no episode in common."""


@dataclass(frozen=True)
class Comparison:
    """How the episodes ended that two runs, A and B, have in common.

    Args:
        both, only_a, only_b, neither: Episodes by which of the runs succeeded.
        left_out: Episodes in common that one of them did not judge.
    """

    both: int
    only_a: int
    only_b: int
    neither: int
    left_out: int

    @property
    def pairs(self) -> int:
        """Episodes that both have judged."""
        return self.both + self.only_a + self.only_b + self.neither

    @property
    def difference(self) -> float:
        """Success rate of B less that of A, over the pairs."""
        return (self.only_b - self.only_a) / self.pairs

    @property
    def p_value(self) -> float:
        """McNemar's exact test: how likely such lopsided pairs are if neither is better."""
        from statsmodels.stats.contingency_tables import mcnemar  # noqa: PLC0415  # takes seconds to import

        table = [[self.both, self.only_a], [self.only_b, self.neither]]
        return float(mcnemar(table, exact=True).pvalue)

    @property
    def interval(self) -> tuple[float, float]:
        """95% interval of the difference: Bonett and Price's, half a pair added to each of the four counts.

        Bonett and Price, "Adjusted Wald confidence interval for a difference of binomial proportions based on paired
        data", 2012. Neither scipy nor statsmodels has an interval for paired differences.
        """
        only_a, only_b = ((pairs + 1) / (self.pairs + 2) for pairs in (self.only_a, self.only_b))
        difference = only_b - only_a
        margin = scipy.stats.norm.ppf(1 - ALPHA / 2) * sqrt((only_a + only_b - difference**2) / (self.pairs + 2))
        return max(-1.0, float(difference - margin)), min(1.0, float(difference + margin))

    @property
    def smallest_difference(self) -> float | None:
        """The difference that this many pairs show with a probability of 80%; None where they show none at all."""
        return smallest_difference(self.pairs, (self.only_a + self.only_b) / self.pairs)

    @property
    def rate_a(self) -> float:
        """Success rate of A, over the pairs."""
        return (self.both + self.only_a) / self.pairs

    @property
    def rate_b(self) -> float:
        """Success rate of B, over the pairs."""
        return (self.both + self.only_b) / self.pairs

    def tell(self) -> list[str]:
        """Say it in lines."""
        low, high = self.interval
        lines = [
            f"{self.pairs} episodes in common (same seed and instruction): both succeeded in {self.both}, A alone in "
            f"{self.only_a}, B alone in {self.only_b}, neither in {self.neither}",
            f"Success rate: A {self.rate_a:.1%}, B {self.rate_b:.1%}; B - A = {points(self.difference)} points "
            f"(95% interval {points(low)} to {points(high)}, Bonett-Price, paired)",
            f"McNemar's exact test: p = {self.p_value:.3g}; "
            + ("the runs differ" if self.p_value <= ALPHA else "no difference is shown")
            + f" at the level of {ALPHA:.0%}",
            self._tell_what_could_be_seen(),
        ]
        if self.left_out:
            lines.append(f"{self.left_out} more in common are left out: one of the runs did not judge them")
        return lines

    def _tell_what_could_be_seen(self) -> str:
        smallest = self.smallest_difference
        if smallest is None:
            return f"{self.pairs} episodes could not have shown any difference: play more"
        return (
            f"{self.pairs} episodes could have shown a difference of {100 * smallest:.1f} points or more "
            f"(with a power of {POWER:.0%} at the level of {ALPHA:.0%}); a smaller one needs more episodes"
        )


def compare(a: Sequence[EpisodeRow], b: Sequence[EpisodeRow], *, errors_fail: bool = False) -> Comparison:
    """Pair the episodes of two runs.

    Args:
        a: The last row of each episode of the one run.
        b: The same of the other.
        errors_fail: Count episodes that ended in an error as failures, instead of leaving them out.

    Raises:
        NothingInCommonError: They share no episode that both have judged.
    """
    shared = pairs_of(a, b)
    if not shared:
        raise NothingInCommonError(_why_nothing_is_shared(a, b))
    comparison = compare_pairs(shared, errors_fail=errors_fail)
    if comparison is None:
        raise NothingInCommonError(
            f"The runs share {len(shared)} episodes, but judged none of them both: an episode that ended in an error, "
            "or whose env has no success term, is no success and no failure."
        )
    return comparison


def compare_pairs(pairs: Sequence[tuple[EpisodeRow, EpisodeRow]], *, errors_fail: bool = False) -> Comparison | None:
    """Count how pairs of episodes ended, each of A's and B's; None where none of them was judged in both.

    Args:
        pairs: The last row of each.
        errors_fail: As of ``compare``.
    """
    outcomes = [(_outcome(first, errors_fail), _outcome(second, errors_fail)) for first, second in pairs]
    judged = [pair for pair in outcomes if None not in pair]
    if not judged:
        return None
    return Comparison(
        both=judged.count((True, True)),
        only_a=judged.count((True, False)),
        only_b=judged.count((False, True)),
        neither=judged.count((False, False)),
        left_out=len(pairs) - len(judged),
    )


def pairs_of(a: Sequence[EpisodeRow], b: Sequence[EpisodeRow]) -> list[tuple[EpisodeRow, EpisodeRow]]:
    """Return the episodes of two runs that have the same seed and instruction, in the order of the first."""
    of_a, of_b = ({(row.seed, row.instruction): row for row in rows} for rows in (a, b))
    return [(of_a[key], of_b[key]) for key in of_a if key in of_b]


def smallest_difference(pairs: int, discordant: float) -> float | None:
    """Return the smallest difference that McNemar's exact test shows at 5% with a probability of at least 80%.

    Args:
        pairs: Number of pairs.
        discordant: Share of pairs in which one run alone succeeds, as seen. A difference above it takes as many as
            the difference.

    Returns:
        To a tenth of a point, None where even pairs that all favour one side show nothing.
    """
    numbers = np.arange(pairs + 1)
    # Of so many discordant pairs, at most these may favour one side if the test is to favour the other.
    most = scipy.stats.binom.ppf(ALPHA / 2, numbers, 0.5)
    most -= scipy.stats.binom.cdf(most, numbers, 0.5) > ALPHA / 2

    def is_shown(tenths: int) -> bool:
        difference = tenths / 1000
        share = max(discordant, difference)
        favours_one_side = (1 - difference / share) / 2
        shown = sum(scipy.stats.binom.cdf(most, numbers, side) for side in (favours_one_side, 1 - favours_one_side))
        return bool(np.sum(scipy.stats.binom.pmf(numbers, pairs, share) * shown) >= POWER)

    tenths = bisect_left(range(1001), True, lo=1, key=is_shown)
    return tenths / 1000 if tenths <= 1000 else None


def _outcome(row: EpisodeRow, errors_fail: bool) -> bool | None:
    return False if errors_fail and row.ended == "error" else row.success


def _why_nothing_is_shared(a: Sequence[EpisodeRow], b: Sequence[EpisodeRow]) -> str:
    if {row.seed for row in a} & {row.seed for row in b}:
        told = [", ".join(sorted({repr(row.instruction) for row in rows})) for rows in (a, b)]
        return (
            f"The runs share starts, but no instruction: A was told {told[0]}, B {told[1]}. Episodes are compared "
            "where seed and instruction are the same."
        )
    return "The runs share no episode: they were played with different seeds. Play both with the same seed=..."


def points(difference: float) -> str:
    """Return a difference of shares in points: ``+12.5``."""
    return f"{100 * difference:+.1f}"
