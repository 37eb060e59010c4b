"""Images of every make become the uint8 RGB of GR00T, or are refused with the reason."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from groot_wrappers import Embodiment, Gr00tObservationWrapper
from groot_wrappers.embodiment.pixels import fit_into, where_channels_are
from groot_wrappers.errors import ContractError
from tests.support.toys.env import ToyEnv, toy_embodiment
from tests.support.toys.variants import ManyThingsEnv

LEVELS = torch.arange(2 * 4 * 6 * 3).reshape(2, 4, 6, 3).remainder(256)
"""A picture an env, two envs."""


class Camera:
    """Gives one of several outputs after the other."""

    image_shape = (4, 6)
    cfg = SimpleNamespace(data_types=["rgb"])

    def __init__(self, *frames):
        self.frames = list(frames)

    @property
    def data(self):
        return SimpleNamespace(output={"rgb": self.frames.pop(0) if len(self.frames) > 1 else self.frames[0]})


def filmed(*frames):
    """Return the wrapped env whose camera gives these, and its first observation."""
    toy = ToyEnv(2)
    toy.scene.sensors["camera"] = Camera(*frames)
    env = Gr00tObservationWrapper(toy, toy_embodiment())
    return env, env.reset(seed=0)[0]


def pictures(observation):
    return torch.as_tensor(observation["video"]["camera"][:, 0])


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


def test_floats_up_to_255_nan_and_other_integers_are_refused():
    shape = (2, 3, 4, 6)
    for values in (torch.full(shape, 255.0), torch.full(shape, torch.nan), torch.zeros(shape, dtype=torch.int64)):
        toy = ManyThingsEnv()
        toy.offered["channels_first"] = values
        embodiment = Embodiment.from_config({"video": {"view": {"obs": "others.channels_first"}}})
        observation, _ = Gr00tObservationWrapper(toy, embodiment).reset(seed=0)
        with pytest.raises(ContractError, match=r"neither uint8 nor in \[0, 1\]|from nan|gives torch.int64"):
            observation["video"]


UINT8 = LEVELS.to(torch.uint8)
SOUND = {
    "uint8": (UINT8, LEVELS),
    "numpy": (UINT8.numpy(), LEVELS),
    "strided": (UINT8.movedim(1, 2).contiguous().movedim(1, 2), LEVELS),
    "float32": (LEVELS / 255, LEVELS),
    "float64 that leaves [0, 1] by rounding": (LEVELS.double() / 255 - 5e-4, LEVELS),
    "float16": (LEVELS.gt(100).half(), LEVELS.gt(100) * 255),
    "bfloat16": (LEVELS.gt(100).bfloat16(), LEVELS.gt(100) * 255),
    "RGBA": (torch.cat([UINT8, UINT8[..., :1]], dim=-1), LEVELS),
    "RGB and depth": (torch.cat([LEVELS / 255, LEVELS[..., :1] * 9], dim=-1), LEVELS),
    "grey": (UINT8[..., :1], LEVELS[..., :1].expand(-1, -1, -1, 3)),
    "grey floats": (LEVELS[..., :1] / 255, LEVELS[..., :1].expand(-1, -1, -1, 3)),
}


@pytest.mark.parametrize(("frame", "picture"), SOUND.values(), ids=SOUND)
def test_camera_of_any_make_gives_the_same_picture(frame, picture):
    env, observation = filmed(frame)
    assert (pictures(observation) == picture).all()
    assert env.observation_space["video"].contains(observation["video"])


NAME_A_TERM = r".* name a term that does: embodiment.video.camera={obs: GROUP.TERM}\.$"
UNSOUND = {
    "floats up to 255": (LEVELS.float(), r"from 0 to 143, .* if white is 255, .round\(\)" + NAME_A_TERM),
    "floats about 0": (LEVELS / 127.5 - 1, "looks as if its mean had been taken away" + NAME_A_TERM),
    "NaN": (torch.full((2, 4, 6, 3), torch.nan), "from nan to nan, which is no picture" + NAME_A_TERM),
    "one NaN": (torch.where(LEVELS == 7, torch.nan, LEVELS / 255), "from nan to nan"),
    "infinity": (torch.where(LEVELS == 7, torch.inf, LEVELS / 255), "from 0 to inf, which is no picture"),
    "uint16": (LEVELS.to(torch.uint16), "torch.uint16, and nothing says which number is white" + NAME_A_TERM),
    "int32": (LEVELS.to(torch.int32), "gives torch.int32"),
    "int64 of numpy": (LEVELS.numpy(), "gives torch.int64"),
    "bool": (LEVELS > 9, "gives torch.bool"),
    "two channels": (UINT8[..., :2], r"must be \(num_envs, H, W, 3\), .* it is \(2, 4, 6, 2\)" + NAME_A_TERM),
    "channels first": (UINT8.movedim(-1, 1), r"it is \(2, 3, 4, 6\)"),
    "no channels": (UINT8[..., 0], r"it is \(2, 4, 6\)"),
    "nothing": (None, "gives a NoneType, which cannot become a tensor"),
    "one picture for all envs": (UINT8[:1], r"gives \(1, 4, 6, 3\) in all. Mend the camera's image_shape"),
    "one row for all rows": (UINT8[:, :1], r"says that it gives \(4, 6, 3\) .* gives \(2, 1, 6, 3\) in all"),
}


@pytest.mark.parametrize(("frame", "reason"), UNSOUND.values(), ids=UNSOUND)
def test_camera_that_gives_no_picture_is_refused_with_the_line_to_change(frame, reason):
    _, observation = filmed(frame)
    with pytest.raises(ContractError, match=f"embodiment.video.camera: .*{reason}"):
        observation["video"]


def test_camera_that_changes_what_it_gives_is_judged_frame_by_frame():
    env, observation = filmed(UINT8, LEVELS / 255, LEVELS.to(torch.int16), UINT8[:, :2])
    assert (pictures(observation) == LEVELS).all()
    assert (pictures(env.step(torch.zeros(2, 2))[0]) == LEVELS).all()
    for reason in ("gives torch.int16", "image_shape"):
        with pytest.raises(ContractError, match=reason):
            pictures(env.step(torch.zeros(2, 2))[0])


def test_camera_without_the_output_that_it_is_configured_for_is_refused_by_name():
    class Bayer(Camera):
        data = SimpleNamespace(output={"raw": LEVELS, "depth": LEVELS})

    toy = ToyEnv(2)
    toy.scene.sensors["camera"] = Bayer()
    observation, _ = Gr00tObservationWrapper(toy, toy_embodiment()).reset(seed=0)
    with pytest.raises(ContractError, match="camera 'camera' is configured to give rgb, but gives raw, depth"):
        observation["video"]


@pytest.mark.parametrize(
    ("shape", "hint"),
    [((4, 6, 1), "depth or labels; if it is grey"), ((4, 4, 6), r"fourth channel is alpha, .* \[..., :3\]")],
)
def test_term_of_one_or_four_channels_is_refused_before_the_first_step(shape, hint):
    with pytest.raises(ContractError, match=f"embodiment.video.view: .*{hint}"):
        where_channels_are(shape, "embodiment.video.view")


def test_mirrored_exchanges_left_and_right():
    np.testing.assert_array_equal(seen(obs="others.picture", mirrored=True)[:, :, ::-1], seen(obs="others.picture"))
    large = seen(obs="others.picture", mirrored=True, resize=[8, 12])
    np.testing.assert_array_equal(large[:, :, ::-1], seen(obs="others.picture", resize=[8, 12]))


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
