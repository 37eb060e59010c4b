"""What ends an episode at DROID's table: a thing that stays where it is to be put."""

from types import SimpleNamespace

import pytest

from groot_wrappers.episode_context import EpisodeContext, set_episode_context

pytestmark = pytest.mark.isaaclab

STEPS = 6
"""Control steps in 0.4 s."""


@pytest.fixture
def put(monkeypatch):
    """A function that plays control steps, each how far the thing moved, m, and returns what ``Put`` says of each."""
    # It loads IsaacLab, which only the marked tests may need.
    import torch

    from tasks.droid_table import mdp

    def play(moves, turns=None):
        env = SimpleNamespace(num_envs=1, device="cpu", step_dt=1 / 15)
        set_episode_context(env, EpisodeContext(instructions=["put the red mug on the plate"]))
        term, told, at, angle = mdp.Put(SimpleNamespace(params={}), env), [], 0.0, 0.0
        for move, turn in zip(moves, turns or [0.0] * len(moves), strict=True):
            at, angle = at + move, torch.tensor(angle + turn)
            quaternion = torch.stack([angle * 0, angle * 0, (angle / 2).sin(), (angle / 2).cos()])
            asked = SimpleNamespace(
                held_at=lambda height: torch.ones(1, dtype=torch.bool),
                on_it=torch.ones(1, dtype=torch.bool),
                gap=torch.full((1,), 0.2),
                middle=torch.tensor([[at, 0.0, 0.04]]),
                turn=quaternion[None],
            )
            monkeypatch.setattr(mdp, "_asked", lambda env, asked=asked: asked)
            told.append(bool(term(env, duration=0.4)))
            angle = float(angle)
        return told

    return play


def test_what_stays_for_its_time_has_been_put(put):
    assert put([0.0] * (STEPS + 1)) == [False] * STEPS + [True]


def test_what_creeps_by_less_than_it_may_has_been_put(put):
    assert put([0.003] * (STEPS + 1))[-1]


@pytest.mark.parametrize(("move", "turn"), [(0.004, 0.0), (0.0, 0.04)])
def test_what_moves_or_turns_by_more_has_not(put, move, turn):
    assert not any(put([move] * 20, [turn] * 20))


def test_a_move_begins_the_time_anew(put):
    assert put([0.0] * STEPS + [0.01] + [0.0] * STEPS) == [False] * 2 * STEPS + [True]
