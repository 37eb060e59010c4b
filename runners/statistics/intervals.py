"""Intervals and bounds of a success rate, all at 95%; ``docs/results.md`` says which is used where, and why.

``wilson`` is for a number of episodes that was fixed beforehand. ``anytime`` holds at every number of episodes at once,
so that a run may look at it after each episode and end when it pleases.
"""

import functools
import math
from typing import Literal

import scipy

__all__ = ["ALPHA", "CONFIDENCE", "Method", "anytime_interval", "episodes_needed", "lower_bound", "success_interval"]

Method = Literal["wilson", "anytime"]

CONFIDENCE = 0.95
ALPHA = 1 - CONFIDENCE
MOST_EPISODES = 10_000_000
"""Where the search for a number of episodes gives up: nobody plays more."""


@functools.lru_cache(maxsize=65536)
def success_interval(successes: int, episodes: int, method: Method = "wilson") -> tuple[float, float]:
    """Return the interval that is shown with a success rate."""
    if method == "anytime":
        return anytime_interval(successes, episodes)
    interval = scipy.stats.binomtest(successes, episodes).proportion_ci(CONFIDENCE, "wilson")
    return float(interval.low), float(interval.high)


@functools.lru_cache(maxsize=65536)
def anytime_interval(successes: float, episodes: int) -> tuple[float, float]:
    """Return the interval of a confidence sequence: with 95% probability, none of all of them misses the true rate.

    Robbins' mixture with a uniform prior: the rates at which the density of Beta(successes + 1, failures + 1) is at
    least 5%. At the true rate, the inverse of that density is a martingale that starts at 1, so that by Ville's
    inequality it ever reaches 1/5% with a probability of at most 5%. (Robbins, "Statistical methods related to the law
    of the iterated logarithm", 1970; Waudby-Smith and Ramdas, "Confidence sequences for sampling without replacement",
    2020, where it is the prior-posterior-ratio martingale.)

    Args:
        successes: May be a fraction, for a rate that is carried on to another number of episodes.
        episodes: At least 1.
    """
    return _anytime_low(successes, episodes), 1 - _anytime_low(episodes - successes, episodes)


def lower_bound(successes: float, episodes: int, method: Method) -> float:
    """Return the bound that the success rate is at least at, for a gate.

    ``wilson``, a fixed number of episodes: Clopper and Pearson's exact one-sided bound. ``anytime``: the lower end of
    the interval.
    """
    if method == "anytime":
        return anytime_interval(successes, episodes)[0]
    return float(scipy.stats.beta.ppf(ALPHA, successes, episodes - successes + 1)) if successes > 0 else 0.0


def episodes_needed(rate: float, bound: float, method: Method) -> int | None:
    """Return the smallest number of episodes whose lower bound reaches ``bound`` if the share of successes is ``rate``.

    None where no number does.
    """
    if rate <= bound:
        return None

    def reached(episodes: int) -> bool:
        return lower_bound(rate * episodes, episodes, method) >= bound

    enough = 1
    while not reached(enough):
        if enough > MOST_EPISODES:
            return None
        enough *= 2
    short = enough // 2
    while enough - short > 1:
        middle = (short + enough) // 2
        short, enough = (short, middle) if reached(middle) else (middle, enough)
    return enough


def _anytime_low(successes: float, episodes: int) -> float:
    failures = episodes - successes
    scale = float(scipy.special.betaln(successes + 1, failures + 1)) + math.log(ALPHA)

    def log_density_above_alpha(rate: float) -> float:
        return successes * math.log(rate) + failures * math.log1p(-rate) - scale

    least = 1e-15
    if successes / episodes <= least or log_density_above_alpha(least) >= 0:
        return 0.0
    # At the share itself the density is highest, and above 1.
    share = min(successes / episodes, 1 - least)
    return float(scipy.optimize.brentq(log_density_above_alpha, least, share))
