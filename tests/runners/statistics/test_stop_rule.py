"""Which episodes count, and when there are enough: on rows as they are written, and through a whole rollout."""

import pytest

from groot_wrappers.errors import ContractError
from runners.config.schema import StopOn
from runners.episodes.plan import make_plan
from runners.reports.text import format_counted
from runners.statistics.intervals import anytime_interval
from runners.statistics.stop_rule import StopRule, require_stages
from runners.statistics.summary import summarise
from tests.support.samples.rows import make_row, make_staged_row

ENOUGH = next(n for n in range(1, 100) if 1 - anytime_interval(n, n)[0] <= 0.3)
"""Successes without a failure after which the interval is at most 0.3 wide."""


def rows_of(indices, **fields):
    return [make_row(index, **fields) for index in indices]


def test_all_rows_of_a_whole_run_count_in_the_order_of_the_plan():
    stop = StopRule(make_plan(3, 0, ["reach"]), None)
    assert [row.index for row in stop.counted(rows_of([2, 0, 1]))] == [0, 1, 2]
    assert stop.method == "wilson"
    assert not stop.enough(rows_of([0, 1, 2]))


def test_episodes_that_ended_beyond_a_gap_do_not_count():
    """As in a run that was interrupted: those that happened to have ended are the short ones."""
    stop = StopRule(make_plan(6, 0, ["reach"]), None)
    rows = rows_of([0, 1, 3, 4])
    assert [row.index for row in stop.counted(rows)] == [0, 1]
    summary = summarise(rows, stop, task="", instruction="")
    assert (summary.episodes, summary.counted, summary.successes) == (4, 2, 2)
    (told,) = format_counted(summary)
    assert told.startswith("The figures are of the first 2 episodes of the plan; 2 more ended")


def test_last_attempt_at_an_episode_counts():
    stop = StopRule(make_plan(2, 0, ["reach"]), None)
    rows = [make_row(0, success=None, ended="error"), make_row(1), make_row(0, attempt=1)]
    assert [(row.index, row.attempt) for row in stop.counted(rows)] == [(0, 1), (1, 0)]


def test_a_slow_episode_is_waited_for():
    stop = StopRule(make_plan(100, 0, ["reach"]), 0.3)
    fast = rows_of(range(1, 40))
    assert not stop.enough(fast)
    assert stop.counted(fast) == []
    assert stop.enough([*fast, make_row(0)])


def test_figures_are_of_the_first_episodes_that_are_enough():
    stop = StopRule(make_plan(100, 0, ["reach"]), 0.3)
    assert not stop.enough(rows_of(range(ENOUGH - 1)))
    assert stop.enough(rows_of(range(ENOUGH)))
    more = rows_of(range(ENOUGH + 3))
    assert len(stop.counted(more)) == ENOUGH
    summary = summarise(more, stop, task="", instruction="")
    assert (summary.ci_low, summary.ci_high) == anytime_interval(ENOUGH, ENOUGH)
    ended, beyond = format_counted(summary)
    assert ended.startswith(f"Ended early, after {ENOUGH} of 100 episodes: ")
    assert ended.endswith("the interval of the success rate is no wider than stop.ci_width=0.3")
    assert "3 more ended" in beyond


def test_errors_are_no_evidence():
    stop = StopRule(make_plan(100, 0, ["reach"]), 0.3)
    errors = rows_of(range(50), success=None, ended="error")
    assert not stop.enough(errors)
    assert not stop.enough([*errors, *rows_of(range(50, 50 + ENOUGH - 1))])
    assert stop.enough([*errors, *rows_of(range(50, 50 + ENOUGH))])


def test_instructions_have_as_many_turns_where_a_run_ends():
    instructions = [f"reach {number}" for number in range(ENOUGH - 3)]
    plan = make_plan(10 * ENOUGH, 0, instructions)
    rows = [make_row(planned.index, instruction=planned.instruction) for planned in plan]
    counted = StopRule(plan, 0.3).counted(rows)
    assert len(counted) == 2 * len(instructions) > ENOUGH


def test_whole_plan_is_no_early_end():
    rows = rows_of(range(ENOUGH))
    assert not StopRule(make_plan(ENOUGH, 0, ["reach"]), 0.3).state(rows).ended_early
    assert StopRule(make_plan(ENOUGH + 1, 0, ["reach"]), 0.3).state(rows).ended_early


@pytest.mark.parametrize("num_envs", [1, 4])
def test_rollout_begins_no_further_episode_and_ends_those_that_run(play, num_envs):
    run = play(num_envs, 200, ci_width=0.3, solves=lambda goal: goal % 6)
    assert run.error is None
    assert run.watcher.running == {}, "every episode that began has ended"
    assert sorted(run.by_index) == list(range(len(run.rows)))
    counted = StopRule(run.plan, 0.3).counted(run.rows)
    assert len(counted) <= len(run.rows) < len(counted) + 2 * num_envs
    assert len(run.rows) < 200
    successes = sum(row.success for row in counted)
    assert 0 < successes < len(counted)
    low, high = anytime_interval(successes, len(counted))
    assert high - low <= 0.3


def test_run_may_end_by_its_progress_alone():
    plan = make_plan(100, 0, ["reach"])
    rows = [make_staged_row(index, 2) for index in range(60)]  # always at half of the way
    stop = StopRule(plan, 0.2, StopOn.progress)
    assert stop.enough(rows)
    assert not StopRule(plan, 0.1).enough(rows[: len(stop.counted(rows))])
    summary = summarise(rows, stop, task="", instruction="")
    assert summary.stop.on is StopOn.progress
    assert "the interval of the mean progress is no wider than" in format_counted(summary)[0]


def test_progress_along_the_plan_has_an_interval_at_each_episode():
    stop = StopRule(make_plan(3, 0, ["reach"]), None)
    rows = [make_staged_row(0, 2), make_row(1, success=None, ended="error", stages={}), make_staged_row(2, 1)]
    assert [(count, mean) for count, mean, *_ in stop.progress(rows)] == [(1, 0.5), (2, 0.5), (3, 0.375)]
    assert [count for count, *_ in stop.progress(rows, after=2)] == [3]


def test_ending_by_progress_is_refused_where_no_stages_are_told():
    require_stages(StopOn.success, "Toy-v0", [])
    require_stages(StopOn.progress, "Toy-v0", ["near"])
    with pytest.raises(ContractError, match=r"stop\.on=progress was asked for, but Toy-v0 tells no stages"):
        require_stages(StopOn.progress, "Toy-v0", [])
