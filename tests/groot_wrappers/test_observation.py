"""Gr00tObservationWrapper: what it returns, when it draws, and what it refuses."""

import numpy as np
import pytest
import torch
from gymnasium import spaces

from groot_wrappers import Embodiment, Gr00tObservationWrapper, ModalityConfig
from groot_wrappers.episode_context import EpisodeContext, episode_context
from groot_wrappers.errors import ContractError
from groot_wrappers.observation_checks import check_observation
from tests.support.toys.env import EMBODIMENT, NEEDED_STEPS, ToyEnv, toy_embodiment
from tests.support.toys.variants import DrawsByEpisodeEnv


def wrap(num_envs=3, **kwargs):
    return Gr00tObservationWrapper(ToyEnv(num_envs), toy_embodiment(), instruction="reach", **kwargs)


def goal_of(observation):
    return observation["video"]["camera"][:, -1, 0, 0, 0].tolist()


def step_of(observation):
    """Return the control step that each history slot of env 0 shows."""
    return observation["video"]["camera"][0, :, 0, 0, 1].tolist()


@pytest.mark.parametrize("num_envs", [1, 3])
def test_space_contains_what_reset_and_step_return(num_envs):
    env = wrap(num_envs)
    observation, _ = env.reset(seed=0)
    assert env.observation_space.contains(observation)
    observation, *_ = env.step(torch.zeros(num_envs, 2))
    assert env.observation_space.contains(observation)
    assert observation["video"]["camera"].shape == (num_envs, 1, 8, 8, 3)
    assert observation["state"]["joints"].dtype == np.float32
    assert observation["language"] == {"task": [["reach"]] * num_envs}


def test_pixels_nobody_looks_at_are_not_drawn():
    env = wrap()
    env.reset(seed=0)
    for _ in range(5):
        observation, *_ = env.step(torch.zeros(3, 2))
        _ = observation["state"], observation["language"]
    assert env.unwrapped.camera.draws == 0
    _ = observation["video"], observation["video"]
    assert env.unwrapped.camera.draws == env.renders == 1


def test_observation_read_after_the_env_moved_on_raises():
    env = wrap()
    observation, _ = env.reset(seed=0)
    env.step(torch.zeros(3, 2))
    with pytest.raises(ContractError, match="after the env had moved on"):
        _ = observation["video"]


def test_what_was_read_stays_as_it_was():
    env = wrap()
    observation, _ = env.reset(seed=0)
    video, state = observation["video"]["camera"], observation["state"]["joints"]
    env.step(torch.full((3, 2), 7.0))[0].values()
    assert step_of(observation) == [0]
    assert (video[:, :, :, :, 1] == 0).all()
    assert (state == 0).all()


def test_history_follows_the_delta_indices_and_begins_with_the_first_frame():
    env = wrap(delta_indices={"video": [-3, -1, 0]})
    observation, _ = env.reset(seed=0)
    seen = [step_of(observation)]
    for _ in range(5):
        observation, *_ = env.step(torch.zeros(3, 2))
        seen.append(step_of(observation))
    assert seen == [[0, 0, 0], [0, 0, 1], [0, 1, 2], [0, 2, 3], [1, 3, 4], [2, 4, 5]]
    assert env.observation_space.contains(observation)


def test_reset_of_one_env_restarts_its_history_alone():
    env = wrap(delta_indices={"video": [-2, 0]})
    env.reset(seed=0)
    for _ in range(4):
        env.step(torch.zeros(3, 2))
    observation, _ = env.reset(options={"env_ids": [1], "seeds": [5]})
    assert observation["video"]["camera"][:, :, 0, 0, 1].tolist() == [[2, 4], [0, 0], [2, 4]]


@pytest.mark.parametrize("num_envs", [1, 2, 4])
def test_start_depends_on_its_seed_alone(num_envs):
    env = wrap(num_envs)
    goals = {}
    for first in range(0, 4, num_envs):
        seeds = list(range(first, first + num_envs))
        observation, _ = env.reset(options={"env_ids": list(range(num_envs)), "seeds": seeds})
        goals |= dict(zip(seeds, goal_of(observation), strict=True))
    alone = wrap(1)
    assert goals == {s: goal_of(alone.reset(options={"env_ids": [0], "seeds": [s]})[0])[0] for s in range(4)}
    assert len(set(goals.values())) == 4


def test_envs_whose_draws_are_those_of_the_episode_are_reset_in_one_call():
    base = DrawsByEpisodeEnv()
    env = Gr00tObservationWrapper(base, toy_embodiment())
    env.reset(seed=0)
    base.calls.clear()
    goals = goal_of(env.reset(options={"env_ids": [3, 1], "seeds": [7, 8]})[0])
    assert base.calls == [[3, 1]]
    swapped = goal_of(env.reset(options={"env_ids": [0, 1, 2, 3], "seeds": [7, 8, 9, 8]})[0])
    assert swapped[0] == goals[3]
    assert swapped[1] == swapped[3] == goals[1]
    assert episode_context(base).generators == {}, "what the env resets by itself is nobody's episode"
    assert len({*swapped}) == 3

    one_by_one = DrawsByEpisodeEnv(marked=False)
    env = Gr00tObservationWrapper(one_by_one, toy_embodiment())
    env.reset(seed=0)
    one_by_one.calls.clear()
    again = goal_of(env.reset(options={"env_ids": [3, 1], "seeds": [7, 8]})[0])
    assert (again[3], again[1]) == (goals[3], goals[1])
    assert one_by_one.calls == [[3], [1]]


def test_instructions_are_given_per_env():
    env = wrap()
    env.reset(seed=0)
    observation, _ = env.reset(options={"env_ids": [2, 0], "seeds": [1, 2], "instructions": ["two", "zero"]})
    assert observation["language"]["task"] == [["zero"], ["reach"], ["two"]]


def test_instructions_go_under_every_key_of_the_server():
    env = wrap(2, language_keys=("annotation.language.language_instruction", "task"))
    observation, _ = env.reset(options={"seeds": [1, 2], "instructions": ["lift", "push"]})
    texts = [["lift"], ["push"]]
    assert observation["language"] == {"annotation.language.language_instruction": texts, "task": texts}
    assert env.observation_space.contains(observation)
    assert not env.observation_space["language"].contains({"task": texts})
    modality = ModalityConfig((0,), ("task", "annotation.language.language_instruction"))
    assert check_observation(observation, {"language": modality}) == 2


class ToyToldItsGoal(ToyEnv):
    """Its success depends on the instruction: only an env that is told to `reach` can succeed."""

    def reset(self, env_ids=None, **options):
        self.told_at_reset = list(episode_context(self).instructions)
        return super().reset(env_ids, **options)

    def step(self, action):
        observation, reward, terminated, truncated, info = super().step(action)
        self.termination_manager.success &= torch.tensor(
            [text == "reach" for text in episode_context(self).instructions]
        )
        return observation, reward, terminated, truncated, info


def test_terms_read_the_context_of_a_bare_env():
    base = ToyEnv(2)
    assert episode_context(base) == EpisodeContext()
    env = Gr00tObservationWrapper(base, toy_embodiment(), instruction="reach")
    assert episode_context(base).instructions is base.instructions is env.instructions
    assert env.instructions == ["reach", "reach"]


def test_env_knows_what_each_of_its_envs_was_told():
    env = Gr00tObservationWrapper(ToyToldItsGoal(3), toy_embodiment(), instruction="wait")
    env.reset(seed=0)
    assert env.unwrapped.told_at_reset == ["wait"] * 3
    env.reset(options={"env_ids": [2, 0], "seeds": [1, 2], "instructions": ["reach", "rest"]})
    assert env.unwrapped.told_at_reset == ["rest", "wait", "reach"], "before the env is reset"
    for _ in range(NEEDED_STEPS):
        env.step(torch.stack([env.unwrapped.goal, torch.zeros(3)], dim=1))
    assert env.unwrapped.termination_manager.get_term("success").tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"video": {"camera": {"sensor": "camara"}}}, "'camara' is no camera of the env; .* Did you mean 'camera'"),
        ({"state": {"joints": {"obs": "policy.joint"}}}, "no 'policy.joint'. Did you mean 'policy.joints'"),
        ({"state": {"joints": {"obs": "critic.joints"}}}, "It has: policy.joints"),
        ({"state": {"joints": {"sensor": "x"}}}, "embodiment.state.joints has no sensor"),
        ({"video": {"camera": {}}}, "exactly one of sensor, obs, but none"),
        ({"vidio": {}}, "embodiment has no vidio"),
    ],
)
def test_wrong_embodiment_is_refused_by_name(change, message):
    with pytest.raises(ContractError, match=message):
        Gr00tObservationWrapper(ToyEnv(), Embodiment.from_config(EMBODIMENT | change))


def test_float64_state_is_refused():
    env = wrap()
    env.unwrapped.joints = env.unwrapped.joints.double()
    observation, _ = env.reset(seed=0)
    with pytest.raises(ContractError, match=r"embodiment\.state\.joints: GR00T takes torch\.float32"):
        _ = observation["state"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (torch.zeros((3, 2), dtype=torch.int32), r"GR00T takes torch\.float32, but the env gives torch\.int32"),
        (np.ones((3, 2), bool), r"the env gives torch\.bool"),
        (torch.zeros(3), r"gives torch\.float32 of shape \(3,\)"),
        (torch.zeros((1, 2)), r"says that it gives \(2,\) for each of 3 envs, but gives \(1, 2\) in all"),
        (torch.zeros((3, 1)), r"but gives \(3, 1\) in all"),
        (["a", "b", "c"], "numbers are wanted, but the env gives a list"),
        (None, "space has 'policy.joints', but its observation has not"),
    ],
    ids=["int32", "bool", "no row", "one env for all", "one number for all", "words", "nothing"],
)
def test_state_that_is_no_row_of_float32_an_env_is_refused_by_name(given, message):
    env = wrap()
    env.unwrapped._observe = lambda: {"policy": {} if given is None else {"joints": given}}
    observation, _ = env.reset(seed=0)
    with pytest.raises(ContractError, match=f"embodiment.state.joints: .*{message}"):
        observation["state"]


@pytest.mark.parametrize("given", [np.full((3, 2), 7, np.float32), torch.full((3, 4), 7.0)[:, ::2]])
def test_state_comes_from_any_array_of_float32(given):
    env = wrap()
    env.unwrapped._observe = lambda: {"policy": {"joints": given}}
    assert env.reset(seed=0)[0]["state"]["joints"].tolist() == [[[7, 7]]] * 3


@pytest.mark.parametrize("indices", [[], [1], [0, -1]])
def test_delta_indices_that_no_history_can_serve_are_refused(indices):
    with pytest.raises(ContractError, match="delta indices"):
        wrap(delta_indices={"video": indices})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"env_ids": [0, 1], "seeds": [1]}, "2 envs, but got 1 seeds"),
        ({"env_ids": [0], "instructions": ["a", "b"]}, "1 envs, but got 2 instructions"),
        ({"env_ids": [3]}, "0 to 2"),
    ],
)
def test_reset_refuses_options_that_do_not_fit(options, message):
    with pytest.raises(ContractError, match=message):
        wrap().reset(options=options)


def test_state_of_joints_comes_in_the_order_of_the_patterns():
    state = {"state": {"reversed": {"joints": ["joint_b", "joint_a"]}, "all": {"joints": ["joint_.*"]}}}
    env = Gr00tObservationWrapper(ToyEnv(2), Embodiment.from_config(EMBODIMENT | state))
    env.reset(seed=0)
    observation, *_ = env.step(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    assert observation["state"]["reversed"].tolist() == [[[2.0, 1.0]], [[4.0, 3.0]]]
    assert observation["state"]["all"].tolist() == [[[1.0, 2.0]], [[3.0, 4.0]]]


def test_state_without_numbers_is_refused():
    toy = ToyEnv()
    toy.single_observation_space["policy"].spaces["joints"] = spaces.Box(-1, 1, (0,))
    with pytest.raises(ContractError, match=r"policy.joints has the shape \(0,\) an env. Name another term"):
        Gr00tObservationWrapper(toy, toy_embodiment())


def test_state_of_joints_that_no_robot_has_is_refused():
    embodiment = Embodiment.from_config(EMBODIMENT | {"state": {"arm": {"joints": ["joint_a", "elbow"]}}})
    with pytest.raises(ContractError, match=r"match all of joint_a, elbow\. The env has robot: joint_a, joint_b"):
        Gr00tObservationWrapper(ToyEnv(), embodiment)
