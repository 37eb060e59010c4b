"""The interval of a mean of numbers in [0, 1], whatever their distribution; at 95%, as all intervals here.

* ``BoundedMean``: the interval after each number, by bets against each mean that is possible.
* ``mean_interval``: that of numbers that are all there.

A bettor who stakes a part of the capital on every number, above a mean m that it is claimed to have or below, has no
way to grow rich on average where m is the true mean. So where the capital against m has grown to 1/5%, m is not it: by
Ville's inequality that happens to the true mean, at any moment, with a probability of at most 5%. The bets are those of
the hedged capital of Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", 2024, section
4: by what the variance has been so far, half of the capital above and half below.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from runners.statistics.intervals import ALPHA, Method

__all__ = ["BoundedMean", "mean_interval"]

CANDIDATES = 1000
"""The means that are bet against lie so close: an interval is too wide by a thousandth at each end at most."""

MOST_STAKED = 0.5
"""Part of the capital that may be lost by one bet. More is won against means close to 0 and 1, and lost in between."""


class BoundedMean:
    """Bets on numbers as they come.

    Args:
        planned: How many numbers there will be, for bets that are best at that number; None for bets that do well at
            any, for who looks after each. Either interval holds at all numbers at once.
    """

    def __init__(self, planned: int | None = None) -> None:
        self._planned = planned
        self._begin()

    def along(self, values: Sequence[float]) -> list[tuple[float, float]]:
        """Return the interval after each number; what was bet on the same beginning before is not bet anew.

        Numbers that no one mean explains, as of a policy that breaks in the middle, have the interval 0 to 1 from there
        on: nothing is known, and no run ends by it.

        Args:
            values: All numbers, in their order; each must lie in [0, 1].

        Raises:
            ValueError: One does not.
        """
        if list(values[: len(self._seen)]) != self._seen:
            self._begin()
        for value in values[len(self._seen) :]:
            self._bet(value)
        return self._intervals[: len(values)]

    def _begin(self) -> None:
        self._seen: list[float] = []
        self._intervals: list[tuple[float, float]] = []
        self._sum, self._squares = 0.5, 0.25  # as if a number of 0.5 had been there, with a deviation of 0.5
        self._means = np.linspace(0.0, 1.0, CANDIDATES + 1)
        with np.errstate(divide="ignore"):
            self._most_above, self._most_below = MOST_STAKED / self._means, MOST_STAKED / (1 - self._means)
        self._above, self._below = (np.zeros(CANDIDATES + 1) for _ in range(2))  # logarithms of the two capitals
        self._low, self._high = 0, CANDIDATES

    def _bet(self, value: float) -> None:
        if not 0 <= value <= 1:
            raise ValueError(f"{value} is no number in [0, 1]")
        count = len(self._seen) + 1
        rounds = count * math.log(count + 1) if self._planned is None else self._planned
        stake = math.sqrt(2 * math.log(2 / ALPHA) / (self._squares / count * rounds))
        self._above += np.log1p(np.minimum(stake, self._most_above) * (value - self._means))
        self._below += np.log1p(-np.minimum(stake, self._most_below) * (value - self._means))
        rich = math.log(2 / ALPHA)  # each began with half
        self._low = max(self._low, _last(self._above >= rich))
        self._high = min(self._high, CANDIDATES - _last((self._below >= rich)[::-1]))
        self._sum += value
        self._squares += (value - self._sum / (count + 1)) ** 2
        self._seen.append(value)
        is_one_mean = self._low <= self._high
        low, high = (self._low, self._high) if is_one_mean else (0, CANDIDATES)
        self._intervals.append((float(self._means[low]), float(self._means[high])))


def mean_interval(values: Sequence[float], method: Method) -> tuple[float, float]:
    """Return the interval that is shown with a mean.

    Args:
        values: In the order of the plan, at least one; the bets depend on it.
        method: ``wilson``, where the number of episodes was fixed beforehand: bets for that number; ``anytime``: bets
            for a run that may have ended at any.
    """
    return BoundedMean(len(values) if method == "wilson" else None).along(values)[-1]


def _last(flags: np.ndarray[Any, Any]) -> int:
    """Return the place of the last that is true, 0 where none is."""
    places = np.flatnonzero(flags)
    return int(places[-1]) if len(places) else 0
