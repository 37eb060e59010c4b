"""Drawings: the numbers that they show are those that were kept."""

import re

import numpy as np
import pytest

from runners.again.kept_episodes import KeptEpisode
from runners.reports.drawings import MOST_PANELS, MOST_POINTS, draw_distance, draw_last_chunk
from tests.support.samples.rows import make_staged_row


def make_kept(**fields):
    """Return an episode of 7 steps that was asked at 0, 3 and 6; of the last chunk of 4 one step was played."""
    draws = np.random.default_rng(5)
    values = {
        "action": {"arm": draws.normal(size=(7, 2)).astype(np.float32)},
        "beats": np.array([3, 3, 1]),
        "last_chunk": {"arm": draws.normal(size=(4, 2)).astype(np.float32)},
        "states": {"arm": draws.normal(size=(3, 2)).astype(np.float32)},
        "distance": np.array([0.4, 0.3, 0.1, 0.2, 0.2, 0.3, 0.35], np.float32),
    }
    return KeptEpisode(index=0, attempt=0, seed=1, instruction="lift", **values | fields)


def points(drawing, kind):
    """Return the control steps and numbers that a line shows, read from its path."""
    (path,) = [line.path for line in drawing.lines if line.kind == kind]
    x, y = np.array(re.findall(r"([\d.]+),([\d.]+)", path), float).T
    steps = drawing.first + x / 100 * (drawing.last - drawing.first)
    return steps, drawing.high - y / 100 * (drawing.high - drawing.low)


def test_distance_is_drawn_as_it_was_kept_with_stages_and_events():
    kept = make_kept()
    drawing = draw_distance(
        kept, make_staged_row(reached=2, stages={"reached": 2, "grasped": 3}, events={"dropped": 4})
    )
    steps, values = points(drawing, "distance")
    np.testing.assert_allclose(steps, range(1, 8), atol=0.01)
    np.testing.assert_allclose(values, kept.distance, atol=0.001)
    assert drawing.low == 0
    assert [(mark.kind, mark.name, mark.step) for mark in drawing.marks] == [
        ("stage", "reached", 2),
        ("stage", "grasped", 3),
        ("event", "dropped", 4),
    ]
    assert "0.1 at the least, after step 3" in drawing.told
    assert drawing.edges == ("0.00", "0.40")


def test_last_chunk_is_drawn_beside_what_was_played_and_the_state():
    kept = make_kept()
    (group,) = draw_last_chunk(kept)
    assert (group.key, group.width, group.has_state, list(group.drawings)) == ("arm", 2, True, [0, 1])
    for number, drawing in group.drawings.items():
        for kind, wanted_steps, wanted in (
            ("predicted", range(6, 10), kept.last_chunk["arm"]),
            ("played", range(2, 7), kept.action["arm"][2:]),
            ("state", [3, 6], kept.states["arm"][1:]),
        ):
            steps, values = points(drawing, kind)
            np.testing.assert_allclose(steps, wanted_steps, atol=0.01)
            np.testing.assert_allclose(values, wanted[:, number], atol=0.01)
        assert [mark.step for mark in drawing.marks] == [6]


@pytest.mark.parametrize(
    ("states", "relative"), [({}, []), ({"arm": np.zeros((3, 3), np.float32)}, []), (make_kept().states, ["arm"])]
)
def test_state_that_is_no_state_of_the_key_is_not_drawn(states, relative):
    (group,) = draw_last_chunk(make_kept(states=states), relative)
    assert not group.has_state
    assert {line.kind for line in group.drawings[0].lines} == {"predicted", "played"}


def test_numbers_that_are_none_leave_gaps():
    chunk = np.array([[0, np.nan], [np.inf, np.nan], [1, np.nan], [2, np.nan]], np.float32)
    nothing = np.full((7, 2), np.nan, np.float32)
    (group,) = draw_last_chunk(make_kept(last_chunk={"arm": chunk}, action={"arm": nothing}, states={}))
    assert list(group.drawings) == [0]
    ((line),) = group.drawings[0].lines
    assert re.sub(r"[\d.,]+", "", line.path) == "M M L"
    assert "predicted no number in part" in group.drawings[0].told
    assert draw_distance(make_kept(distance=np.full(7, np.nan, np.float32)), make_staged_row()) is None
    assert draw_distance(make_kept(distance=None), make_staged_row()) is None


def test_noise_of_a_robot_that_stands_is_drawn_as_a_line_that_is_flat():
    still = 0.3 + 1e-6 * np.random.default_rng(0).normal(size=(7, 2)).astype(np.float32)
    (group,) = draw_last_chunk(
        make_kept(action={"arm": still}, last_chunk={"arm": still[:4]}, states={"arm": still[:3]})
    )
    for drawing in group.drawings.values():
        heights = [float(y) for line in drawing.lines for y in re.findall(r",([\d.]+)", line.path)]
        assert np.ptp(heights) < 1
        low, high = map(float, drawing.edges)
        assert low < 0.3 < high


def test_long_episodes_and_wide_keys_are_bounded_and_the_ends_and_what_moves_are_kept():
    steps, width = 5000, 40
    action = np.zeros((steps, width), np.float32)
    action[:, 7] = np.arange(steps)
    kept = make_kept(
        action={"hand": action},
        beats=np.array([steps - 1, 1]),
        last_chunk={"hand": action[-4:]},
        states={},
        distance=np.arange(steps, dtype=np.float32),
    )
    drawn, values = points(draw_distance(kept, make_staged_row()), "distance")
    assert len(drawn) <= MOST_POINTS + 1
    assert values[-1] == steps - 1
    (group,) = draw_last_chunk(kept)
    assert group.width == width
    assert len(group.drawings) == MOST_PANELS
    assert 7 in group.drawings


def test_episode_without_a_chunk_has_no_drawing_of_one():
    assert draw_last_chunk(make_kept(last_chunk={})) == []
    assert draw_last_chunk(make_kept(last_chunk={"arm": np.zeros((4, 3), np.float32)})) == []
