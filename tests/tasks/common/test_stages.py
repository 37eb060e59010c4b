"""What is asked of an env by several terms at the same moment is computed once."""

from types import SimpleNamespace

import pytest
import torch

pytestmark = [pytest.mark.isaaclab, pytest.mark.slow]  # IsaacLab takes seconds to import


@pytest.fixture
def ask():
    """Ask an env for something, and return how often that has been computed."""
    from tasks.common.stages import at_this_moment

    computed = []

    def asked(env, what):
        at_this_moment(env, what, lambda: computed.append(what))
        return len(computed)

    return asked


def test_the_same_question_is_answered_once_a_moment(ask):
    env = SimpleNamespace(episode_length_buf=torch.zeros(2, dtype=torch.int64))
    assert [ask(env, "a"), ask(env, "a")] == [1, 1]
    assert [ask(env, "b"), ask(env, "a")] == [2, 2], "another question is another answer"
    env.episode_length_buf += 1
    assert [ask(env, "a"), ask(env, "a")] == [3, 3], "the env has stepped on"
    env.episode_length_buf[0] = 0
    assert ask(env, "a") == 4, "an env has been reset"


def test_an_env_that_cannot_tell_the_moment_is_asked_every_time(ask):
    with torch.inference_mode():
        env = SimpleNamespace(episode_length_buf=torch.zeros(2, dtype=torch.int64))
    assert [ask(env, "a"), ask(env, "a")] == [1, 2]
    assert [ask(SimpleNamespace(), "a"), ask(SimpleNamespace(), "a")] == [3, 4]
