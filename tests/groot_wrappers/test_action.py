"""Gr00tActionWrapper: which step of a chunk is played when, parking, and what it refuses."""

import numpy as np
import pytest
import torch

from groot_wrappers import Embodiment, Gr00tActionWrapper, Gr00tObservationWrapper
from groot_wrappers.errors import ContractError
from tests.support.toys.env import EMBODIMENT, NEEDED_STEPS, ToyEnv, toy_embodiment


def wrap(num_envs=2, execution=4, watcher=None, **env_kwargs):
    embodiment = toy_embodiment()
    env = Gr00tObservationWrapper(ToyEnv(num_envs, **env_kwargs), embodiment)
    return Gr00tActionWrapper(env, embodiment, execution, horizon=8, watcher=watcher)


def numbered_chunk(num_envs=2, horizon=8):
    """Return a chunk whose numbers say env, control step and joint: 100 * env + 10 * step + joint."""
    env, step, joint = np.meshgrid(np.arange(num_envs), np.arange(horizon), np.arange(2), indexing="ij")
    return {"joints": (100 * env + 10 * step + joint).astype(np.float32)}


def chunk_to(goals, horizon=8):
    action = np.zeros((len(goals), horizon, 2), np.float32)
    action[:, :, 1] = np.asarray(goals)[:, None]
    return {"joints": action}


@pytest.mark.parametrize("execution", [1, 4, 8])
def test_control_step_k_plays_entry_k_of_the_chunk(execution):
    env = wrap(execution=execution)
    env.reset(seed=0)
    for _ in range(2):
        env.step(numbered_chunk())
    played = torch.stack(env.unwrapped.played)
    # Column 0 of the env is joint_a, which the server sends second.
    expected = [[[100 * e + 10 * k + 1, 100 * e + 10 * k] for e in range(2)] for k in range(execution)] * 2
    assert played.tolist() == expected


def test_action_space_contains_the_chunk():
    env = wrap()
    assert env.action_space.contains(numbered_chunk())
    assert not env.action_space.contains(numbered_chunk(horizon=7))


def test_env_that_ends_within_a_chunk_is_parked_and_not_counted_on():
    env = wrap(execution=8)
    env.reset(seed=0)
    goals = env.unwrapped.goal.tolist()
    _, reward, terminated, truncated, info = env.step(chunk_to([goals[0], 0]))
    assert info["steps"].tolist() == [NEEDED_STEPS, 8]
    assert reward.tolist() == [NEEDED_STEPS, 0]
    assert terminated.tolist() == [True, False]
    assert truncated.tolist() == [False, False]
    assert info["success"].tolist() == [True, False]
    assert env.parked.tolist() == [True, False]
    _, reward, terminated, _, info = env.step(chunk_to([0, goals[1]]))
    assert info["steps"].tolist() == [0, NEEDED_STEPS]
    assert terminated.tolist() == [False, True]
    assert len(env.unwrapped.played) == 8 + NEEDED_STEPS, "the rest of a chunk that nobody plays costs no step"


def test_parked_env_holds_its_last_action():
    env = wrap(execution=8)
    env.reset(seed=0)
    goal = env.unwrapped.goal[0].item()
    env.step(chunk_to([goal, 0]))
    assert all(action[0].tolist() == [goal, 0.0] for action in env.unwrapped.played)
    env.step(numbered_chunk())
    assert all(action[0].tolist() == [goal, 0.0] for action in env.unwrapped.played)


def test_time_out_is_truncation_without_success():
    env = wrap(execution=8, episode_steps=5)
    env.reset(seed=0)
    _, _, terminated, truncated, info = env.step(chunk_to([0, 0]))
    assert truncated.all()
    assert not terminated.any()
    assert not info["success"].any()
    assert info["steps"].tolist() == [5, 5]


def test_env_without_a_success_term_gives_none():
    env = wrap(has_success=False)
    env.reset(seed=0)
    assert env.step(chunk_to([0, 0]))[4]["success"] is None


@pytest.mark.parametrize("has_rewards", [True, False])
def test_env_without_reward_terms_says_so(has_rewards):
    assert wrap(has_rewards=has_rewards).has_rewards == has_rewards


def test_action_that_is_not_finite_ends_that_episode_alone_as_an_error():
    env = wrap()
    env.reset(seed=0)
    chunk = chunk_to([0, 0])
    chunk["joints"][1, 2, 0] = np.nan
    info = env.step(chunk)[4]
    assert info["error"][0] is None
    assert "joints holds NaN" in info["error"][1]
    assert info["steps"].tolist() == [4, 0]
    assert all(action.isfinite().all() for action in env.unwrapped.played)


def test_action_for_a_state_that_is_not_finite_is_no_fault_of_the_server():
    env = wrap()
    env.reset(seed=0)
    env.unwrapped.joints[1, 0] = np.nan
    chunk = chunk_to([0, 0])
    chunk["joints"][:, 2, 0] = np.nan
    errors = env.step(chunk)[4]["error"]
    assert "The server's action for joints holds NaN" in errors[0]
    assert errors[1] == "The simulator diverged: the env's state is NaN or infinite."


def test_number_that_is_not_finite_past_the_executed_steps_does_no_harm():
    env = wrap()
    env.reset(seed=0)
    chunk = chunk_to([0, 0])
    chunk["joints"][1, 4, 0] = np.nan
    assert env.step(chunk)[4]["error"] == [None, None]


def test_diverged_simulation_ends_that_episode_alone_as_an_error():
    env = wrap()
    env.reset(seed=0)
    step = env.unwrapped.step

    def diverging(action):
        result = step(action)
        env.unwrapped.joints[0] = torch.nan
        return result

    env.unwrapped.step = diverging
    info = env.step(chunk_to([0, 0]))[4]
    assert "diverged" in info["error"][0]
    assert info["error"][1] is None
    assert env.parked.tolist() == [True, False]


def test_watcher_sees_every_control_step_and_who_plays_it_and_plays_on():
    seen = []
    env = wrap(execution=4, watcher=seen.append)
    env.reset(seed=0)
    env.step(chunk_to([env.unwrapped.goal[0].item(), 0]))
    assert [step.played.tolist() for step in seen] == [[True, True]] * NEEDED_STEPS + [[False, True]]
    assert [step.playing.tolist() for step in seen] == [[True, True]] * (NEEDED_STEPS - 1) + [[False, True]] * 2
    assert [step.reward[0].item() for step in seen[:NEEDED_STEPS]] == [1.0] * NEEDED_STEPS
    assert [step.success[0].item() for step in seen[:NEEDED_STEPS]] == [False] * (NEEDED_STEPS - 1) + [True]
    assert env.unwrapped.camera.draws == 0, "a watcher that does not look costs no rendering"


def test_watcher_is_told_what_the_server_asked_for_under_its_keys_and_in_its_numbers():
    seen = []
    target = EMBODIMENT["action"]["joints"] | {"scale": 2.0}
    embodiment = Embodiment.from_config(EMBODIMENT | {"action": {"joints": target}})
    env = Gr00tObservationWrapper(ToyEnv(2), embodiment)
    env = Gr00tActionWrapper(env, embodiment, 3, horizon=8, watcher=seen.append)
    env.reset(seed=0)
    chunk = numbered_chunk()
    env.step(chunk)
    assert len(seen) == 3
    for k, step in enumerate(seen):
        assert list(step.action) == ["joints"]
        assert step.action["joints"].dtype == np.float32
        assert step.action["joints"].tolist() == chunk["joints"][:, k].tolist()


def test_watcher_of_an_env_without_reward_and_success_terms_gets_none():
    seen = []
    env = wrap(watcher=seen.append, has_rewards=False, has_success=False)
    env.reset(seed=0)
    env.step(numbered_chunk())
    assert [(step.reward, step.success) for step in seen] == [(None, None)] * 4


def test_step_with_every_env_parked_raises():
    env = wrap()
    with pytest.raises(ContractError, match="Every env is parked"):
        env.step(numbered_chunk())


@pytest.mark.parametrize(
    ("chunk", "message"),
    [
        ({"arms": np.zeros((2, 8, 2), np.float32)}, "lacks joints; it has arms"),
        ({"joints": np.zeros((2, 8, 3), np.float32)}, r"shape \(2, 8, 3\), but \(2, T >= 4, 2\)"),
        ({"joints": np.zeros((2, 3, 2), np.float32)}, r"shape \(2, 3, 2\)"),
        ({"joints": np.zeros((1, 8, 2), np.float32)}, r"shape \(1, 8, 2\)"),
    ],
)
def test_chunk_that_does_not_fit_is_refused(chunk, message):
    env = wrap()
    env.reset(seed=0)
    with pytest.raises(ContractError, match=message):
        env.step(chunk)
    assert not env.unwrapped.played


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ({"joints": {"joints": ["joint_c"]}}, "joint that matches 'joint_c'.*joint_a, joint_b"),
        ({"joints": {"term": "arm"}}, "no action term 'arm'. It has: joints"),
        ({"joints": {"joints": ["joint_a"]}}, "no key drives joint_b"),
        ({"joints": {"joints": ["joint_.*"]}, "more": {"joints": ["joint_b"]}}, "more than one key drives joint_b"),
    ],
)
def test_embodiment_that_does_not_fit_the_action_terms_is_refused(action, message):
    embodiment = Embodiment.from_config(EMBODIMENT | {"action": action})
    with pytest.raises(ContractError, match=message):
        Gr00tActionWrapper(ToyEnv(), embodiment)


def test_execution_beyond_the_horizon_is_refused():
    with pytest.raises(ContractError, match=r"`execution`=9 .* hold 8"):
        Gr00tActionWrapper(ToyEnv(), toy_embodiment(), 9, horizon=8)


def test_key_that_holds_a_constant_ignores_what_the_server_sends():
    action = {"goal": {"joints": ["joint_a"]}, "other": {"joints": ["joint_b"], "hold": 7.0}}
    embodiment = Embodiment.from_config(EMBODIMENT | {"action": action})
    env = Gr00tActionWrapper(Gr00tObservationWrapper(ToyEnv(2), embodiment), embodiment, 2)
    env.reset(seed=0)
    goal = np.full((2, 2, 1), 3.0, np.float32)
    env.step({"goal": goal, "other": np.full((2, 2, 1), np.nan, np.float32)})
    assert env.step({"goal": goal})[4]["error"] == [None, None]
    assert torch.stack(env.unwrapped.played).reshape(-1, 2).unique(dim=0).tolist() == [[3.0, 7.0]]
    assert list(env.action_space) == ["goal"]
