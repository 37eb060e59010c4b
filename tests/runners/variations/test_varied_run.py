"""A run whose episodes are varied, on the toy env: what the policy is sent, and what its rows hold."""

import msgspec
import numpy as np
import pytest

from groot_wrappers import Gr00tActionWrapper, Gr00tObservationWrapper
from groot_wrappers.embodiment.embodiment import Embodiment
from groot_wrappers.variations.brightness import Brightness
from groot_wrappers.variations.state_noise import StateNoise
from runners.again.played_run import PlayedRun
from runners.episodes.episode_log import EpisodeLog, read_rows
from runners.episodes.plan import make_plan
from runners.recorders import Recorders
from runners.rollout.rollout import Rollout
from runners.variations.drawing import varied
from runners.variations.settings import VariationSettings
from tests.support.toys.env import EMBODIMENT, ToyEnv, toy_embodiment
from tests.support.toys.policy import ToyPolicy
from tests.support.toys.variants import DirectRLEnv

DIRECT = EMBODIMENT | {"state": {"joints": {"obs": "policy"}}, "action": {"joints": {"slice": [0, 2]}}}
KINDS = {"brightness": Brightness(1, 1.0), "state_noise": StateNoise(1, 0.5)}


class PolicyHere(ToyPolicy):
    """A policy of this process as a client asks it."""

    def get_action(self, observation, options=None, *, row_noise=None):
        return super().get_action(observation)


@pytest.fixture
def play(tmp_path):
    def run(num_envs, plan, env_class=ToyEnv):
        embodiment = toy_embodiment() if env_class is ToyEnv else Embodiment.from_config(DIRECT)
        env = Gr00tObservationWrapper(env_class(num_envs, episode_steps=6), embodiment, variations=KINDS)
        policy = PolicyHere()
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.jsonl"
        with EpisodeLog(path) as log:
            played = Gr00tActionWrapper(env, embodiment, 2, horizon=8)
            Rollout(played, policy, plan, log, Recorders([])).play()
        rows, notes = read_rows(path)
        assert notes == []
        return sorted(rows, key=lambda row: row.index), policy

    return run


def test_rows_hold_what_was_drawn_and_are_the_same_for_any_number_of_envs(play):
    plan = varied(make_plan(7, 0, ["reach"]), VariationSettings(KINDS))
    plan[2] = make_plan(7, 0, ["reach"])[2]  # as a control beside the others has it
    alone, _ = play(1, plan)
    assert [row.variation for row in alone] == [episode.variation for episode in plan]
    assert alone[2].variation is None
    assert {row.success for row in alone} == {True, False}, "too bright or too dark, the goal is misread"
    assert alone[2].success
    for num_envs in (3, 7):
        assert [msgspec.structs.replace(row, env=0) for row in play(num_envs, plan)[0]] == alone


def test_policy_is_sent_what_was_drawn(play):
    plan = varied(make_plan(1, 0, ["reach"]), VariationSettings(KINDS))
    _, plain = play(1, make_plan(1, 0, ["reach"]))
    _, policy = play(1, plan)
    goal, seen = (int(each.calls[0]["video"]["camera"][0, 0, 0, 0, 0]) for each in (plain, policy))
    assert seen == min(255, round(goal * 2 ** plan[0].variation["brightness"]["stops"]))
    assert not plain.calls[0]["state"]["joints"].any()
    assert np.abs(policy.calls[0]["state"]["joints"]).min() > 0


def test_envs_that_begin_only_together_are_varied_too(play):
    plan = varied(make_plan(5, 0, ["reach"]), VariationSettings({"brightness": KINDS["brightness"]}))
    rows, _ = play(3, plan, DirectRLEnv)
    assert [row.variation for row in rows] == [episode.variation for episode in plan]


def test_episodes_are_played_again_by_what_their_rows_hold(play, tmp_path):
    plan = varied(make_plan(3, 0, ["reach"]), VariationSettings(KINDS))
    rows, _ = play(3, plan)
    assert PlayedRun(tmp_path, None, None, rows).plan == plan
