"""Intervals and bounds: against figures worked out apart from the code, and by their coverage."""

from functools import cache

import numpy as np
import pytest
from scipy.stats import beta, binom

from runners.statistics.intervals import anytime_interval, episodes_needed, lower_bound, success_interval


# From Wilson's formula with z = 1.959964, worked out apart from the code under test.
@pytest.mark.parametrize(
    ("successes", "episodes", "low", "high"),
    [(0, 10, 0.0, 0.27753), (10, 10, 0.72247, 1.0), (8, 10, 0.49016, 0.94332), (97, 100, 0.91548, 0.98974)],
)
def test_success_interval_is_wilsons(successes, episodes, low, high):
    assert success_interval(successes, episodes) == pytest.approx((low, high), abs=1e-5)


@pytest.mark.parametrize(("successes", "episodes"), [(14, 14), (8, 10), (1, 10), (47, 50), (0, 10)])
def test_gates_bound_is_clopper_and_pearsons(successes, episodes):
    """At the bound, as many successes or more have a probability of exactly 5%; no success shows nothing."""
    bound = lower_bound(successes, episodes, "wilson")
    if successes == 0:
        assert bound == 0
    else:
        assert binom.sf(successes - 1, episodes, bound) == pytest.approx(0.05, rel=1e-9)


@pytest.mark.parametrize(("successes", "episodes"), [(1, 2), (8, 10), (47, 50), (500, 1000), (0, 5), (5, 5), (1, 1)])
def test_anytime_interval_holds_the_rates_whose_density_is_at_least_5_percent(successes, episodes):
    density = beta(successes + 1, episodes - successes + 1).pdf
    low, high = anytime_interval(successes, episodes)
    assert low <= successes / episodes <= high
    for end, outside in ((low, low - 1e-6), (high, high + 1e-6)):
        if 0 < end < 1:
            assert density(end) == pytest.approx(0.05, rel=1e-6)
            assert density(outside) < 0.05
    assert (low == 0, high == 1) == (density(0) >= 0.05, density(1) >= 0.05)


def test_anytime_interval_is_wider_than_wilsons():
    """That is its price; how much wider is told in docs/results.md."""
    for successes, episodes in [(40, 50), (404, 807)]:
        low, high = anytime_interval(successes, episodes)
        wilson_low, wilson_high = success_interval(successes, episodes)
        assert low < wilson_low < wilson_high < high
    low, high = anytime_interval(0.8 * 807, 807)
    assert high - low == pytest.approx(0.1, abs=2e-4)


@cache
def ever_missed(rate, method, episodes=120, runs=1000):
    """Return the share of simulated runs in which the interval misses the true rate after any of the episodes."""
    successes = (np.random.default_rng(7).random((runs, episodes)) < rate).cumsum(axis=1)
    misses = np.zeros((episodes + 1, episodes + 1), bool)
    for count in range(1, episodes + 1):
        for got in np.unique(successes[:, count - 1]):
            low, high = success_interval(int(got), count, method)
            misses[count, got] = not low <= rate <= high
    return misses[np.arange(1, episodes + 1), successes].any(axis=1).mean()


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.5, 0.8, 0.95])
def test_anytime_interval_may_be_looked_at_after_every_episode_and_wilsons_may_not(rate):
    assert ever_missed(rate, "anytime") <= 0.05
    assert ever_missed(rate, "wilson") > 0.2, "with looks after every episode, 5% is not 5% any more"


@pytest.mark.parametrize(
    ("rate", "bound", "method", "needed"),
    [(1.0, 0.8, "wilson", 14), (1.0, 0.8, "anytime", 29), (0.8, 0.8, "wilson", None), (0.5, 0.8, "wilson", None)],
)
def test_number_of_episodes_that_a_gate_takes(rate, bound, method, needed):
    assert episodes_needed(rate, bound, method) == needed


def test_number_of_episodes_is_the_smallest_that_reaches_the_bound():
    needed = episodes_needed(0.9, 0.8, "wilson")
    assert lower_bound(0.9 * needed, needed, "wilson") >= 0.8 > lower_bound(0.9 * (needed - 1), needed - 1, "wilson")
