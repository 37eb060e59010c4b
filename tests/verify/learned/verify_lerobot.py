"""Checkpoints of LeRobot, served: LeRobot's own answers, a row's noise from its episode, and the command.

In the environment of ``make learned-env``; the checkpoints are tiny, of random weights, by LeRobot's own classes.
"""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from lerobot.policies.utils import populate_queues
from lerobot.utils.constants import OBS_IMAGES

from groot_wrappers.errors import ContractError
from groot_wrappers.lerobot_model.policy import LeRobotModel
from groot_wrappers.protocol.client import PolicyClient
from tests.verify.learned import tiny_checkpoints as tiny

SPLIT = {
    "state": {"arm": {"start": 0, "end": 7}, "gripper": {"start": 7, "end": 8}},
    "action": {"arm": {"start": 0, "end": 5}, "gripper": {"start": 5, "end": 6}},
}


@pytest.fixture(scope="module", params=["act", "diffusion"])
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def checkpoint(kind, tmp_path_factory):
    folder = tmp_path_factory.mktemp(kind)
    tiny.main(kind, folder)
    (folder / "modality.json").write_text(json.dumps(SPLIT))
    return folder


@pytest.fixture(scope="module")
def policy(checkpoint):
    return LeRobotModel(str(checkpoint), threads=1)


def observation_of(policy, rows, seed=0):
    moments = policy.get_modality_config()["state"].horizon
    draw = np.random.default_rng(seed)
    return {
        "video": {"front": draw.integers(0, 256, (rows, moments, tiny.SIZE, tiny.SIZE, 3), dtype=np.uint8)},
        "state": {
            "arm": draw.normal(size=(rows, moments, 7)).astype(np.float32),
            "gripper": draw.normal(size=(rows, moments, 1)).astype(np.float32),
        },
        "language": {"task": [["lift the cube"]] * rows},
    }


def rows_of(observation, rows):
    return {
        kind: {key: [value[i] for i in rows] if isinstance(value, list) else value[rows] for key, value in keys.items()}
        for kind, keys in observation.items()
    }


def joined(action):
    return np.concatenate([action["arm"], action["gripper"]], -1)


def test_answers_as_select_action_does_step_by_step(kind, policy):
    """LeRobot's own way of playing: queues of moments, and of the chunk's actions."""
    observation = observation_of(policy, 2)
    torch.manual_seed(3)
    ours = joined(policy.get_action(observation)[0])
    model = policy._model
    model.reset()
    torch.manual_seed(3)
    state = np.concatenate([observation["state"]["arm"], observation["state"]["gripper"]], -1)
    last = state.shape[1] - 1
    theirs = []
    for step in range(last + ours.shape[1]):
        moment = min(step, last)
        pictures = torch.from_numpy(observation["video"]["front"][:, moment]).permute(0, 3, 1, 2).float() / 255
        batch = policy._before({tiny.CAMERA: pictures, "observation.state": torch.from_numpy(state[:, moment])})
        if step < last:
            del batch["action"]  # None, as the processor leaves it
            batch[OBS_IMAGES] = torch.stack([batch[tiny.CAMERA]], dim=-4)
            # The oldest moment fills a queue, as at the start of an episode.
            model._queues = populate_queues(model._queues, batch)
            continue
        theirs.append(policy._after(model.select_action(batch)).numpy())
    model.reset()
    np.testing.assert_allclose(ours, np.stack(theirs, 1), atol=1e-5)


def test_row_noise_decides_what_is_drawn(kind, policy):
    observation = observation_of(policy, 3)
    noise = np.array([[11, 0], [12, 0], [13, 4]])
    whole = joined(policy.get_action(observation, {"row_noise": noise})[0])
    torch.manual_seed(99)
    assert np.array_equal(whole, joined(policy.get_action(observation, {"row_noise": noise})[0]))
    order = [2, 0, 1]
    turned = joined(policy.get_action(rows_of(observation, order), {"row_noise": noise[order]})[0])
    np.testing.assert_allclose(turned, whole[order], atol=1e-5)
    alone = joined(policy.get_action(rows_of(observation, [2]), {"row_noise": noise[2:]})[0])
    np.testing.assert_allclose(alone, whole[2:], atol=1e-5)
    other = joined(policy.get_action(observation, {"row_noise": noise + np.array([0, 1])})[0])
    assert np.allclose(other, whole, atol=1e-3) == (kind == "act")


def test_refuses_pictures_of_another_size(policy):
    observation = observation_of(policy, 1)
    observation["video"]["front"] = observation["video"]["front"][:, :, :48]
    with pytest.raises(ContractError, match=r"'front' are 48x64 .* learned from 64x64"):
        policy.get_action(observation)


def test_command_serves_it(kind, checkpoint, policy):
    command = [sys.executable, "-m", "groot_wrappers.serve", "lerobot", "--checkpoint", str(checkpoint), "--port", "0"]
    server = subprocess.Popen([*command, "--threads", "1"], stderr=subprocess.STDOUT, stdout=subprocess.PIPE, text=True)
    try:
        lines = iter(server.stdout.readline, "")
        port = next(int(line.split("127.0.0.1:")[1].split(";")[0]) for line in lines if "127.0.0.1:" in line)
        with PolicyClient("127.0.0.1", port) as client:
            assert client.get_modality_config() == policy.get_modality_config()
            observation, options = observation_of(policy, 2), {"row_noise": np.array([[1, 0], [2, 0]])}
            served = client.get_action(observation, options)[0]
        assert np.allclose(joined(served), joined(policy.get_action(observation, options)[0]), atol=1e-5)
    finally:
        server.terminate()
        server.wait(20)
