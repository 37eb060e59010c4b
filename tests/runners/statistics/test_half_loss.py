"""The strength at which half the success is lost: against curves that are known, and what few pairs do not show."""

import numpy as np
import pytest

from runners.statistics.half_loss import half_loss

STRENGTHS = [0.0, 0.25, 0.5, 0.75, 1.0]


def pairs(rates, number, seed=0):
    """Return outcomes in which a start succeeds at each strength whose rate is above a number of its own."""
    luck = np.random.default_rng(seed).random(number)[:, None]
    return (luck < np.array(rates)).tolist()


def test_it_lies_on_the_line_between_the_two_strengths_beside_it():
    outcomes = [[True] * 5] * 2 + [[True, True, True, False, False]] * 6 + [[True, True, False, False, False]] * 2
    found = half_loss(STRENGTHS, outcomes, "wilson")  # 100%, 100%, 80%, 20%, 20%: half way from 0.5 to 0.75
    assert found.strength == pytest.approx(0.625)
    assert found.pairs == 10


def test_interval_reaches_to_the_strengths_that_are_shown_to_keep_and_to_lose_more_than_half():
    found = half_loss(STRENGTHS, pairs([1, 1, 0.9, 0.1, 0], 100), "wilson")
    assert (found.low, found.high) == (0.5, 0.75)
    assert 0.5 < found.strength < 0.75
    assert found.told.startswith("Half the success is lost at a strength of 0.6")
    assert found.told.endswith("(95% interval 0.5 to 0.75)")


def test_many_pairs_show_what_is_a_little_more_and_a_little_less_than_half():
    found = half_loss([0.0, 0.5, 1.0], pairs([1, 0.56, 0.44], 3000), "wilson")
    assert (found.low, found.high) == (0.5, 1.0)


def test_few_pairs_say_so():
    found = half_loss(STRENGTHS, pairs([1, 1, 0.9, 0.1, 0], 5), "wilson")
    assert (found.low, found.high) == (None, None)
    assert "5 pairs are too few to say between which strengths" in found.told


def test_success_that_is_kept_is_told_as_kept():
    found = half_loss(STRENGTHS, pairs([1, 1, 1, 0.95, 0.9], 100), "wilson")
    assert (found.strength, found.low, found.high) == (None, 1.0, None)
    assert "Less than half the success is lost up to a strength of 1; more than half is shown to be kept" in found.told


def test_nothing_is_lost_where_nothing_succeeded_unvaried():
    found = half_loss(STRENGTHS, [[False] * 5] * 9, "wilson")
    assert found.strength is None
    assert "no episode succeeded unvaried" in found.told
    assert "no pair was judged" in half_loss(STRENGTHS, [], "wilson").told


def test_half_is_of_what_the_control_has():
    found = half_loss(STRENGTHS, pairs([0.4, 0.4, 0.3, 0.1, 0.1], 3000), "wilson")
    assert found.strength == pytest.approx(0.625, abs=0.04)


def test_a_rate_that_rises_by_chance_is_no_crossing_of_its_own():
    outcomes = [[True, False, True, True, False]] * 6 + [[True] * 4 + [False]] * 4  # 100%, 40%, 100%, 100%, 0%
    assert half_loss(STRENGTHS, outcomes, "wilson").strength > 0.75


@pytest.mark.slow
@pytest.mark.parametrize("method", ["wilson", "anytime"])
def test_interval_holds_the_truth(method):
    truth, held = 0.625, 0
    for seed in range(200):
        found = half_loss(STRENGTHS, pairs([0.8, 0.7, 0.5, 0.3, 0.2], 60, seed), method)
        held += (found.low or 0) <= truth <= (found.high or 1)
    assert held / 200 >= 0.95
