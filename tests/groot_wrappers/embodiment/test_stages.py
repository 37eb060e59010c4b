"""What an env's group ``progress`` tells is kept by control step and episode, and refused where it cannot be read."""

import numpy as np
import pytest
import torch

from groot_wrappers import Gr00tActionWrapper, Gr00tObservationWrapper
from groot_wrappers.embodiment.isaaclab_env import IsaacLabEnv
from groot_wrappers.embodiment.stages import ProgressTerms
from groot_wrappers.errors import ContractError
from tests.support.toys.env import ToyEnv, toy_embodiment
from tests.support.toys.variants import StagedEnv


def wrapped(toy, execution=4, watcher=None):
    embodiment = toy_embodiment()
    env = Gr00tActionWrapper(Gr00tObservationWrapper(toy, embodiment), embodiment, execution, watcher=watcher)
    env.reset(seed=0)
    return env


def chunk(positions):
    """What moves joint_a of each env there, control step by control step; (num_envs, T)."""
    first = np.asarray(positions, np.float32)
    return {"joints": np.stack([np.zeros_like(first), first], axis=-1)}


def test_stages_are_kept_with_the_control_step_of_their_episode_at_which_they_were_reached_first():
    toy = StagedEnv(2)
    env = wrapped(toy)
    toy.goal[:] = 100.0
    env.step(chunk([[0, 50, 90, 40], [0, 0, 0, 0]]))
    progress = env.step(chunk([[60, 100, 101, 100], [0, 5, 0, 150]]))[-1]["progress"]
    assert {name: first.tolist() for name, first in progress.stages.items()} == {
        "moved": [2, 6],
        "near": [3, 0],
        "arrived": [6, 0],
    }
    assert {name: first.tolist() for name, first in progress.events.items()} == {"overshot": [7, 8]}


def test_a_stage_counts_once_all_before_it_are_reached():
    toy = StagedEnv(1)
    env = wrapped(toy)
    toy.terms["progress_near"] = lambda: toy.episode_length_buf > 2
    toy.goal[:] = 7.0
    progress = env.step(chunk([[7, 7, 0, 0]]))[-1]["progress"]
    assert progress.stages["near"].tolist() == [3]
    assert progress.stages["arrived"].tolist() == [0], "it was there before it was near, and is not since"


def test_an_env_begins_anew_alone_and_a_parked_one_is_not_looked_at():
    toy = StagedEnv(2, episode_steps=3)
    env = wrapped(toy)
    toy.goal[:] = 100.0
    progress = env.step(chunk([[0, 0, 0, 100], [50, 50, 50, 100]]))[-1]["progress"]
    assert progress.stages["moved"].tolist() == [0, 1]
    assert progress.stages["arrived"].tolist() == [0, 0], "its episode had ended"
    env.reset(options={"env_ids": [0], "seeds": [1]})
    progress = env.step(chunk([[0, 50, 0, 0]] * 2))[-1]["progress"]
    assert progress.stages["moved"].tolist() == [2, 1]


def test_the_step_that_ends_an_episode_is_seen_as_it_ended():
    toy = StagedEnv(1, episode_steps=2)
    env = wrapped(toy)
    toy.goal[:] = 100.0
    progress = env.step(chunk([[0, 100, 0, 0]]))[-1]["progress"]
    assert progress.stages["arrived"].tolist() == [2]


def test_distance_is_seen_on_every_control_step():
    seen = []
    toy = StagedEnv(2)
    env = wrapped(toy, watcher=lambda step: seen.append(step.distance))
    toy.goal[:] = torch.tensor([100.0, 10.0])
    env.step(chunk([[0, 50, 90, 100]] * 2))
    assert np.array(seen).tolist() == [[100, 10], [50, 40], [10, 80], [0, 90]]
    assert seen[0].dtype == np.float32


def test_env_without_the_group_is_asked_for_nothing():
    seen = []
    env = wrapped(ToyEnv(2), watcher=lambda step: seen.append(step.distance))
    assert env.step(chunk([[1, 1, 1, 1]] * 2))[-1]["progress"] is None
    assert seen == [None] * 4


def test_no_policy_can_be_shown_the_group():
    assert list(IsaacLabEnv(StagedEnv()).observations) == ["policy.joints"]


def test_a_group_of_that_name_that_means_something_else_is_left_alone():
    toy = StagedEnv()
    toy.observation_manager.active_terms["progress"] = ["phase"]
    toy.observation_manager.group_obs_concatenate["progress"] = True
    assert ProgressTerms(toy).so_far() is None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"active_terms": {"progress": ["progress_near", "distance_to_sucess"]}}, "Did you mean 'distance_to_success'"),
        (
            {"active_terms": {"progress": ["progress_near", "progress_success"]}},
            "success is what comes after all stages",
        ),
        ({"active_terms": {"progress": ["progress_near", "event_"]}}, "'event_', but a stage or an event has a name"),
        ({"group_obs_concatenate": {"progress": True}}, "Set concatenate_terms = False"),
        ({"group_obs_term_dim": {"progress": [(), (3,), (), (), ()]}}, r"'progress_near' .* gives \(3,\) numbers"),
    ],
    ids=["misnamed", "success", "nameless", "concatenated", "several numbers"],
)
def test_group_that_cannot_be_read_is_refused(change, told):
    toy = StagedEnv()
    vars(toy.observation_manager).update(change)
    with pytest.raises(ContractError, match=told):
        wrapped(toy)


@pytest.mark.parametrize("others", [True, False])
def test_term_that_gives_one_number_for_all_envs_is_refused_by_name(others):
    toy = StagedEnv(3)
    if not others:
        for name in [*toy.terms][1:]:
            del toy.terms[name]
        toy.observation_manager.group_obs_term_dim["progress"] = [()]
    env = wrapped(toy)
    toy.terms["progress_moved"] = lambda: torch.ones(1)
    with pytest.raises(ContractError, match=r"'progress_moved' .* gives \(1,\), but \(3,\) is wanted"):
        env.step(chunk([[1, 1, 1, 1]] * 3))
