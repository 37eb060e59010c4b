"""The gate: met by an exact bound alone, with errors as failures, and told so that a person knows what is missing."""

import pytest

from groot_wrappers.errors import ContractError
from runners.config.validation import check_share
from runners.statistics.gate import judge, warn_of_short_plan
from tests.support.samples.rows import make_row, summary_of


def rows_of(successes, failures=0, errors=0):
    fates = ["success"] * successes + ["time_out"] * failures + ["error"] * errors
    success = {"success": True, "time_out": False, "error": None}
    return [make_row(index, ended=fate, success=success[fate]) for index, fate in enumerate(fates)]


def judged(*fates, min_success=0.8, ci_width=None):
    return summary_of(rows_of(*fates), min_success=min_success, ci_width=ci_width).gate


def test_gate_is_met_from_the_number_on_whose_exact_bound_reaches_it():
    assert judged(14).met
    assert not judged(13).met
    # 0.8 itself succeeded, but that shows much less.
    assert not judged(80, 20).met
    assert judged(87, 13).met
    assert not judged(86, 14).met


def test_errors_count_as_failures():
    assert judged(87, 0, 13).bound == judged(87, 13).bound
    assert not judged(86, 0, 14).met, "86 of 86 finished episodes succeeded, but 14 never finished"


def test_message_says_rate_bound_what_is_wanted_and_how_many_more():
    told = judged(42, 8).told
    assert told.startswith("gate.min_success=0.8 is not met: 42 of 50 episodes succeeded (84.0%, errors")
    assert "a rate of at least 73.0% (exact one-sided 95% bound)" in told
    more = judged(42, 8).more_episodes
    assert f"about {more} more episodes meet it: episodes={50 + more}." in told
    needed = 50 + more
    assert judge(0.8, -(-needed * 42 // 50), needed, "wilson").met
    assert not judge(0.8, round((needed - 25) * 0.84) - 1, needed - 25, "wilson").met
    assert "no number of episodes meets it" in judged(8, 2).told
    assert "is met: 20 of 20" in judged(20).told


def test_nothing_judged_is_not_met():
    rows = [make_row(success=None, ended="time_out")]
    verdict = summary_of(rows, min_success=0.8).gate
    assert (verdict.met, verdict.bound) == (False, None)
    assert "Does the env have a success term?" in verdict.told
    assert not judge(0.8, 0, 0, "wilson").met
    assert judge(None, 1, 1, "wilson") is None


def test_run_that_a_rule_may_end_is_judged_by_a_bound_that_holds_at_any_stop():
    assert not judge(0.8, 14, 14, "anytime").met
    verdict = judge(0.8, 29, 29, "anytime")
    assert verdict.met
    assert verdict.bound_is == "95% bound that holds at any stop"


def test_plan_that_is_too_short_is_told_before_it_is_played():
    assert warn_of_short_plan(0.8, 14, "wilson") is None
    told = warn_of_short_plan(0.8, 13, "wilson")
    assert "cannot be met by 13 episodes, even if all succeed: it takes 14. Set episodes=14 or more." in told
    assert "it takes 29" in warn_of_short_plan(0.8, 14, "anytime")
    assert warn_of_short_plan(None, 1, "wilson") is None


@pytest.mark.parametrize("value", [0, 1, -0.1, 80, 1.5])
def test_what_is_no_share_is_refused(value):
    with pytest.raises(ContractError, match=f"gate.min_success={value} was asked for, but it is a share") as told:
        check_share("gate.min_success", value)
    assert ("Is gate.min_success=0.8 meant?" in str(told.value)) == (value == 80)
    check_share("gate.min_success", 0.8)
    check_share("gate.min_success", None)
