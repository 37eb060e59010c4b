"""Chunks that come while their beat is played: which entry plays at which control step, and what is held."""

import numpy as np
import pytest
import torch

from groot_wrappers import Embodiment, Gr00tActionWrapper, Gr00tObservationWrapper
from groot_wrappers.errors import ContractError, ServerError
from tests.support.toys.env import EMBODIMENT, NEEDED_STEPS, ToyEnv, toy_embodiment

HORIZON = 8


def wrap(num_envs=2, execution=4, watcher=None, embodiment=None, **env_kwargs):
    embodiment = embodiment or toy_embodiment()
    env = Gr00tObservationWrapper(ToyEnv(num_envs, episode_steps=100, **env_kwargs), embodiment)
    env = Gr00tActionWrapper(env, embodiment, execution, horizon=HORIZON, watcher=watcher)
    env.reset(seed=0)
    env.unwrapped.goal[:] = 1000  # which no test reaches by accident
    return env


def chunk_of(beat, num_envs=2, horizon=HORIZON):
    """Return a chunk whose numbers say beat and entry, -100 * beat - entry, the same for both joints."""
    numbers = -100.0 * beat - np.arange(horizon, dtype=np.float32)
    return {"joints": np.broadcast_to(numbers[None, :, None], (num_envs, horizon, 2)).astype(np.float32)}


def after(delay, chunk):
    return lambda steps: chunk if steps >= delay else None


def played_by(env, env_id=0):
    return [-action[env_id, 0].item() for action in env.unwrapped.played]


@pytest.mark.parametrize("delay", [0, 1, 3, 4])
def test_late_chunk_is_played_from_its_own_control_step_after_the_tail_of_the_last(delay):
    env = wrap(execution=4)
    for beat in (1, 2, 3):
        info = env.step_while_asking(after(delay, chunk_of(beat)))[-1]
        assert info["steps"].tolist() == [4, 4]
        assert info["held"].tolist() == [0, 0]
    first = [0.0] * delay + [100 + entry for entry in range(4 - delay)]  # it stands still, then plays from the start
    # The first chunk began late, so that its tail does too.
    second = [100 + entry for entry in range(4 - delay, 4)] + [200 + entry for entry in range(delay, 4)]
    third = [200 + entry for entry in range(4, 4 + delay)] + [300 + entry for entry in range(delay, 4)]
    assert played_by(env) == first + second + third


def test_env_that_begins_among_others_stands_still_and_plays_its_first_chunk_from_the_start():
    env = wrap()
    env.step_while_asking(after(2, chunk_of(1)))
    env.reset(options={"env_ids": [1], "seeds": [5]})
    env.unwrapped.goal[:] = 1000
    env.unwrapped.joints[1] = torch.tensor([3.0, 4.0])
    env.unwrapped.played.clear()
    env.step_while_asking(after(2, chunk_of(2)))
    assert played_by(env, 0) == [102, 103, 202, 203]
    assert [action[1].tolist() for action in env.unwrapped.played[:2]] == [[3.0, 4.0]] * 2, "its joints where they are"
    assert played_by(env, 1)[2:] == [200, 201]


def test_chunk_that_runs_out_holds_its_last_action_and_is_counted():
    env = wrap()
    env.step_while_asking(after(0, chunk_of(1)))
    *_, info = env.step_while_asking(after(6, chunk_of(2)))
    assert info["steps"].tolist() == [6, 6], "the beat lasts until the answer is there"
    assert played_by(env)[4:] == [104, 105, 106, 107, 107, 107]
    assert info["held"].tolist() == [2, 2]
    assert info["unanswered"] is None
    *_, info = env.step_while_asking(after(1, chunk_of(3)))
    assert played_by(env)[10:] == [206, 301, 302, 303]
    assert info["held"].tolist() == [0, 0]


def test_standing_still_at_the_start_is_not_counted_as_held():
    *_, info = wrap().step_while_asking(after(4, chunk_of(1)))
    assert info["held"].tolist() == [0, 0]


def test_plain_step_after_a_late_chunk_plays_from_the_start():
    env = wrap()
    env.step_while_asking(after(2, chunk_of(1)))
    env.step(chunk_of(2))
    assert played_by(env)[4:] == [200, 201, 202, 203]


def test_relative_actions_are_relative_to_the_state_that_was_asked_with():
    action = {"joints": {"joints": ["joint_a", "joint_b"], "relative_to": "joints"}}
    env = wrap(embodiment=Embodiment.from_config(EMBODIMENT | {"action": action}))
    env.step_while_asking(after(0, chunk_of(1)))
    at_request = env.unwrapped.joints[0, 0].item()
    env.step_while_asking(after(2, chunk_of(2)))
    assert env.unwrapped.joints[0, 0].item() == at_request - 203


def test_watcher_sees_the_action_that_is_played():
    seen = []
    env = wrap(watcher=lambda step: seen.append(step.action["joints"].tolist()))
    env.step_while_asking(after(2, chunk_of(1)))
    env.reset(options={"env_ids": [1], "seeds": [5]})
    env.unwrapped.goal[:] = 1000
    env.unwrapped.joints[1] = torch.tensor([3.0, 4.0])
    env.step_while_asking(after(2, chunk_of(2)))
    # The server has joint_b first.
    assert [step[0] for step in seen[4:]] == [[-102, -102], [-103, -103], [-202, -202], [-203, -203]]
    assert [step[1] for step in seen[4:]] == [[4, 3], [4, 3], [-200, -200], [-201, -201]]
    assert [[row[::-1] for row in step] for step in seen] == [action.tolist() for action in env.unwrapped.played]


def test_answer_that_fails_in_the_middle_keeps_what_was_played():
    env = wrap()
    env.step_while_asking(after(0, chunk_of(1)))
    env.unwrapped.goal[0] = -104.0
    env.unwrapped.joints[:] = 0

    def answer(steps):
        if steps == 3:
            raise ServerError("out of memory")

    env.unwrapped.held[0] = NEEDED_STEPS - 1
    *_, terminated, _, info = env.step_while_asking(answer)
    assert info["steps"].tolist() == [1, 3]
    assert terminated.tolist() == info["success"].tolist() == [True, False]
    assert str(info["unanswered"]) == "out of memory"
    with pytest.raises(ServerError):
        env.step_while_asking(lambda steps: answer(3))


def test_late_chunk_that_is_not_finite_ends_that_episode_alone():
    env = wrap()
    env.step_while_asking(after(0, chunk_of(1)))
    spoiled = chunk_of(2)
    spoiled["joints"][1, 3, 0] = np.nan
    *_, info = env.step_while_asking(after(2, spoiled))
    assert info["error"][0] is None
    assert "joints holds NaN" in info["error"][1]
    assert info["steps"].tolist() == [4, 2]
    assert all(action.isfinite().all() for action in env.unwrapped.played)


def test_late_chunk_that_does_not_fit_is_told():
    env = wrap()
    env.step_while_asking(after(0, chunk_of(1)))
    info = env.step_while_asking(after(2, {"joints": np.zeros((2, 8, 3), np.float32)}))[-1]
    assert isinstance(info["unanswered"], ContractError)
