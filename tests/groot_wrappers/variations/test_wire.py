"""Variations of the wire on the toy env: each changes what it says, in the episodes that drew it, and nothing else."""

import numpy as np
import pytest
import torch

from groot_wrappers import Gr00tActionWrapper, Gr00tObservationWrapper
from groot_wrappers.errors import ContractError
from groot_wrappers.variations.blur import Blur
from groot_wrappers.variations.brightness import Brightness
from groot_wrappers.variations.dropped_camera import DroppedCamera
from groot_wrappers.variations.occlusion import Occlusion
from groot_wrappers.variations.sensor_noise import SensorNoise
from groot_wrappers.variations.state_noise import StateNoise
from groot_wrappers.variations.wire import Moment
from tests.support.toys.env import ToyEnv, toy_embodiment

NOISE = {"sensor_noise": SensorNoise(1, 40.0), "state_noise": StateNoise(1, 0.05)}
DRAWN = {"sensor_noise": {"levels": 30.0}, "state_noise": {"deviation": 0.1}}
HERE = torch.device("cpu")


def moment(*seeds, step=0):
    return Moment(seeds, [step] * len(seeds), 5, HERE)


def grey(level, envs=1, size=64):
    return torch.full((envs, size, size, 3), level, dtype=torch.uint8)


def observed(num_envs, variations, **settings):
    return Gr00tObservationWrapper(ToyEnv(num_envs), toy_embodiment(), variations=variations, **settings)


def test_brightness_multiplies_by_two_to_the_stops():
    varied = Brightness(1, 2.0).vary(grey(60, 3), [{"stops": 1.0}, {"stops": -1.0}, {"stops": 3.0}], moment(1, 2, 3))
    assert [int(picture.unique()) for picture in varied] == [120, 30, 255]


@pytest.mark.parametrize("radius", [0.01, 0.03])
def test_blur_spreads_a_line_by_its_radius(radius):
    picture = grey(0, 1, 200)
    picture[:, :, 98:102] = 255
    varied = Blur(1, 0.03).vary(picture, [{"radius": radius}], moment(1)).float()
    line, places = varied[0, 100, :, 0], torch.arange(200)
    assert line.sum() == pytest.approx(4 * 255, rel=0.03), "as much light as there was"
    mean = (line * places).sum() / line.sum()
    spread = ((line * (places - mean) ** 2).sum() / line.sum()).sqrt()
    assert spread == pytest.approx(np.hypot(radius * 200, 4 / np.sqrt(12)), rel=0.05)
    assert (Blur(1, 0.03).vary(picture.transpose(1, 2), [{"radius": radius}], moment(1))[0].mT[..., 0] >= 0).all()
    across = Blur(1, 0.03).vary(picture.transpose(1, 2), [{"radius": radius}], moment(1))
    assert torch.equal(across.transpose(1, 2), varied.to(torch.uint8)), "from top to bottom as from left to right"


def test_sensor_noise_has_the_deviation_that_was_drawn_anew_at_each_step():
    noise = SensorNoise(1, 40.0)
    draws = [{"levels": 10.0}, {"levels": 20.0}]
    first, later = (noise.vary(grey(128, 2), draws, moment(1, 2, step=step)) for step in (0, 1))
    assert [float(picture.float().std()) for picture in first] == pytest.approx([10, 20], rel=0.03)
    assert [float(picture.float().mean()) for picture in first] == pytest.approx([128, 128], abs=0.5)
    assert not torch.equal(first, later)
    assert torch.equal(first, noise.vary(grey(128, 2), draws, moment(1, 2)))


def test_occlusion_hides_a_square_of_the_side_and_place_that_were_drawn():
    drawn = {"x": 0.25, "y": 0.75, "side": 0.5, "grey": 7.0}
    (varied,) = Occlusion(1, 0.5).vary(grey(100), [drawn], moment(1))
    hidden = torch.nonzero(varied[..., 0] == 7)
    assert len(hidden) == 32 * 32
    assert (hidden.min(0).values.tolist(), hidden.max(0).values.tolist()) == ([32, 0], [63, 31])


def test_dropped_camera_is_black_on_the_share_of_steps_that_was_drawn():
    dropped = DroppedCamera(1, 0.5)
    seen = [int(dropped.vary(grey(100), [{"share": 0.3}], moment(1, step=step)).max()) for step in range(400)]
    assert set(seen) == {0, 100}
    assert seen.count(0) / 400 == pytest.approx(0.3, abs=0.07)


def test_state_noise_has_the_deviation_that_was_drawn():
    states = torch.ones((2, 5000))
    varied = StateNoise(1, 0.05).vary(states, [{"deviation": 0.01}, {"deviation": 0.03}], moment(1, 2))
    assert (varied - states).std(dim=1).tolist() == pytest.approx([0.01, 0.03], rel=0.05)


def test_episodes_that_drew_nothing_are_left_as_they_are_beside_those_that_did():
    plain, env = observed(3, {}), observed(3, NOISE)
    seeds = {"seeds": [1, 2, 3]}
    untouched, _ = plain.reset(options=dict(seeds))
    varied, _ = env.reset(options=seeds | {"variations": [{}, DRAWN, {}]})
    for modality, key in (("video", "camera"), ("state", "joints")):
        same = varied[modality][key] == untouched[modality][key]
        assert same.reshape(3, -1).all(1).tolist() == [True, False, True]
    again, _ = env.reset(options={"env_ids": [1], "seeds": [2], "variations": [{}]})
    assert np.array_equal(again["video"]["camera"], untouched["video"]["camera"]), "the next episode there drew nothing"
    assert np.array_equal(env.unwrapped.camera.data.output["rgb"][:, 0, 0, 0], env.unwrapped.goal), "its own buffer"


def test_an_episode_is_sent_the_same_for_any_number_of_envs_and_whoever_looks():
    def sent(num_envs, env_id, looks=1):
        env = observed(num_envs, NOISE)
        options = {"seeds": range(num_envs), "variations": [DRAWN] * num_envs}
        options["seeds"] = [7 if i == env_id else 100 + i for i in range(num_envs)]
        observation, _ = env.reset(options=options)
        for _ in range(2):
            for _ in range(looks):
                _ = observation["video"]
            observation, *_ = env.step(torch.zeros((num_envs, 2)))
        pictures = observation["video"]["camera"][env_id].astype(int)
        pictures[..., 2] -= env_id  # which the toy paints
        return pictures[..., :2], observation["state"]["joints"][env_id]

    alone = sent(1, 0)
    for among in (sent(4, 3), sent(4, 0, looks=0), sent(9, 5)):
        assert all(np.array_equal(one, other) for one, other in zip(alone, among, strict=True))


def test_a_frame_of_the_past_is_sent_as_it_was():
    env = observed(1, NOISE, delta_indices={"video": (-1, 0), "state": (0,)})
    observation, _ = env.reset(options={"seeds": [1], "variations": [DRAWN]})
    frames = []
    for _ in range(3):
        frames.append(observation["video"]["camera"][0])
        observation, *_ = env.step(torch.zeros((1, 2)))
    assert np.array_equal(frames[1][0], frames[0][1])
    assert np.array_equal(frames[2][0], frames[1][1])


def test_cameras_are_drawn_no_oftener_than_somebody_looks():
    env = observed(2, NOISE)
    observation, _ = env.reset(options={"seeds": [1, 2], "variations": [DRAWN, DRAWN]})
    for _ in range(3):
        _ = observation["state"]
        observation, *_ = env.step(torch.zeros((2, 2)))
    assert (env.renders, env.unwrapped.camera.draws) == (0, 0)


def test_success_is_judged_by_what_is_so():
    env = Gr00tActionWrapper(observed(1, NOISE), toy_embodiment(), 8)
    env.reset(options={"seeds": [1], "variations": [{"state_noise": {"deviation": 50.0}}]})
    goal = float(env.unwrapped.goal[0])
    *_, info = env.step({"joints": np.full((1, 8, 2), goal, np.float32)})
    assert info["success"].tolist() == [True]


@pytest.mark.parametrize(
    ("variations", "told"),
    [
        ({"blur": Blur(1, 0.03, keys=["camra"])}, "variation.blur.keys names 'camra'.*mean 'camera'.*sent: camera"),
        ({"state_noise": StateNoise(1, 0.1, keys=["camera"])}, "no state of that name"),
    ],
)
def test_keys_that_are_not_sent_are_refused(variations, told):
    with pytest.raises(ContractError, match=told):
        observed(1, variations)


def test_keys_that_are_not_named_are_left_alone():
    env = observed(2, {"brightness": Brightness(1, 2.0, keys=["camera"])})
    observation, _ = env.reset(options={"seeds": [1, 2], "variations": [{"brightness": {"stops": -8.0}}, {}]})
    assert observation["video"]["camera"][0].max() <= 1
    assert observation["video"]["camera"][1].max() > 1
