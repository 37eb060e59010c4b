"""The noise of a row: the published generator, the same numbers wherever a row stands, and those of a normal."""

import numpy as np
import pytest
import torch

from groot_wrappers.errors import ContractError
from groot_wrappers.gr00t_model.noise import RowNoise, philox, row_noise_of

NOISE = RowNoise((5, 7), "cpu", torch.float32)


def words(*values):
    return [torch.tensor([value], dtype=torch.int64) for value in values]


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
    ids=["zeros", "ones", "pi"],
)
def test_philox_gives_the_published_numbers(counter, key, expected):
    """Those of Random123's kat_vectors, philox4x32 with 10 rounds."""
    assert [int(word) for word in philox(words(*counter), words(*key))] == list(expected)


class TestRowNoise:
    def test_of_a_row_is_its_own_wherever_it_stands(self):
        rows = np.array([[3, 0], [3, 1], [4, 0], [-1, 2**62], [2**33, 5]])
        drawn = NOISE.draw(rows)
        assert drawn.shape == (5, 5, 7)
        assert torch.equal(NOISE.draw(rows[::-1]), drawn.flip(0))
        assert all(torch.equal(NOISE.draw(rows[i : i + 1])[0], drawn[i]) for i in range(5))
        assert len({one.numpy().tobytes() for one in drawn}) == 5

    def test_tells_seeds_apart_in_all_their_bits(self):
        rows = np.array([[0, 0], [1, 0], [2**32, 0], [0, 2**32], [0, 1], [-(2**63), 0]])
        assert len({one.numpy().tobytes() for one in NOISE.draw(rows)}) == len(rows)

    def test_is_the_same_numbers_tomorrow(self):
        (first,) = RowNoise((1, 4), "cpu", torch.float64).draw(np.array([[0, 0]]))
        length = np.sqrt(-2 * np.log((np.array([0x6627E8D5, 0xBC57AC4C]) + 0.5) / 2**32))
        turn = np.array([0xE169C58D, 0x9B00DBD8]) / 2**32 * 2 * np.pi
        np.testing.assert_allclose(
            first[0], np.stack([length * np.cos(turn), length * np.sin(turn)], 1).ravel(), atol=1e-14
        )

    def test_is_standard_normal(self):
        drawn = RowNoise((40, 50), "cpu", torch.float32).draw(np.stack([np.arange(50), np.arange(50) % 3], 1))
        assert abs(drawn.mean()) < 0.01
        assert abs(drawn.std() - 1) < 0.01
        assert abs((drawn[:, :, ::2] * drawn[:, :, 1::2]).mean()) < 0.01
        assert abs((drawn**4).mean() - 3) < 0.1


class TestOptions:
    def test_that_hold_none_are_none(self):
        assert row_noise_of(None, 2) is None
        assert row_noise_of({"other": 1}, 2) is None

    def test_are_taken_as_lists_and_arrays(self):
        expected = np.array([[1, 2], [3, 4]])
        for given in ([[1, 2], [3, 4]], ((1, 2), (3, 4)), expected, expected.astype(np.uint32)):
            rows = row_noise_of({"row_noise": given}, 2)
            assert rows.dtype == np.int64
            assert np.array_equal(rows, expected)

    @pytest.mark.parametrize(
        "given",
        [
            [[1, 2]],
            [1, 2],
            [[1.0, 2], [3, 4]],
            [[1, 2], [3]],
            "ab",
            [[2**63, 0], [0, 0]],
            [[2**70, 0], [0, 0]],
            {},
            True,
        ],
        ids=repr,
    )
    def test_that_are_no_two_numbers_a_row_are_refused(self, given):
        with pytest.raises(
            ContractError, match=r"options\['row_noise'\] is \[episode_seed, request_number\] of each of the 2"
        ):
            row_noise_of({"row_noise": given}, 2)
