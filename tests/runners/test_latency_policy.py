"""LatencyPolicy: the time that an answer takes, and that it is the answer of the policy behind."""

import logging
import time

import numpy as np
import pytest
from hydra.utils import instantiate

from groot_wrappers.client import PolicyClient
from groot_wrappers.errors import Gr00tError
from runners.embedded import embedded_server
from runners.latency_policy import LatencyPolicy
from tests.groot_wrappers import policies


class SlowPolicy(policies.ToyPolicy):
    """Takes a time of its own."""

    def __init__(self, own_ms):
        super().__init__()
        self.own_ms = own_ms

    def get_action(self, observation, options=None):
        time.sleep(self.own_ms / 1e3)
        return super().get_action(observation, options)


def timed(policy, batch):
    """Return the milliseconds of a call and its info."""
    start = time.perf_counter()
    _, info = policy.get_action(policies.observation(batch), None)
    return 1e3 * (time.perf_counter() - start), info


@pytest.mark.parametrize(("batch", "least_ms"), [(1, 45), (4, 60)])
def test_answer_takes_the_base_and_its_share_of_each_observation(batch, least_ms):
    took_ms, info = timed(LatencyPolicy(policies.ToyPolicy(), 40, 5), batch)
    assert least_ms <= took_ms < least_ms + 30
    assert info["overrun_ms"] == 0


def test_time_of_the_policy_behind_counts_within_it(caplog):
    took_ms, info = timed(LatencyPolicy(SlowPolicy(60), 100, 0), 1)
    assert 100 <= took_ms < 140
    assert info["overrun_ms"] == 0
    assert not caplog.records


def test_policy_that_takes_longer_by_itself_is_told_once_and_measured_each_time(caplog):
    policy = LatencyPolicy(SlowPolicy(60), 20, 5)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            took_ms, info = timed(policy, 2)
            assert 60 <= took_ms < 100
            assert 30 <= info["overrun_ms"] <= took_ms - 30
    (told,) = [record.getMessage() for record in caplog.records]
    assert "SlowPolicy took 6" in told
    assert "longer than the 30 ms" in told


def test_all_else_is_the_policy_behind():
    plain, delayed = policies.ToyPolicy(), LatencyPolicy(policies.ToyPolicy(), 0, 0)
    assert delayed.get_modality_config() == plain.get_modality_config()
    for policy in (plain, delayed):
        action, info = policy.get_action(policies.observation(), {"value": 3})
        np.testing.assert_array_equal(action["gripper"], np.full((2, 3, 1), 3, np.float32))
        assert info["calls"] == 1
        assert policy.reset({"seed": 1}) == {"options": {"seed": 1}}
        assert policy.get_action(policies.observation(), None)[1]["calls"] == 1, "it was reset"


@pytest.mark.parametrize("base_ms", [-1, float("inf"), float("nan"), "190", True, None])
def test_time_that_is_none_is_refused_by_name(base_ms):
    with pytest.raises(Gr00tError, match=rf"base_ms must be milliseconds, 0 or more, got {base_ms!r}"):
        LatencyPolicy(policies.ToyPolicy(), base_ms, 0)


def test_client_of_a_server_waits_as_long():
    policy = {
        "_target_": "runners.latency_policy.LatencyPolicy",
        "policy": {"_target_": "tests.groot_wrappers.policies.ToyPolicy"},
        "base_ms": 100.0,
        "per_observation_ms": 10.0,
    }
    assert isinstance(instantiate(policy), LatencyPolicy)
    with embedded_server(policy, 0, "nested") as port, PolicyClient("127.0.0.1", port) as client:
        client.wait_until_ready()
        client.get_modality_config()
        client.get_action(policies.observation(2))
    assert 0.12 <= client.stats.latencies_s[0] < 0.22
