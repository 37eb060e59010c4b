"""ActionNoise on toy envs: how much, from which draws, within which limits, and what has none."""

import numpy as np
import pytest
import torch

from groot_wrappers import Embodiment, Gr00tActionWrapper, Gr00tObservationWrapper
from groot_wrappers.errors import ContractError
from tests.support.toys.env import EMBODIMENT, JOINT_LIMITS, ToyEnv, toy_embodiment
from tests.support.toys.variants import DirectRLEnv, ManyThingsEnv

WIDTH = JOINT_LIMITS[1] - JOINT_LIMITS[0]
MIDDLE = 75.0


def play(seeds, *, share=0.02, steps=200, asked=MIDDLE, execution=8, embodiment=None, env_class=ToyEnv):
    """Return what was seen of each control step, for envs that begin from these seeds and end by the time limit."""
    seen = []
    embodiment = embodiment or toy_embodiment()
    toy = env_class(len(seeds), episode_steps=10**6)
    env = Gr00tObservationWrapper(toy, embodiment)
    env = Gr00tActionWrapper(env, embodiment, execution, watcher=seen.append, action_noise=share)
    env.reset(options={"seeds": seeds})
    chunk = {"joints": np.full((len(seeds), execution, env.action_space["joints"].shape[2]), asked, np.float32)}
    for _ in range(steps // execution):
        env.step(chunk)
    return seen, torch.stack(toy.played).numpy()


def test_it_is_that_share_of_the_joints_way_and_both_actions_are_told():
    seen, played = play([0, 1])
    added = played - MIDDLE
    assert added.std() == pytest.approx(0.02 * WIDTH, rel=0.1)
    assert abs(added.mean()) < 0.02 * WIDTH * 0.2
    assert abs(np.corrcoef(added[1:, 0, 0], added[:-1, 0, 0])[0, 1]) < 0.25, "anew on each control step"
    for step, sent in zip(seen, played, strict=True):
        assert (step.action["joints"] == MIDDLE).all()
        np.testing.assert_array_equal(step.played_action["joints"], sent[:, ::-1])  # the server's order is another


def test_an_episode_draws_the_same_beside_any_others_and_in_any_beats():
    _, played = play([5, 6, 7])
    np.testing.assert_array_equal(play([6])[1][:, 0], played[:, 1])
    np.testing.assert_array_equal(play([7], execution=1)[1][:, 0], played[:, 2])
    assert not (played[:, 0] == played[:, 1]).any()


def test_nothing_is_pushed_beyond_a_limit_but_what_is_asked_beyond_it_stays():
    _, played = play([0], asked=JOINT_LIMITS[1])
    assert (played <= JOINT_LIMITS[1]).all()
    assert (played < JOINT_LIMITS[1]).mean() > 0.3
    _, beyond = play([0], asked=JOINT_LIMITS[1] + 30)
    assert beyond.max() == JOINT_LIMITS[1] + 30


def test_without_it_nothing_differs():
    seen, played = play([0], share=0.0, steps=8)
    assert (played == MIDDLE).all()
    assert all(step.played_action is step.action for step in seen)


def changed(**settings):
    return Embodiment.from_config(EMBODIMENT | {"action": {"joints": EMBODIMENT["action"]["joints"] | settings}})


@pytest.mark.parametrize(("settings", "width"), [({"clip": [0, 100]}, 100), ({"reach": 10}, 10), ({"scale": 2}, WIDTH)])
def test_what_the_embodiment_says_counts_before_the_joints_limits(settings, width):
    _, played = play([0], embodiment=changed(**settings), asked=50.0 if "scale" not in settings else 25.0)
    assert (played - 50).std() == pytest.approx(0.02 * width, rel=0.15)


def test_a_relative_action_is_told_in_the_servers_numbers():
    seen, played = play([0], embodiment=changed(relative_to="joints"), steps=8, asked=1.0)
    told = np.stack([step.played_action["joints"][0] for step in seen])
    np.testing.assert_allclose(told, played[:, 0, ::-1], rtol=1e-5)  # all joints begin at 0


def test_what_opens_or_closes_has_none():
    _, played = play([0], embodiment=changed(threshold=0.5))
    assert (played == 1).all()
    action = {"joints": {"term": "arm"}, "gripper": {"term": "gripper", "hold": 1.0}}
    embodiment = Embodiment.from_config({"state": EMBODIMENT["state"], "action": action})
    env = ManyThingsEnv(1)
    env.robot.data.soft_joint_pos_limits = torch.tensor([[JOINT_LIMITS] * 2])
    wrapped = Gr00tActionWrapper(Gr00tObservationWrapper(env, embodiment), embodiment, action_noise=0.02)
    wrapped.reset(seed=0)
    wrapped.step({"joints": np.zeros((1, 1, 2), np.float32)})
    assert (env.joints != 0).all()


def test_a_key_of_which_nobody_knows_how_far_it_reaches_is_refused_by_name():
    state = {"joints": {"obs": "policy"}}
    free = Embodiment.from_config({"state": state, "action": {"wheels": {"slice": [0, 2]}}})
    bounded = Embodiment.from_config({"state": state, "action": {"wheels": {"slice": [0, 2], "clip": [-1, 1]}}})
    env = DirectRLEnv()
    with pytest.raises(ContractError, match=r"action\.wheels: it drives no joint .*action\.wheels\.clip"):
        Gr00tActionWrapper(Gr00tObservationWrapper(env, free), free, action_noise=0.02)
    Gr00tActionWrapper(Gr00tObservationWrapper(env, bounded), bounded, action_noise=0.02)
    with pytest.raises(ContractError, match="reach has 3 numbers for 2 columns"):
        play([0], embodiment=changed(reach=[1, 2, 3]))
