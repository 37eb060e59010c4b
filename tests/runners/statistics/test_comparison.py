"""Two runs compared on the episodes that they have in common, against figures from elsewhere and by enumeration."""

import numpy as np
import pytest
from scipy.stats import multinomial

from runners.statistics.comparison import Comparison, NothingInCommonError, compare, smallest_difference
from tests.support.samples.rows import make_row


def rows_of(outcomes, *, first_seed=0, instruction="reach"):
    ended = {True: "success", False: "time_out", None: "error"}
    return [
        make_row(index, seed=first_seed + index, success=success, ended=ended[success], instruction=instruction)
        for index, success in enumerate(outcomes)
    ]


def test_episodes_are_paired_by_seed_and_instruction_whatever_their_index():
    a = rows_of([True, True, True, False, False, True])
    b = rows_of([True, False, True, True, True], first_seed=1)
    assert compare(a, b) == Comparison(both=2, only_a=1, only_b=2, neither=0, left_out=0)
    mirrored = compare(b, a)
    assert (mirrored.only_a, mirrored.only_b, mirrored.difference) == (2, 1, -compare(a, b).difference)


def test_errors_are_left_out_or_failures():
    a, b = rows_of([True, None, None, False]), rows_of([None, False, True, False])
    assert compare(a, b) == Comparison(both=0, only_a=0, only_b=0, neither=1, left_out=3)
    assert compare(a, b, errors_fail=True) == Comparison(both=0, only_a=1, only_b=1, neither=2, left_out=0)


def test_nothing_in_common_is_told_with_its_reason():
    a = rows_of([True, False])
    with pytest.raises(NothingInCommonError, match="different seeds"):
        compare(a, rows_of([True], first_seed=100))
    with pytest.raises(NothingInCommonError, match="A was told 'reach', B 'touch'"):
        compare(a, rows_of([True], instruction="touch"))
    with pytest.raises(NothingInCommonError, match="share 2 episodes, but judged none"):
        compare(a, rows_of([None, None]))


def test_mcnemars_test_is_exact():
    # Sign test of 3 against 10: 2 * sum_{k<=3} C(13, k) / 2^13.
    assert Comparison(30, 10, 3, 7, 0).p_value == pytest.approx(2 * (1 + 13 + 78 + 286) / 2**13)
    assert Comparison(30, 0, 0, 7, 0).p_value == 1
    assert Comparison(0, 6, 0, 0, 0).p_value == pytest.approx(2 / 64)


def test_difference_and_interval():
    found = Comparison(both=30, only_a=10, only_b=3, neither=7, left_out=0)
    assert found.difference == pytest.approx(-0.14)
    # (4 - 11) / 52 -+ 1.959964 sqrt((15/52 - (7/52)^2) / 52), worked out apart from the code under test.
    assert found.interval == pytest.approx((-0.27594, 0.00670), abs=1e-5)


@pytest.mark.parametrize("shares", [(0.6, 0.1, 0.2, 0.1), (0.8, 0.05, 0.05, 0.1), (0.3, 0.3, 0.1, 0.3)])
def test_interval_covers_the_true_difference(shares):
    """By enumerating the discordant counts of 40 pairs; the shares are of both, A alone, B alone, neither."""
    pairs, truth, covered = 40, shares[2] - shares[1], 0.0
    agree = shares[0] + shares[3]
    for only_a in range(pairs + 1):
        for only_b in range(pairs + 1 - only_a):
            rest = pairs - only_a - only_b
            low, high = Comparison(rest, only_a, only_b, 0, 0).interval
            if low <= truth <= high:
                covered += multinomial.pmf([rest, only_a, only_b], pairs, [agree, *shares[1:3]])
    assert covered >= 0.94


@pytest.mark.parametrize(("pairs", "discordant"), [(50, 0.2), (200, 0.1), (30, 0.0)])
def test_smallest_difference_is_shown_by_80_percent_of_simulated_comparisons(pairs, discordant):
    found = smallest_difference(pairs, discordant)
    share = max(found, discordant)

    def shown(difference, rng=np.random.default_rng(5)):  # noqa: B008
        against = (share - difference) / 2
        counts = rng.multinomial(pairs, [1 - share, against, share - against], size=1500)
        unique, times = np.unique(counts, axis=0, return_counts=True)
        power = [Comparison(rest, a, b, 0, 0).p_value <= 0.05 for rest, a, b in unique]
        return np.average(power, weights=times)

    assert shown(found) == pytest.approx(0.8, abs=0.04)
    assert shown(0.8 * found) < 0.77


def test_few_episodes_can_show_nothing_and_more_show_smaller_differences():
    assert smallest_difference(5, 1.0) is None, "even 5 of 5 against 0 has p = 0.0625"
    found = [smallest_difference(pairs, 0.2) for pairs in (10, 50, 200, 1000)]
    assert found == sorted(found, reverse=True)
    (*_, told) = Comparison(3, 1, 1, 0, 0).tell()
    assert told == "5 episodes could not have shown any difference: play more"


def test_it_is_told_in_lines():
    lines = Comparison(both=30, only_a=10, only_b=3, neither=7, left_out=2).tell()
    assert lines[0].startswith("50 episodes in common (same seed and instruction)")
    assert "A 80.0%, B 66.0%; B - A = -14.0 points (95% interval -27.6 to +0.7" in lines[1]
    assert "p = 0.0923; no difference is shown at the level of 5%" in lines[2]
    assert "could have shown a difference of 20.3 points or more (with a power of 80%" in lines[3]
    assert "2 more in common are left out" in lines[4]
    assert "the runs differ" in Comparison(both=10, only_a=10, only_b=0, neither=0, left_out=0).tell()[2]
