"""The way of a picture: the arithmetic of OpenCV and of Pillow, to the bit."""

import numpy as np
import pytest
import torch
from PIL import Image

from groot_wrappers.gr00t_model.fallback import UnsupportedError
from groot_wrappers.gr00t_model.pictures import (
    PictureChain,
    area_enlarging_taps,
    area_shrinking_taps,
    bicubic_taps,
)


def pictures(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (2, height, width, 3), dtype=np.uint8)


def resized(chain, given):
    return chain.resized(torch.from_numpy(given)).numpy()


@pytest.mark.parametrize("edge", [60, 66, 75, 100])
def test_last_resize_is_pillows(edge):
    chain = PictureChain((edge, edge), edge, 1.0, "cpu")
    given = pictures(edge, edge)
    expected = [np.array(Image.fromarray(one).resize((chain.size, chain.size))) for one in given]
    assert chain.size == round(edge / 28) * 28
    assert np.array_equal(resized(chain, given), np.stack(expected))


@pytest.mark.parametrize(
    "size", [(56, 56), (40, 40), (84, 84), (70, 61), (45, 80), (80, 45), (112, 112), (168, 168), (97, 97)]
)
def test_resizes_are_opencvs(size):
    cv2 = pytest.importorskip("cv2")
    chain = PictureChain(size, 56, 0.9, "cpu")
    given = pictures(*size)
    expected = []
    for one in given:
        side = max(size)
        top, left = (side - size[0]) // 2, (side - size[1]) // 2
        square = np.zeros((side, side, 3), np.uint8)
        square[top : top + size[0], left : left + size[1]] = one
        square = square if side == 56 else cv2.resize(square, (56, 56), interpolation=cv2.INTER_AREA)
        kept = square[3:53, 3:53]
        expected.append(cv2.resize(kept, (56, 56), interpolation=cv2.INTER_AREA))
    assert np.array_equal(resized(chain, given), np.stack(expected))


def test_letterbox_is_black_and_in_the_middle():
    chain = PictureChain((28, 57), 57, 1.0, "cpu")
    letterbox = chain._steps[0](torch.from_numpy(pictures(28, 57))).numpy()
    assert letterbox.shape == (2, 57, 57, 3)
    assert not letterbox[:, :14].any()
    assert not letterbox[:, 42:].any()
    assert np.array_equal(letterbox[:, 14:42], pictures(28, 57))


@pytest.mark.parametrize(
    ("times", "cell", "expected"),
    [(2, [0, 0, 1, 1], 1), (2, [0, 0, 0, 1], 0), (3, [1, 1, 1, 1, 0, 0, 0, 0, 0], 0), (3, [1] * 5 + [0] * 4, 1)],
)
def test_even_shrinking_rounds_the_mean(times, cell, expected):
    chain = PictureChain((56 * times, 56 * times), 56, 1.0, "cpu")
    given = np.tile(np.array(cell, np.uint8).reshape(times, times), (56, 56))[None, :, :, None].repeat(3, 3)
    assert chain.is_whole
    assert (resized(chain, given) == expected).all()


@pytest.mark.parametrize(("size", "wanted"), [(243, 256), (100, 256), (320, 256), (300, 256), (256, 252), (66, 56)])
def test_taps_of_a_pixel_sum_to_one_and_stay_within(size, wanted):
    kinds = [(bicubic_taps, 2.0**22)]
    kinds += [(area_enlarging_taps, 2048.0)] if size < wanted else [(area_shrinking_taps, 1.0)]
    for taps, unit in kinds:
        index, weight = taps(size, wanted)
        assert index.min() >= 0
        assert index.max() < size
        np.testing.assert_allclose(weight.sum(1) / unit, 1, atol=2e-6)


def test_true_shrinking_is_told_as_floating():
    assert not PictureChain((180, 320), 256, 0.95, "cpu").is_whole
    assert PictureChain((256, 256), 256, 0.95, "cpu").is_whole


def test_values_are_about_zero():
    chain = PictureChain((56, 56), 56, 1.0, "cpu")
    levels = chain.normalised(torch.tensor([0, 127, 128, 255], dtype=torch.uint8), torch.float32)
    assert torch.equal(levels, (torch.tensor([0.0, 127, 128, 255]) - 127.5) / 127.5)


def test_pictures_that_would_be_resized_once_more_are_not_known():
    with pytest.raises(UnsupportedError, match="28 x 28 are brought to another size"):
        PictureChain((30, 30), 30, 1.0, "cpu")
