"""Servers that replay a recording: seen by what they answer, and refused where their actions are of another moment."""

import re

import pytest

from groot_wrappers.errors import ContractError
from runners.config.schema import ServerReset
from runners.servers.replay_watch import ReplayWatch
from tests.runners.datasets.test_replay import ToyReplay, recorded

__all__ = ["recorded"]  # the fixture

REPLAY = {"execution": 4, "policy_class": ToyReplay}


@pytest.mark.parametrize(
    ("asked", "settings", "message"),
    [
        ((1, 2), {"server_reset": ServerReset.per_run}, "Set server.reset=per_episode and num_envs=1"),
        ((2, 3), {"server_reset": ServerReset.per_run}, "would repeat its last action"),
        ((2, 2), {"server_reset": ServerReset.per_episode}, "it has one place in one episode.* Set num_envs=1"),
        ((1, 1), {"execution": 2}, "moves on by 4 control steps a request.* Set horizons.execution=4"),
        ((1, 1), {"execution": 8}, "moves on by 4 control steps a request.* --execution-horizon 8"),
    ],
)
def test_replay_server_is_refused_where_its_actions_are_of_another_moment(play, recorded, asked, settings, message):
    run = play(*asked, **REPLAY | settings, seed=1, episode_steps=20)
    assert isinstance(run.error, ContractError)
    assert re.search(message, str(run.error))
    assert not any(row.success for row in run.rows)
    if settings.get("server_reset") is ServerReset.per_run:
        assert run.rows == [], "its reset tells what it is, before any step"


@pytest.mark.parametrize(
    ("num_envs", "episodes", "settings"),
    [
        (1, 1, {"server_reset": ServerReset.per_run}),
        (2, 2, {"server_reset": ServerReset.per_run}),
        (1, 3, {"server_reset": ServerReset.per_episode}),
    ],
)
def test_replay_server_is_played_where_it_has_a_place_for_each_episode(play, recorded, num_envs, episodes, settings):
    run = play(num_envs, episodes, **REPLAY | settings)
    assert run.error is None
    assert len(run.rows) == episodes


@pytest.mark.parametrize(
    "told", [{}, {"current_step": 0}, {"current_step": "0", "episode_length": 3}, {"current_step": [0]}, {"loss": {}}]
)
def test_what_other_servers_tell_makes_no_replay_of_them(told):
    watch = ReplayWatch(ServerReset.per_run, num_envs=1, episodes=9, execution=1)
    watch.on_reset(told)
    for _ in range(3):
        watch.on_answer(told)


def test_replay_server_is_seen_in_a_group_too():
    watch = ReplayWatch(ServerReset.per_run, num_envs=1, episodes=2, execution=8)
    with pytest.raises(ContractError, match=r"server\.reset=per_episode"):
        watch.on_reset({"tcp://h:1": {"episode_index": 0, "episode_length": 41, "current_step": 0}})
