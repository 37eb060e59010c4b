"""``server=hold``: every env stands still, under whatever keys an embodiment has, and nobody is asked."""

import numpy as np
import pytest
import torch

from groot_wrappers import Gr00tActionWrapper, Gr00tObservationWrapper
from runners.servers.hold_client import HoldClient
from tests.support.composing import compose
from tests.support.processes import finish, rows_of
from tests.support.toys.env import ToyEnv, toy_embodiment


def test_chunk_keeps_each_running_env_where_it_is():
    toy = ToyEnv(3, episode_steps=20)
    env = Gr00tActionWrapper(Gr00tObservationWrapper(toy, toy_embodiment()), toy_embodiment(), 2)
    client = HoldClient(2)
    client.take(toy_embodiment())
    client.attach(env)
    env.reset(seed=0)
    env.step({"joints": np.arange(12, dtype=np.float32).reshape(3, 2, 2)})
    before = toy.joints.clone()
    assert before.abs().sum() > 0
    action, _ = client.get_action({})
    assert {key: values.shape for key, values in action.items()} == {"joints": (3, 2, 2)}
    env.step(action)
    torch.testing.assert_close(toy.joints, before)
    env._parked[1] = True
    assert client.get_action({})[0]["joints"].shape == (2, 2, 2), "the rows that a server would be asked for"
    assert client.stats.calls == 0


def test_keys_are_those_of_the_embodiment():
    client = HoldClient(4)
    client.take(toy_embodiment())
    modality = client.get_modality_config()
    assert {kind: config.modality_keys for kind, config in modality.items()} == {
        "video": ("camera",), "state": ("joints",), "action": ("joints",), "language": ("task",)
    }  # fmt: skip
    assert modality["action"].horizon == 4


@pytest.mark.isaaclab
def test_run_without_a_server_times_out_and_tells_of_no_request(groot_play, tmp_path):
    settings = ("server=hold", "num_envs=2", "episodes=3", "horizons.episode=7", "hydra.run.dir=run")
    code, out, err = finish(groot_play(*settings))
    assert code == 0, err
    assert [row["ended"] for row in rows_of(tmp_path / "run")] == ["time_out"] * 3
    assert "3 timed out: success rate 0%" in out
    assert "requests" not in out
    assert compose("play", "server=hold", "horizons=chunked").server.policy.horizon == 8
