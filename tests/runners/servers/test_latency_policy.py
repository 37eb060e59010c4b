"""LatencyPolicy: the time that an answer takes, and that it is the answer of the policy behind."""

import logging

import numpy as np
import pytest

from groot_wrappers.errors import Gr00tError
from groot_wrappers.protocol.client import PolicyClient
from runners.servers import latency_policy
from runners.servers.embedded_server import embedded_server
from runners.servers.latency_policy import LatencyPolicy
from tests.support.servers import policies


def test_it_says_of_itself_what_the_policy_behind_says():
    said = ("identity", "capabilities", "batch_sizes")
    slowed = LatencyPolicy(policies.JoiningPolicy(), 1, 0)
    assert [getattr(slowed, name) for name in said] == [getattr(policies.JoiningPolicy, name) for name in said]
    assert not any(hasattr(LatencyPolicy(policies.ToyPolicy(), 1, 0), name) for name in said)


class Clock:
    """Stands in for the module ``time``: goes on only where somebody sleeps."""

    def __init__(self):
        self.now_s = 100.0

    def perf_counter(self):
        return self.now_s

    def sleep(self, seconds):
        self.now_s += seconds


@pytest.fixture
def clock(monkeypatch):
    """The clock of LatencyPolicy."""
    clock = Clock()
    monkeypatch.setattr(latency_policy, "time", clock)
    return clock


class SlowPolicy(policies.ToyPolicy):
    """Takes a time of its own."""

    def __init__(self, clock, own_ms):
        super().__init__()
        self.clock, self.own_ms = clock, own_ms

    def get_action(self, observation, options=None):
        self.clock.sleep(self.own_ms / 1e3)
        return super().get_action(observation, options)


def timed(clock, policy, batch):
    """Return the milliseconds of a call and its info."""
    start = clock.now_s
    _, info = policy.get_action(policies.observation(batch), None)
    return pytest.approx(1e3 * (clock.now_s - start)), info


@pytest.mark.parametrize(("batch", "own_ms", "took_ms"), [(1, 0, 45), (4, 0, 60), (4, 35, 60)])
def test_answer_takes_the_base_and_its_share_of_each_observation_in_all(clock, caplog, batch, own_ms, took_ms):
    took, info = timed(clock, LatencyPolicy(SlowPolicy(clock, own_ms), 40, 5), batch)
    assert took == took_ms
    assert info["overrun_ms"] == 0
    assert not caplog.records


def test_policy_that_takes_longer_by_itself_is_told_once_and_measured_each_time(clock, caplog):
    policy = LatencyPolicy(SlowPolicy(clock, 60), 20, 5)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            took, info = timed(clock, policy, 2)
            assert took == 60
            assert info["overrun_ms"] == pytest.approx(30)
    (told,) = [record.getMessage() for record in caplog.records]
    assert "SlowPolicy took 60 ms by itself for 2 observations, longer than the 30 ms" in told


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


@pytest.mark.process
def test_client_of_a_server_waits_as_long():
    policy = {
        "_target_": "runners.servers.latency_policy.LatencyPolicy",
        "policy": {"_target_": "tests.support.servers.policies.ToyPolicy"},
        "base_ms": 100.0,
        "per_observation_ms": 10.0,
    }
    with embedded_server(policy, 0, "nested") as port, PolicyClient("127.0.0.1", port) as client:
        client.wait_until_ready()
        client.get_modality_config()
        client.get_action(policies.observation(2))
    assert client.stats.latencies_s[0] >= 0.12
