"""The funnel: how many reached each stage, and before which they stopped."""

import pytest

from runners.statistics.funnel import funnel_of
from runners.statistics.intervals import success_interval
from tests.support.samples.rows import STAGES, make_row, make_staged_row, summary_of


def steps_of(rows):
    return [(step.stage, step.reached, step.stopped) for step in funnel_of(rows, "wilson").steps]


def test_each_stage_has_the_episodes_that_reached_it_and_those_that_stopped_before_it():
    rows = [make_staged_row(index, reached) for index, reached in enumerate([0, 1, 1, 1, 3])]
    rows += [make_staged_row(5, 3, success=True), make_staged_row(6, 3, success=True)]
    assert steps_of(rows) == [("reached", 6, 1), ("grasped", 3, 3), ("lifted", 3, 0), ("success", 2, 1)]
    funnel = funnel_of(rows, "wilson")
    assert funnel.worst.stage == "grasped"
    assert (funnel.steps[1].low, funnel.steps[1].high) == success_interval(3, 7)
    assert funnel.progress == pytest.approx((0 + 3 * 0.25 + 0.75 + 2) / 7)
    assert 0 < funnel.low < funnel.progress < funnel.high < 1


def test_a_success_has_passed_every_stage_seen_or_not():
    rows = [make_staged_row(0, 0, success=True), make_staged_row(1, 2)]
    assert steps_of(rows) == [("reached", 2, 0), ("grasped", 2, 0), ("lifted", 1, 1), ("success", 1, 0)]


def test_a_stage_that_nobody_reached_is_there_and_those_beyond_are_unknown():
    rows = [make_staged_row(index, 1) for index in range(3)]
    assert steps_of(rows) == [("reached", 3, 0), ("grasped", 0, 3), ("success", 0, 0)]


def test_without_a_success_term_the_last_stage_is_the_end():
    rows = [make_staged_row(index, len(STAGES), success=None, progress=1.0) for index in range(3)]
    assert steps_of(rows)[-1] == ("lifted", 3, 0)
    assert funnel_of(rows, "wilson").worst is None


def test_errors_are_no_part_of_it_and_events_are_counted_by_episode():
    rows = [
        make_staged_row(0, 1, events={"dropped": 4, "collided_table": 9}),
        make_staged_row(1, 2, events={"dropped": 1}),
        make_staged_row(2, 2, success=None, ended="error", progress=None, events={"dropped": 1}),
    ]
    funnel = funnel_of(rows, "wilson")
    assert (funnel.episodes, funnel.events) == (2, {"collided_table": 1, "dropped": 2})


def test_env_without_stages_has_none():
    assert funnel_of([make_row()], "wilson") is None
    assert summary_of([make_row()]).funnel is None


def test_summary_has_one_of_each_instruction_and_of_the_episodes_that_count_alone():
    rows = [
        make_staged_row(0, 0, instruction="red"),
        make_staged_row(1, 2, instruction="blue"),
        make_staged_row(2, 1, instruction="red"),
    ]
    summary = summary_of(rows)
    assert [each.funnel.steps[0].reached for each in summary.instructions] == [1, 1]
    assert (summary.funnel.episodes, summary.funnel.steps[0].reached) == (3, 2)
