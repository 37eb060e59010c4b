"""Rows tell how far their episode came, where the env declares stages, whatever is played beside it."""

import pytest

from groot_wrappers.errors import ServerError
from tests.runners.rollout.test_rollout import goal_of
from tests.support.rollouts import SpyPolicy
from tests.support.toys.variants import StagedEnv


class HalfWayPolicy(SpyPolicy):
    """Brings joint_a to the goal, where ``solves`` says otherwise to 10 short of it, and first a control step to 1."""

    def get_action(self, observation, options=None):
        goals = observation["video"]["camera"][:, -1, 0, 0, 0].astype("float32")
        begins = observation["video"]["camera"][:, -1, 0, 0, 1] == 0
        action, info = super().get_action(observation, options)
        for row, goal in enumerate(goals):
            action["joints"][row, :, 1] = goal if self.solves(goal) else goal - 10
            if begins[row]:
                action["joints"][row, 0, 1] = 1
        return action, info


SEED = 2
"""Of plans whose goals are all so far that nothing is near on its first control step."""


def told(row):
    return row.success, row.stages, row.missed, row.progress, row.events


@pytest.mark.parametrize("num_envs", [1, 3])
@pytest.mark.parametrize("execution", [1, 4])
def test_row_has_its_stages_their_control_steps_and_its_share_of_the_way(play, num_envs, execution):
    run = play(
        num_envs,
        8,
        seed=SEED,
        execution=execution,
        env_class=StagedEnv,
        policy_class=HalfWayPolicy,
        solves=lambda goal: goal % 3,
    )
    assert run.error is None
    for row in run.rows:
        if goal_of(row.seed) % 3:
            assert told(row) == (True, {"moved": 1, "near": 2, "arrived": 2}, None, 1.0, {})
        else:
            assert told(row) == (False, {"moved": 1, "near": 2}, "arrived", 0.5, {})
    assert {row.success for row in run.rows} == {True, False}


def test_without_a_success_term_all_stages_are_the_whole_way(play):
    run = play(2, 8, seed=SEED, env_class=StagedEnv, policy_class=HalfWayPolicy, has_success=False)
    assert {told(row)[2:4] for row in run.rows} == {(None, 1.0), ("arrived", 0.6667)}


class FailingPolicy(HalfWayPolicy):
    """Answers twice."""

    def get_action(self, observation, options=None):
        if len(self.calls) == 2:
            raise ServerError("no more")
        return super().get_action(observation, options)


def test_an_error_is_no_share_of_the_way_but_what_was_reached_is_kept(play):
    run = play(1, 1, seed=SEED, env_class=StagedEnv, policy_class=FailingPolicy, solves=lambda goal: True)
    (row,) = run.rows
    assert row.ended == "error"
    assert told(row) == (None, {"moved": 1, "near": 2, "arrived": 2}, None, None, {})


def test_what_an_env_came_to_is_not_told_of_its_next_episode(play):
    def some(goal):
        return goal % 3

    alone, after = (play(num_envs, 8, seed=SEED, env_class=StagedEnv, solves=some) for num_envs in (8, 1))
    assert [told(row) for row in after.rows] == [told(alone.by_index[row.index]) for row in after.rows]
    assert {row.progress for row in after.rows} == {0.0, 1.0}


def test_what_an_env_does_not_tell_is_null(play):
    """One tells an event alone, one the distance to success alone."""
    for name, events in (("event_overshot", {}), ("distance_to_success", None)):

        class TellsOneThingEnv(StagedEnv):
            def __init__(self, num_envs, told=name, **options):
                super().__init__(num_envs, **options)
                self.terms = {told: self.terms[told]}
                self.observation_manager.active_terms["progress"] = self.terms
                self.observation_manager.group_obs_term_dim["progress"] = [()]

        run = play(2, 4, seed=SEED, env_class=TellsOneThingEnv, policy_class=HalfWayPolicy)
        assert run.error is None
        assert [told(row)[1:] for row in run.rows] == [(None, None, None, events)] * 4
