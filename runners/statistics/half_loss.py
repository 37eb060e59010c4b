"""The strength of variations at which half the success is lost, from pairs that were played at each strength.

* ``HalfLoss``: what ``summary.json`` holds of it.
* ``half_loss``: makes it.

All that is assumed is that success does not grow with the strength. The estimate lies where the rates, made to fall,
come to half of the control's, on the line between the two strengths beside it. The interval asks nothing of what is
between strengths: it reaches from the largest strength up to which more than half is shown to be kept, to the smallest
from which on more than half is shown to be lost. Strengths are asked in order, from each end, until one shows nothing,
so that all of them together are wrong as seldom as one.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from scipy.optimize import isotonic_regression

from runners.statistics.bounded_mean import mean_interval
from runners.statistics.intervals import Method

__all__ = ["HalfLoss", "half_loss"]

NEITHER = 0.5 / 1.5
"""What is neither kept nor lost beyond half, on the scale of the intervals."""


class HalfLoss(msgspec.Struct, frozen=True, kw_only=True):
    """The strength at which half the success is lost.

    Args:
        strength: The estimate; None where less than half is lost at the largest strength, or there is none to lose.
        low, high: Its 95% interval; None at an end that the pairs do not show.
        pairs: Of how many it is: those that were judged at every strength.
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
    pairs = len(outcomes)
    succeeded = np.array(outcomes, float).reshape(pairs, len(strengths))
    if not succeeded[:, 0].any():
        told = (
            "no episode succeeded unvaried, so that there is no half to lose" if pairs else "no pair was judged in all"
        )
        return HalfLoss(strength=None, low=None, high=None, pairs=pairs, told=f"Half the success: {told}")
    # What an episode kept beyond half of what its control had, -1/2 to 1, brought into [0, 1].
    kept = (succeeded - succeeded[:, :1] / 2 + 0.5) / 1.5
    intervals = [mean_interval(its.tolist(), method) for its in kept.T[1:]]
    varied = list(zip(strengths[1:], intervals, strict=True))
    are_kept = itertools.takewhile(lambda each: each[1][0] > NEITHER, varied)
    are_lost = itertools.takewhile(lambda each: each[1][1] < NEITHER, reversed(varied))
    low = max((strength for strength, _ in are_kept), default=None)
    high = min((strength for strength, _ in are_lost), default=None)
    estimate = _crossing(strengths, succeeded.mean(axis=0))
    if estimate is not None:
        estimate = min(max(estimate, low or 0.0), high or estimate)
    told = _tell(estimate, low, high, strengths[-1], pairs)
    return HalfLoss(strength=estimate, low=low, high=high, pairs=pairs, told=told)


def _crossing(strengths: Sequence[float], rates: "np.ndarray[Any, Any]") -> float | None:
    """Return where rates that are made to fall come to half of the first; None where they do not."""
    falling = isotonic_regression(rates, increasing=False).x
    half = falling[0] / 2
    below = np.flatnonzero(falling <= half)
    if not len(below):
        return None
    after = int(below[0])
    share = (falling[after - 1] - half) / (falling[after - 1] - falling[after])
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
