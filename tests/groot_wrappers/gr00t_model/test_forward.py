"""Which rows are computed together, and in which bucket."""

import pytest

from groot_wrappers.gr00t_model.forward import TEXT_STEP, buckets_for


def told(lengths, sizes):
    return [(rows.tolist(), bucket, text) for rows, bucket, text in buckets_for(lengths, sizes)]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (1, [(1, 1)]),
        (2, [(2, 4)]),
        (4, [(4, 4)]),
        (5, [(5, 16)]),
        (16, [(16, 16)]),
        (17, [(16, 16), (1, 1)]),
        (37, [(16, 16), (16, 16), (5, 16)]),
    ],
)
def test_rows_fill_the_next_bucket_and_are_split_above_the_last(rows, expected):
    answered = told([40] * rows, (1, 4, 16))
    assert [(len(some), bucket) for some, bucket, _ in answered] == expected
    assert [row for some, _, _ in answered for row in some] == list(range(rows))


def test_rows_of_longer_prompts_go_by_themselves():
    assert told([TEXT_STEP, TEXT_STEP + 1, 5, 2 * TEXT_STEP], (4,)) == [
        ([0, 2], 4, TEXT_STEP),
        ([1, 3], 4, 2 * TEXT_STEP),
    ]
