"""Which drawn number matters: found where it is known, told where nothing can be said."""

import re

import numpy as np
import pytest

from runners.statistics.sensitivity import sensitivity
from runners.statistics.separation import separates
from tests.support.samples.rows import make_row


def rows_of(episodes, chance, seed=0):
    """Return rows that draw an angle to both sides, a gain and a friction; ``chance`` is that of success."""
    rng, rows = np.random.default_rng(seed), []
    for index in range(episodes):
        angle, gain, friction = rng.uniform(-1, 1), rng.uniform(0, 2), rng.uniform(0, 1)
        success = bool(rng.random() < chance(angle, gain, friction))
        rows.append(
            make_row(
                index,
                success=success,
                ended="success" if success else "time_out",
                variation={"camera_pose": {"yaw": angle}, "light": {"gain": gain}, "friction_mass": {"mu": friction}},
            )
        )
    return rows


def logistic(logit):
    return 1 / (1 + np.exp(-logit))


@pytest.fixture(scope="module")
def found():
    return sensitivity(rows_of(300, lambda angle, gain, friction: logistic(3 - 7 * abs(angle) + 0.8 * gain)))


def test_what_matters_comes_first_and_what_does_not_is_not_shown_to(found):
    assert [parameter.name for parameter in found.parameters] == ["camera_pose.yaw", "light.gain", "friction_mass.mu"]
    angle, gain, friction = found.parameters
    assert angle.p_value < 1e-6
    assert gain.p_value < 0.05 < friction.p_value
    assert found.is_fitted
    assert found.notes == []


def test_effects_hold_the_truth(found):
    """In standard deviations, of a uniform angle's size 1/sqrt(12), and of a gain's 2/sqrt(12)."""
    angle, gain, friction = found.parameters
    size, side = angle.effects
    assert (size.of, side.of) == ("size", "side")
    for effect, logit in ((size, -7), (gain.effects[0], 2 * 0.8), (side, 0), (friction.effects[0], 0)):
        assert effect.low < np.exp(logit / np.sqrt(12)) < effect.high
        assert effect.low < effect.odds < effect.high


def test_curve_of_what_harms_to_both_sides_falls_to_both(found):
    angle, gain, _ = found.parameters
    assert angle.curve.rate[[0, 20, -1]].round() == pytest.approx([0, 1, 0])
    assert (np.diff(gain.curve.rate) > 0).all()
    assert ((angle.curve.low < angle.curve.rate) & (angle.curve.rate < angle.curve.high)).all()


def test_bins_are_of_episodes_side_by_side(found):
    for parameter in found.parameters:
        assert sum(each.episodes for each in parameter.bins) == 300
        assert [each.value for each in parameter.bins] == sorted(each.value for each in parameter.bins)
        assert all(each.low <= each.share <= each.high for each in parameter.bins)


def test_few_episodes_say_so_and_are_no_model():
    found = sensitivity(rows_of(20, lambda angle, gain, friction: 0.6))
    assert not found.is_fitted
    (note,) = found.notes
    assert note.startswith(
        "3 parameters in 4 columns take at least 20 successes and 20 failures; of 20 varied episodes"
    )
    assert "No model is fitted: play about" in note
    assert [len(parameter.bins) for parameter in found.parameters] == [4, 4, 4]


@pytest.mark.parametrize(
    ("chance", "told"),
    [
        (
            lambda angle, gain, friction: abs(angle) < 0.5,
            r"every success has \|camera_pose.yaw\| up to 0.5, every failure from 0.50\d",
        ),
        (lambda angle, gain, friction: gain > 1, r"every failure has light.gain up to 0.99\d?, every success from 1"),
        (lambda angle, gain, friction: gain + friction < 1.5, "several parameters together separate"),
    ],
    ids=["to both sides", "to one side", "together"],
)
def test_separation_is_told_and_nothing_is_fitted(chance, told):
    found = sensitivity(rows_of(200, chance))
    assert not found.is_fitted
    assert "coefficients would be infinite" in found.notes[0]
    assert re.search(told, found.notes[0]), found.notes[0]


@pytest.mark.parametrize(("rate", "told"), [(1, "All 30 episodes succeeded"), (0, "All 30 episodes failed")])
def test_all_alike_say_nothing(rate, told):
    assert told in sensitivity(rows_of(30, lambda angle, gain, friction: rate)).notes[0]


def test_numbers_that_a_model_cannot_take_are_left_out_and_told():
    rows = rows_of(200, lambda angle, gain, friction: logistic(1 - gain))
    for row in rows:
        row.variation["light"] |= {"same": 1.0, "twice": 2 * row.variation["light"]["gain"] + 1}
    rows[3].variation["blur"] = {"radius": 0.1}
    found = sensitivity(rows)
    assert found.is_fitted
    assert found.notes == [
        "Left out, the same in every episode: light.same",
        "Left out, it follows from the others: light.twice",
        "Left out, not drawn in every episode: blur.radius",
    ]


def test_unvaried_and_unjudged_episodes_are_none_of_it():
    assert (
        sensitivity([make_row(), make_row(1, success=None, ended="error", variation={"light": {"gain": 1.0}})]) is None
    )
    found = sensitivity([make_row(index, variation={"light": {"gain": 1.0}}) for index in range(3)])
    assert "No number was drawn that differs" in found.notes[0]


def test_overlap_by_one_episode_is_no_separation():
    values = np.arange(20.0)[:, None] / 10
    above = np.arange(20) >= 10
    assert separates(values, above)
    assert separates(np.minimum(values, 1.0), above), "and some lie on the border"
    above[3] = True
    assert not separates(values, above)
