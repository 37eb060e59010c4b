"""The interval of a bounded mean: against bets made one by one, at its ends, and by its coverage."""

import math
from itertools import pairwise

import numpy as np
import pytest

from runners.config.schema import StopOn
from runners.statistics.bounded_mean import BoundedMean, mean_interval
from tests.support.simulated_policies import POLICIES, mean_progress, play

EVALUATIONS = 1000


def capital_against(mean, values, planned=None):
    """Return the most that the two bettors ever had together of 1, bet by bet as the paper writes it."""
    seen, above, below, most = [], 0.5, 0.5, 0.0
    for count, value in enumerate(values, start=1):
        centres = [(0.5 + sum(seen[: i + 1])) / (i + 2) for i in range(len(seen))]
        variance = (0.25 + sum((x - c) ** 2 for x, c in zip(seen, centres, strict=True))) / count
        rounds = planned or count * math.log(count + 1)
        stake = math.sqrt(2 * math.log(2 / 0.05) / (variance * rounds))
        above *= 1 + min(stake, 0.5 / mean) * (value - mean)
        below *= 1 - min(stake, 0.5 / (1 - mean)) * (value - mean)
        most = max(most, above, below)
        seen.append(value)
    return most


@pytest.mark.parametrize("planned", [None, 40])
def test_means_within_are_those_against_which_no_bettor_grew_rich(planned):
    values = np.random.default_rng(0).choice([0, 0.25, 0.5, 1], 40).tolist()
    low, high = BoundedMean(planned).along(values)[-1]
    assert low < np.mean(values) < high
    for mean in (low, high):
        assert capital_against(mean, values, planned) >= 1 / 0.05
    for mean in (low + 0.0011, high - 0.0011):
        assert capital_against(mean, values, planned) < 1 / 0.05


def test_interval_goes_on_where_it_was_and_begins_anew_where_the_numbers_are_others():
    mean = BoundedMean()
    first, second = [0.5, 1.0, 0.25] * 10, [0.0] * 20
    along = mean.along(first)
    assert mean.along([*first, 1.0])[: len(first)] == along
    assert mean.along(first[:4]) == along[:4]
    assert mean.along(second) == BoundedMean().along(second)
    assert mean.along([]) == []


def test_intervals_never_grow_and_all_alike_shows_the_end():
    along = BoundedMean().along([1.0] * 300)
    assert all(low <= more and high == 1 for (low, high), (more, _) in pairwise(along))
    assert along[0] == (0, 1)
    assert along[-1][0] > 0.97
    assert mean_interval([0.0] * 300, "wilson") == pytest.approx((0, 1 - mean_interval([1.0] * 300, "wilson")[0]))


@pytest.mark.parametrize("values", [[0.0] * 100 + [1.0] * 100, [1.0] * 60 + [0.0] * 60])
def test_numbers_that_no_one_mean_explains_leave_it_unknown(values):
    """The ends would lie the wrong way round, and a rule by their distance would take it for known."""
    for planned in (None, len(values)):
        along = BoundedMean(planned).along(values)
        assert all(low <= high for low, high in along)
    assert mean_interval(values, "wilson") == (0, 1)


def test_bets_for_a_number_are_better_at_that_number():
    values = np.random.default_rng(1).choice([0, 0.25, 0.5, 1], 200).tolist()
    widths = {method: np.diff(mean_interval(values, method))[0] for method in ("wilson", "anytime")}
    assert widths["wilson"] < 0.9 * widths["anytime"]


@pytest.mark.parametrize("value", [-0.1, 1.5, math.nan])
def test_number_out_of_range_is_refused(value):
    with pytest.raises(ValueError, match=r"no number in \[0, 1\]"):
        BoundedMean().along([0.5, value])


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["at one stage", "nearly always"])  # all of them: make verify-progress
def test_run_that_is_ended_by_its_progress_covers_the_truth(policy):
    chances, width, planned, covered, lengths = POLICIES[policy], 0.35, 150, 0, []
    for seed in range(EVALUATIONS):
        rows, stop = play(seed, chances, episodes=planned, ci_width=width, on=StopOn.progress)
        counted = stop.counted(rows)
        low, high = mean_interval([row.progress for row in counted], stop.method)
        covered += low <= mean_progress(chances) <= high
        assert high - low <= width
        lengths.append(len(counted))
    print(f"\n{policy}: covered {covered / EVALUATIONS:.3f}, ended after {np.mean(lengths):.0f} episodes")
    assert covered / EVALUATIONS >= 0.95
    assert max(lengths) < planned


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["evenly", "seldom"])
def test_interval_of_a_number_fixed_beforehand_covers_the_truth(policy):
    chances, covered = POLICIES[policy], 0
    for seed in range(EVALUATIONS):
        rows, stop = play(seed, chances, episodes=30)
        low, high = mean_interval([row.progress for row in stop.counted(rows)], stop.method)
        covered += low <= mean_progress(chances) <= high
    print(f"\n{policy}: covered {covered / EVALUATIONS:.3f}")
    assert covered / EVALUATIONS >= 0.95


def test_where_a_run_ends_by_its_progress_does_not_depend_on_the_number_of_envs():
    def said(num_envs):
        rows, stop = play(
            3, POLICIES["evenly"], episodes=400, num_envs=num_envs, ci_width=0.2, on=StopOn.progress, instructions="ab"
        )
        counted = stop.counted(rows)
        assert stop.state(rows).ended_early
        assert len(counted) % 2 == 0, "each instruction has had as many turns"
        return len(counted), [row.progress for row in counted], list(stop.progress(rows))[-1]

    assert said(1) == said(4) == said(16)
