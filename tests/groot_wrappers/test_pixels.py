"""Images of every make become the uint8 RGB of GR00T, or are refused with the reason."""

import numpy as np
import pytest
import torch

from groot_wrappers import Embodiment, Gr00tObservationWrapper
from groot_wrappers.errors import ContractError
from groot_wrappers.pixels import fit_into
from tests.toy_variants import ManyThingsEnv


def seen(**source):
    env = Gr00tObservationWrapper(ManyThingsEnv(), Embodiment.from_config({"video": {"view": source}}))
    observation, _ = env.reset(seed=0)
    view = observation["video"]["view"]
    assert env.observation_space["video"]["view"].contains(view)
    return view[:, 0]


def test_uint8_picture_is_taken_as_it_is():
    np.testing.assert_array_equal(seen(obs="others.picture"), ManyThingsEnv().offered["picture"].numpy())


def test_floats_with_channels_first_are_the_same_picture():
    np.testing.assert_array_equal(seen(obs="others.channels_first"), seen(obs="others.picture"))


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ({"obs": "others.centred"}, "video.view: .* from -0.5 .* as if its mean had been taken away"),
        ({"obs": "others.stacked"}, r"video.view: .* gives \(6, 8, 8\). Frames are stacked"),
        ({"obs": "others.numbers"}, r"video.view: .* gives \(4,\)"),
        ({"sensor": "depth_camera"}, "'depth_camera' gives depth, but GR00T takes rgb. Add rgb"),
        ({"sensor": "contact"}, "'contact' is no camera of the env; its sensor of that name is none"),
    ],
)
def test_what_is_no_picture_is_refused_with_the_reason(source, reason):
    with pytest.raises(ContractError, match=reason):
        seen(**source)


def test_floats_up_to_255_and_other_integers_are_refused():
    for values in (torch.full((2, 3, 4, 6), 255.0), torch.zeros((2, 3, 4, 6), dtype=torch.int64)):
        toy = ManyThingsEnv()
        toy.offered["channels_first"] = values
        embodiment = Embodiment.from_config({"video": {"view": {"obs": "others.channels_first"}}})
        observation, _ = Gr00tObservationWrapper(toy, embodiment).reset(seed=0)
        with pytest.raises(ContractError, match=r"neither uint8 nor in \[0, 1\]|gives torch.int64"):
            observation["video"]


@pytest.mark.parametrize("height", [4, 10])
@pytest.mark.parametrize("width", [6, 7])
def test_resizing_keeps_proportions_between_black_bars(height, width):
    fitted = seen(obs="others.picture", resize=[height, width])
    assert fitted.shape == (2, height, width, 3)
    rows = np.flatnonzero(fitted.any(axis=(0, 2, 3)))
    columns = np.flatnonzero(fitted.any(axis=(0, 1, 3)))
    inside = (rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1)
    scale = min(height / 4, width / 6)
    assert inside == (round(4 * scale), round(6 * scale))
    above, left = rows[0], columns[0]
    assert abs(above - (height - 1 - rows[-1])) <= 1, "the picture stands in the middle"
    assert abs(left - (width - 1 - columns[-1])) <= 1


def test_resizing_changes_no_colour():
    plain = torch.full((1, 9, 5, 3), 200, dtype=torch.uint8)
    fitted = fit_into(plain, 18, 10)
    assert (fitted == 200).all()
    assert fitted.shape == (1, 18, 10, 3)


def test_picture_of_the_right_size_is_not_touched():
    plain = torch.zeros((1, 9, 5, 3), dtype=torch.uint8)
    assert fit_into(plain, 9, 5) is plain
