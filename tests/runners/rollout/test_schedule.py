"""Schedule: which env plays which episode, what waits for whom, and how often an error is tried again."""

import pytest

from runners.episodes.plan import make_plan
from runners.rollout.schedule import Schedule
from tests.support.samples.rows import make_row

PLAN = make_plan(5, 0, ["red", "blue"])


def begun(schedule, num_envs=2, reset_mode="per_env"):
    return {env_id: planned.index for env_id, planned in schedule.begin(num_envs, reset_mode).items()}


def test_idle_envs_take_episodes_in_the_order_of_the_plan():
    schedule = Schedule(PLAN)
    assert begun(schedule) == {0: 0, 1: 1}
    assert begun(schedule) == {}, "none is idle"
    schedule.end(make_row(1, env=1))
    assert begun(schedule) == {1: 2}


def test_envs_that_begin_only_together_wait_for_one_another():
    schedule = Schedule(PLAN)
    assert begun(schedule, reset_mode="per_batch") == {0: 0, 1: 1}
    schedule.end(make_row(0, env=0))
    assert begun(schedule, reset_mode="per_batch") == {}
    schedule.end(make_row(1, env=1))
    assert begun(schedule, reset_mode="per_batch") == {0: 2, 1: 3}


def test_env_with_an_instruction_of_its_own_plays_no_other():
    schedule = Schedule(PLAN, env_instructions=("red", "blue"))
    assert begun(schedule, num_envs=3) == {0: 0, 1: 1, 2: 2}
    for env_id in range(3):
        schedule.end(make_row(env_id, env=env_id))
    assert begun(schedule, num_envs=3) == {0: 4, 1: 3}


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_error_is_tried_again_as_often_as_is_said_and_comes_before_what_waits(retries):
    schedule = Schedule(PLAN, retries=retries)
    attempts = []
    for _ in range(retries + 1):
        assert begun(schedule, num_envs=1) == {0: 0}
        attempts.append(schedule.running[0].attempt)
        schedule.end(make_row(0, attempt=attempts[-1], success=None, ended="error"))
    assert attempts == list(range(retries + 1))
    assert begun(schedule, num_envs=1) == {0: 1}, "it has had its tries"


def test_what_an_earlier_start_has_played_is_left_out_but_for_its_errors():
    rows = [make_row(0), make_row(1, success=None, ended="error", attempt=2), make_row(3)]
    schedule = Schedule(PLAN, rows)
    assert [planned.index for planned in schedule.waiting] == [1, 2, 4]
    assert begun(schedule, num_envs=1) == {0: 1}
    assert schedule.running[0].attempt == 3


def test_rows_are_final_once_their_episode_neither_runs_nor_waits():
    schedule = Schedule(PLAN, retries=1)
    begun(schedule)
    failed, done = make_row(0, success=None, ended="error"), make_row(1, env=1)
    schedule.end(failed)
    schedule.end(done)
    assert schedule.final_rows([failed, done]) == [done]
    assert not schedule.is_over
