"""Embodiments with one thing wrong: each is refused before the first step, by the line to change."""

import copy

import numpy as np
import pytest
import torch

from groot_wrappers import Embodiment, Gr00tActionWrapper, Gr00tObservationWrapper, ModalityConfig
from groot_wrappers.embodiment.env_checks import check_env
from groot_wrappers.embodiment.isaaclab_env import IsaacLabEnv
from groot_wrappers.embodiment.matching import match_embodiment
from groot_wrappers.errors import ContractError
from tests.support.toys.variants import ManyThingsEnv

RIGHT = {
    "video": {"camera": {"sensor": "camera"}, "picture": {"obs": "others.picture"}},
    "state": {"joints": {"obs": "policy.joints"}, "numbers": {"obs": "others.numbers", "slice": [0, 2]}},
    "language": "task",
    "action": {"arm": {"joints": ["joint_.*"]}, "gripper": {"term": "gripper", "threshold": 0.5}},
}
MODALITY = {
    "video": ModalityConfig((0,), ("camera", "picture")),
    "state": ModalityConfig((0,), ("joints", "numbers")),
    "action": ModalityConfig((0,), ("arm", "gripper")),
    "language": ModalityConfig((0,), ("task",)),
}

WRONG = {
    "a missing camera": (("video", "camera", "sensor"), "camara", "video.camera: .* Did you mean 'camera'"),
    "a camera without colour": (("video", "camera", "sensor"), "depth_camera", "video.camera: .* gives depth"),
    "a sensor that is no camera": (("video", "camera", "sensor"), "contact", "video.camera: 'contact' is no camera"),
    "an unknown image term": (("video", "picture", "obs"), "others.pictures", "Did you mean 'others.picture'"),
    "stacked frames": (("video", "picture", "obs"), "others.stacked", r"video.picture: .* \(6, 8, 8\)"),
    "two sources at once": (("video", "picture", "sensor"), "camera", "video.picture: .* exactly one of sensor, obs"),
    "a size of one number": (("video", "picture", "resize"), [224], r"video.picture: resize is \[224\]"),
    "an unknown state term": (("state", "joints", "obs"), "policy.joint", "state.joints: .* mean 'policy.joints'"),
    "a picture as state": (("state", "joints", "obs"), "others.picture", "state.joints: a state is a row of numbers"),
    "a slice beyond the end": (
        ("state", "numbers", "slice"),
        [2, 9],
        r"state.numbers: slice is \[2, 9\], .* 4 num",
    ),
    "a slice the wrong way": (("state", "numbers", "slice"), [2, 2], r"state.numbers: slice is \[2, 2\]"),
    "scales for other numbers": (("state", "numbers", "scale"), [1, 2, 3], "state.numbers: scale has 3 numbers, .* 2"),
    "a scale of nothing": (("state", "numbers", "scale"), 0, "state.numbers: scale is 0.0"),
    "a scale in words": (("state", "numbers", "scale"), "two", "state.numbers: scale is 'two'"),
    "an unknown joint": (("action", "arm", "joints"), ["joint_c"], "action.arm: .* 'joint_c'. Did you mean"),
    "an unknown action term": (("action", "gripper", "term"), "griper", "action.gripper: .* Did you mean 'gripper'"),
    "two keys on one joint": (("action", "gripper"), {"joints": ["joint_b"]}, r"drives joint_b \(arm and gripper\)"),
    "a joint that nothing drives": (("action", "arm", "joints"), ["joint_a"], "no key drives joint_b"),
    "a slice beyond the term": (("action", "gripper", "slice"), [0, 2], r"action.gripper: slice is \[0, 2\], .* 1 num"),
    "an unknown base": (("action", "arm", "relative_to"), "joint", "action.arm: relative_to is 'joint', .* 'joints'"),
    "a base of another width": (("action", "gripper", "relative_to"), "joints", "action.gripper: it has 1 .* has 2"),
    "held values for other joints": (("action", "arm", "hold"), [1, 2, 3], "action.arm: hold has 3 numbers, but 2"),
    "a clip the wrong way": (("action", "arm", "clip"), [1, -1], "action.arm: clip is"),
    "an unknown setting": (("action", "arm", "scales"), 1, "action.arm has no scales. Did you mean 'scale'"),
    "a key that the server lacks": (
        ("action", "hand"),
        {"term": "gripper"},
        "'hand', but the server sends arm",
    ),
    "another language key": (("language",), "text", "set `embodiment.language`=task"),
}


def changed(path, value):
    config = copy.deepcopy(RIGHT)
    part = config
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    return config


def check(config, env):
    """Do what groot-play does before its first step."""
    embodiment = match_embodiment(Embodiment.from_config(config), MODALITY)
    check_env(IsaacLabEnv(env), embodiment)
    return embodiment


def test_the_right_one_is_played():
    env = ManyThingsEnv()
    embodiment = check(RIGHT, env)
    wrapped = Gr00tActionWrapper(Gr00tObservationWrapper(env, embodiment), embodiment)
    observation, _ = wrapped.reset(seed=0)
    assert wrapped.observation_space.contains(dict(observation.items()))
    wrapped.step({"arm": np.zeros((2, 1, 2), np.float32), "gripper": np.zeros((2, 1, 1), np.float32)})


@pytest.mark.parametrize(("path", "value", "message"), WRONG.values(), ids=WRONG.keys())
def test_wrong_one_is_refused_before_the_first_step(path, value, message):
    env = ManyThingsEnv()
    with pytest.raises(ContractError, match=message):
        check(changed(path, value), env)
    assert not env.starts, "the env was reset before anybody looked"


def test_float64_state_is_refused_by_the_first_observation():
    env = ManyThingsEnv()
    embodiment = check(changed(("state", "numbers", "obs"), "others.doubles"), env)
    observation, _ = Gr00tObservationWrapper(env, embodiment).reset(seed=0)
    with pytest.raises(ContractError, match=r"state\.numbers: GR00T takes torch\.float32, .* torch\.float64"):
        observation["state"]


def test_chunk_of_a_wrong_width_is_refused_before_it_is_played():
    env = ManyThingsEnv()
    embodiment = check(RIGHT, env)
    wrapped = Gr00tActionWrapper(Gr00tObservationWrapper(env, embodiment), embodiment)
    wrapped.reset(seed=0)
    with pytest.raises(ContractError, match=r"action 'arm' has the shape \(2, 1, 3\).*embodiment.action.arm"):
        wrapped.step({"arm": torch.zeros((2, 1, 3)), "gripper": torch.zeros((2, 1, 1))})
    assert not env.played


def test_all_that_is_wrong_comes_in_one_message():
    config = changed(("video", "camera", "sensor"), "front")
    config["state"]["joints"] = {"joints": ["knee"]}
    config["action"]["arm"] = {"term": "leg"}
    config["action"]["gripper"]["slice"] = [0, 5]
    with pytest.raises(ContractError) as error:
        check(config, ManyThingsEnv())
    assert [problem.split(":")[0] for problem in error.value.problems] == [
        "embodiment.video.camera",
        "embodiment.state.joints",
        "embodiment.action.arm",
        "embodiment.action.gripper",
    ]
