"""The strength of variations at which half the success is lost, from pairs that were played at each strength.

* ``HalfLoss``: what ``summary.json`` holds of it.
* ``half_loss``: makes it.

It is told by the starts that succeed unvaried, and by the share of them that succeed still. The estimate lies where
that share, made to fall, comes to half, on the line between the two strengths beside it. All that the interval assumes
is that the share does not grow with the strength: it reaches from the largest strength up to which more than half is
shown to be kept, to the smallest from which on more than half is shown to be lost, by exact bounds. Strengths are asked
in order, from each end, until one shows nothing, so that all of them together are wrong as seldom as one.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import scipy

from runners.statistics.intervals import CONFIDENCE, Method, anytime_interval

__all__ = ["HalfLoss", "half_loss"]

HALF = 0.5


class HalfLoss(msgspec.Struct, frozen=True, kw_only=True):
    """The strength at which half the success is lost.

    Args:
        strength: The estimate; None where less than half is lost at the largest strength, or there is none to lose.
        low, high: Its 95% interval; None at an end that the pairs do not show.
        pairs: Of how many it is: those that were judged at every strength, and succeeded unvaried.
        told: All of it in a sentence.
    """

    strength: float | None
    low: float | None
    high: float | None
    pairs: int
    told: str


def half_loss(strengths: Sequence[float], outcomes: Sequence[Sequence[bool]], method: Method) -> HalfLoss:
    """Return the strength at which half the success is lost.

    Args:
        strengths: Ascending, 0 first.
        outcomes: Of each pair, in the order of the plan, whether it succeeded at each strength.
        method: ``wilson`` where the number of pairs was fixed beforehand, ``anytime`` where a rule may end the run.
    """
    had = [its for its in outcomes if its[0]]
    if not had:
        told = (
            "no episode succeeded unvaried, so that there is no half to lose"
            if outcomes
            else "no pair was judged in all"
        )
        return HalfLoss(strength=None, low=None, high=None, pairs=0, told=f"Half the success: {told}")
    kept = np.sum(had, axis=0).tolist()
    varied = [
        (strength, _interval(count, len(had), method)) for strength, count in zip(strengths[1:], kept[1:], strict=True)
    ]
    are_kept = itertools.takewhile(lambda each: each[1][0] > HALF, varied)
    are_lost = itertools.takewhile(lambda each: each[1][1] < HALF, reversed(varied))
    low = max((strength for strength, _ in are_kept), default=None)
    high = min((strength for strength, _ in are_lost), default=None)
    estimate = _crossing(strengths, np.array(kept) / len(had))
    if estimate is not None:
        estimate = min(max(estimate, low or 0.0), high or estimate)
    told = _tell(estimate, low, high, strengths[-1], len(had))
    return HalfLoss(strength=estimate, low=low, high=high, pairs=len(had), told=told)


def _interval(kept: int, pairs: int, method: Method) -> tuple[float, float]:
    """Return the 95% interval of a share that is kept: Clopper and Pearson's, or one that holds at any stop."""
    if method == "anytime":
        return anytime_interval(kept, pairs)
    interval = scipy.stats.binomtest(kept, pairs).proportion_ci(CONFIDENCE, "exact")
    return float(interval.low), float(interval.high)


def _crossing(strengths: Sequence[float], shares: "np.ndarray[Any, Any]") -> float | None:
    """Return where shares that are made to fall, the first being 1, come to half; None where they do not."""
    falling = scipy.optimize.isotonic_regression(shares, increasing=False).x
    below = np.flatnonzero(falling <= HALF)
    if not len(below):
        return None
    after = int(below[0])
    share = (falling[after - 1] - HALF) / (falling[after - 1] - falling[after])
    return float(strengths[after - 1] + share * (strengths[after] - strengths[after - 1]))


def _tell(estimate: float | None, low: float | None, high: float | None, largest: float, pairs: int) -> str:
    if estimate is None:
        shown = "" if low is None else f"; more than half is shown to be kept up to {low:g}"
        return f"Less than half the success is lost up to a strength of {largest:g}{shown} ({pairs} pairs)"
    ends = {
        (False, False): f"{pairs} pairs are too few to say between which strengths",
        (True, False): f"95% interval: above {low}",
        (False, True): f"95% interval: below {high}",
        (True, True): f"95% interval {low} to {high}",
    }
    return f"Half the success is lost at a strength of {estimate:.2g} ({ends[low is not None, high is not None]})"
