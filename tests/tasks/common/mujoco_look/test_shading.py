"""A scene of our own, drawn by MuJoCo and by Newton in MuJoCo's light."""

import numpy as np
import pytest
import torch
from PIL import Image

from runners.variations.shape_colours import ShapeColours
from tests.tasks.common.mujoco_look.scene import MODEL, PICTURE, Drawn, model_of

pytestmark = [pytest.mark.isaaclab, pytest.mark.slow]

FLOOR = (slice(75, 96), slice(5, 120))


def ratio_to_noise(picture):
    """How near a picture is to MuJoCo's: PSNR in dB."""
    theirs = np.asarray(Image.open(PICTURE), np.float64)
    return 10 * np.log10(255**2 / np.mean((theirs - picture) ** 2))


@pytest.fixture(scope="module")
def pair():
    """The scene twice, 3 m apart, with what its picture is before a test changes anything."""
    drawn = Drawn(model_of(), origins=((0.0, 0.0, 0.0), (3.0, -2.0, 0.5)))
    return drawn, drawn.pictures()


def test_picture_is_mujocos(pair):
    assert ratio_to_noise(pair[1][0]) > 41


def test_envs_that_stand_apart_look_alike(pair):
    assert np.abs(np.diff(pair[1].astype(int), axis=0)).mean() < 0.05


def test_one_ray_a_pixel_leaves_jagged_edges():
    assert 28 < ratio_to_noise(Drawn(model_of(), finer=1).pictures()[0]) < 38


def test_light_varies_in_one_env_and_is_as_ever_afterwards(pair):
    drawn, before = pair
    colours = ShapeColours(drawn.model, torch.arange(drawn.model.shape_count).reshape(2, -1))
    second = torch.tensor([1])
    means = []
    for gain in (0.25, 1.5):
        colours.light(second, torch.full((1, 3), gain))
        seen = drawn.pictures()
        assert np.array_equal(seen[0], before[0])
        means.append(seen[1][FLOOR].mean() / before[1][FLOOR].mean())
    assert means[0] == pytest.approx(0.25 ** (1 / 2.4), abs=0.06), "in linear light, beside highlights"
    assert means[1] > 1.1, "not clipped where the colour was full"
    colours.restore(second)
    assert np.array_equal(drawn.pictures(), before)


def test_mesh_of_a_negative_colour_is_not_there(pair):
    drawn, _ = pair
    model = model_of()
    colours = drawn.model.shape_color.numpy()
    hidden = colours.copy()
    hidden[model.geom("pane").id] = -1
    drawn.model.shape_color.assign(hidden)
    seen = drawn.pictures()[0]
    drawn.model.shape_color.assign(colours)
    without = MODEL.replace('<geom name="pane"', '<site name="pane"')
    assert np.array_equal(seen, Drawn(model_of(without)).pictures()[0])
