"""What a policy draws comes from the episode and its request alone: the same for any number of envs and of servers."""

import threading

import numpy as np
import pytest

from groot_wrappers.protocol.client import PolicyClient
from groot_wrappers.protocol.server import PolicyServer
from runners.rollout.clock import RealClock
from tests.support.rollouts import SpyPolicy


class Drawing(SpyPolicy):
    """Goes to the goal with a chance of two in three a request, by the row's noise, and keeps what it was sent."""

    capabilities = ("row_noise",)

    def __init__(self, watcher, **options):
        super().__init__(watcher, **options)
        self.noise = []

    def get_action(self, observation, options=None):
        action, info = super().get_action(observation, options)
        noise = options["row_noise"]
        assert noise.dtype == np.int64
        assert noise.shape == (len(action["joints"]), 2)
        self.noise += [tuple(row) for row in noise.tolist()]
        action["joints"] *= np.array([np.random.default_rng(row).random() < 2 / 3 for row in noise])[:, None, None]
        return action, info


class Both(Drawing):
    """Takes rows of several clients at once too."""

    capabilities = ("row_noise", "joined_batches")
    batch_sizes = (1, 4, 16)


def played(play, num_envs, servers=1, clock=None, **options):
    """Return the rows without what may differ, and the noise that was sent, sorted."""
    options = {"policy_class": Drawing, "execution": 2, "episode_steps": 12, "solves": lambda goal: True} | options
    run = play(num_envs, 10, servers=servers, clock=clock, **options)
    assert run.error is None
    rows = [{key: value for key, value in row.to_json().items() if key != "env"} for row in run.rows]
    return sorted(rows, key=lambda row: row["index"]), sorted(row for policy in run.policies for row in policy.noise)


@pytest.mark.parametrize("delay", [None, pytest.param(1, marks=pytest.mark.slow)])
def test_rows_are_the_same_for_any_number_of_envs_and_of_servers(play, delay):
    def clock():
        return None if delay is None else RealClock(delay)

    wanted = played(play, 1, clock=clock())
    assert {row["ended"] for row in wanted[0]} == {"success", "time_out"}, "the plan must hold both"
    assert wanted[1] == sorted((row["seed"], number) for row in wanted[0] for number in range(row["server_calls"]))
    assert played(play, 4, clock=clock()) == wanted
    assert played(play, 4, servers=2, clock=clock()) == wanted


class FailingOnce(Drawing):
    """Fails at its third request."""

    failed = False

    def get_action(self, observation, options=None):
        if len(self.calls) == 2 and not self.failed:
            self.failed = True
            self.noise.clear()
            raise ValueError("out of memory")
        return super().get_action(observation, options)


@pytest.mark.slow
def test_another_attempt_draws_the_same(play):
    wanted, _ = played(play, 2)
    run = play(2, 10, policy_class=FailingOnce, execution=2, episode_steps=12, solves=lambda goal: True, retries=1)
    assert run.error is None
    again = [run.by_index[index].to_json() for index in range(10)]
    assert [row["attempt"] for row in again].count(1) == 2
    kept = [key for key in wanted[0] if key not in ("env", "attempt")]
    assert [[row[key] for key in kept] for row in again] == [[row[key] for key in kept] for row in wanted]
    for row in (row for row in again if row["attempt"]):
        assert [number for seed, number in run.policy.noise if seed == row["seed"]] == list(range(row["server_calls"]))


@pytest.mark.slow
def test_a_run_beside_another_client_of_its_server_is_that_of_a_run_alone(play):
    wanted, _ = played(play, 3, policy_class=Both)
    policy = Both(type("Nobody", (), {"running": ()})(), solves=lambda goal: True)
    is_over, joined = threading.Event(), []
    with PolicyServer(policy, port=0) as server, PolicyClient("127.0.0.1", server.port, timeout_s=5) as neighbour:

        def disturb():
            while not is_over.is_set():
                rows = len(joined) % 5 + 1
                seen = {
                    "video": {"camera": np.full((rows, 1, 8, 8, 3), 9, np.uint8)},
                    "state": {"joints": np.zeros((rows, 1, 2), np.float32)},
                    "language": {"task": [["disturb"]] * rows},
                }
                joined.append(rows)
                neighbour.get_action(seen, row_noise=np.full((rows, 2), 3))

        threads = [threading.Thread(target=target) for target in (server.serve_forever, disturb)]
        for thread in threads:
            thread.start()
        assert played(play, 3, ports=[server.port], policy_class=Both)[0] == wanted
        is_over.set()
        threads[1].join(10)
        server.stop()
        threads[0].join(10)
    together = [call for call in policy.calls if {("disturb",), ("reach",)} <= {*map(tuple, call["language"]["task"])}]
    assert together, "some of the calls must have been for both"


class Listening(SpyPolicy):
    """Takes no noise; it keeps the options that it was sent."""

    def __init__(self, watcher, **options):
        super().__init__(watcher, **options)
        self.options = []

    def get_action(self, observation, options=None):
        self.options.append(options)
        return super().get_action(observation, options)


def test_server_that_does_not_ask_for_it_gets_nothing(play):
    run = play(2, 6, policy_class=Listening)
    assert run.error is None
    assert set(map(str, run.policy.options)) == {"None"}


def test_of_two_servers_the_one_that_takes_it_gets_its_rows_and_the_other_nothing(play):
    made = []

    def either(watcher, **options):
        made.append((Drawing, Listening)[len(made)](watcher, **options))
        return made[-1]

    run = play(4, 6, servers=2, policy_class=either, solves=lambda goal: True)
    assert run.error is None
    drawing, listening = made
    assert drawing.noise
    assert set(map(str, listening.options)) == {"None"}
