"""From which run on none is shown to differ from a later one, and that chance alone seldom says otherwise."""

import numpy as np
import pytest
from scipy.stats import binomtest
from statsmodels.stats.multitest import multipletests

from runners.statistics.levelling import find_level
from tests.support.samples.rows import make_row

STARTS = 60


def run_of(successes, first_seed=0):
    """Return a run whose first so many episodes succeed: of two, the better one succeeds wherever the other does."""
    return [make_row(i, seed=first_seed + i, success=i < successes, instruction="go") for i in range(STARTS)]


@pytest.mark.parametrize(
    ("successes", "begin"),
    [
        ((10, 25, 45, 46, 47), 2),
        ((45, 46, 47), 0),
        ((10, 25, 45), 2),
        ((45, 46, 10), 2),  # the last one fell
        ((10, 50, 20, 50, 50), 3),  # a dip between two that are alike
        ((30, 34, 38, 42, 46), 2),  # no neighbours differ, but those that are two apart
        ((30,), 0),
    ],
)
def test_level_begins_where_no_later_run_is_shown_to_differ(successes, begin):
    assert find_level([run_of(number) for number in successes]).begin == begin


def test_pairs_are_mcnemars_by_holm():
    levelling = find_level([run_of(number) for number in (20, 25, 33, 34)])
    lead = {(0, 1): 5, (0, 2): 13, (0, 3): 14, (1, 2): 8, (1, 3): 9, (2, 3): 1}  # episodes that the later one alone won
    wanted = multipletests([binomtest(0, episodes).pvalue for episodes in lead.values()], method="holm")[1]
    assert {pair: each.p_value for pair, each in levelling.pairs.items()} == pytest.approx(
        dict(zip(lead, wanted, strict=True))
    )
    assert levelling.pairs[0, 1].comparison.difference == pytest.approx(5 / STARTS), "A is the earlier"
    assert [pair for pair, each in levelling.pairs.items() if each.differs] == [(0, 2), (0, 3), (1, 2), (1, 3)]


def test_runs_without_a_start_in_common_are_left_out():
    levelling = find_level([run_of(10), run_of(10, first_seed=1000), run_of(50)])
    assert list(levelling.pairs) == [(0, 2)]
    assert levelling.begin == 1


def test_of_equal_runs_a_difference_is_shown_in_less_than_one_report_in_twenty():
    """Eight checkpoints of one skill, 28 pairs: without Holm's procedure a third of the reports would name one."""
    draws = np.random.default_rng(0)
    reports, shown = 100, 0
    for _ in range(reports):
        won = draws.random((8, 40)) < 0.5
        runs = [[make_row(i, seed=i, success=bool(each)) for i, each in enumerate(run)] for run in won]
        shown += find_level(runs).begin > 0
    assert shown <= 0.1 * reports
