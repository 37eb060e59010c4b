"""The ways in which episodes fail: what they are called, which are alike, and that the commonest comes first."""

import pytest

from runners.reports.ways_to_fail import name_of, ways_to_fail
from tests.support.samples.rows import make_row, make_staged_row


def make_error(index, error):
    return make_row(index, success=None, ended="error", error=error)


@pytest.mark.parametrize(
    ("row", "name"),
    [
        (make_staged_row(reached=0), "never reached (timed out)"),
        (make_staged_row(reached=1, missed="let_go", ended="failure"), "never let go (failed)"),
        (make_staged_row(reached=3), "through all stages, without success (timed out)"),
        (make_staged_row(reached=3, events={"dropped": 40}), "dropped after lifted (timed out)"),
        (make_staged_row(reached=2, events={"dropped": 20}), "dropped after grasped, never lifted (timed out)"),
        (
            make_staged_row(reached=1, events={"dropped": 40, "collided_table": 3}, ended="failure"),
            "collided table at first, never grasped (failed)",
        ),
        (make_row(success=False, ended="time_out"), "timed out"),
        (make_row(success=None, ended="failure"), "failed"),
        (make_error(0, "The server left.\nTraceback ..."), "error: The server left."),
        (make_error(0, None), "error"),
    ],
)
def test_way_has_a_plain_name(row, name):
    assert name_of(row) == name


def test_ways_are_counted_the_commonest_first():
    rows = [
        make_error(0, "No answer after 30 s from env 2"),
        make_staged_row(1, reached=1),
        make_staged_row(2, reached=0),
        make_staged_row(3, reached=1, video="videos/episode_000003.mp4"),
        make_error(4, "No answer after 31 s from env 0"),
        make_staged_row(5, reached=1, ended="failure"),
        make_staged_row(6, reached=1, video="videos/episode_000006.mp4"),
    ]
    ways = ways_to_fail(rows)
    assert [(way.name, [row.index for row in way.rows]) for way in ways] == [
        ("never grasped (timed out)", [1, 3, 6]),
        ("error: No answer after 30 s from env 2", [0, 4]),
        ("never reached (timed out)", [2]),
        ("never grasped (failed)", [5]),
    ]
    assert [way.example.index for way in ways] == [3, 0, 2, 5], "the first that has a video"
    assert ways_to_fail([]) == []
