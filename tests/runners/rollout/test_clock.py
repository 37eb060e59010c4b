"""Two clocks: with a fixed delay outcomes depend on nothing but the seed; without one, inference costs no wall time."""

import time

import numpy as np
import pytest

from groot_wrappers import Gr00tActionWrapper, Gr00tObservationWrapper, PolicyClient
from groot_wrappers.errors import ServerError
from runners.episodes.episode_log import EpisodeLog
from runners.episodes.plan import make_plan
from runners.recorders import Recorder
from runners.rollout.clock import PausedClock, RealClock
from runners.rollout.rollout import Rollout
from tests.support.rollouts import SpyPolicy
from tests.support.toys.env import ToyEnv, toy_embodiment


class Counting(SpyPolicy):
    """Tells by joint_b, which moves nothing else, when it was asked and which entry of its chunk is played.

    It goes to the goal from the tenth control step on, so that an episode takes several chunks.
    """

    pause_s = 0.0

    def get_action(self, observation, options=None):
        action, info = super().get_action(observation, options)
        time.sleep(self.pause_s * np.random.default_rng(len(self.calls)).random())
        asked_at = observation["video"]["camera"][:, -1, 0, 0, 1].astype(np.float32)
        action["joints"][:, :, 0] = 100 * asked_at[:, None] + np.arange(self.horizon)
        action["joints"][:, :, 1] *= asked_at[:, None] >= 10
        return action, info


class Slow(Counting):
    pause_s = 0.02


class Traces(Recorder):
    """Keeps what each episode played, by index."""

    def __init__(self):
        self.running, self.played = {}, {}

    def on_episodes_start(self, episodes, observation):
        self.running |= {env_id: episode.index for env_id, episode in episodes.items()}
        self.played |= {episode.index: [] for episode in episodes.values()}

    def on_control_step(self, step):
        for env_id in np.flatnonzero(step.played):
            self.played[self.running[env_id]].append(int(step.action["joints"][env_id, 0]))


def outcome(play, num_envs, clock, policy_class=Counting, **options):
    traces = Traces()
    options = {"execution": 4, "episode_steps": 30} | options
    run = play(num_envs, 8, policy_class=policy_class, recorders=[traces], clock=clock, **options)
    assert run.error is None
    fates = {row.index: (row.success, row.ended, row.steps, row.held_steps, row.server_calls) for row in run.rows}
    return fates, traces.played


@pytest.mark.parametrize("delay", [0, 2, 4])
def test_fixed_delay_gives_the_same_episodes_for_any_number_of_envs_and_any_speed(play, delay):
    wanted = outcome(play, 1, RealClock(delay))
    assert {fate[1] for fate in wanted[0].values()} == {"success", "time_out"}, "the plan must hold both"
    for num_envs in (2, 3, 8):
        assert outcome(play, num_envs, RealClock(delay)) == wanted
    assert outcome(play, 3, RealClock(delay), Slow) == wanted
    # Asked every 4 steps; a chunk is played from its entry `delay` on, the first one from its first.
    trace = next(trace for trace in wanted[1].values() if len(trace) == 30)
    assert trace[:8] == ([0] * delay + list(range(4)) + [400 + entry for entry in range(delay, 8)])[:8]
    steps = range(8, 30)
    assert trace[8:] == [
        100 * (step - step % 4) + step % 4 if step % 4 >= delay else 100 * (step - step % 4 - 4) + 4 + step % 4
        for step in steps
    ]


def test_delay_of_nothing_is_the_paused_clock(play):
    assert outcome(play, 3, RealClock(0)) == outcome(play, 3, PausedClock())


def test_late_goal_is_reached_late(play):
    """A delay is no accounting trick: what succeeds does so as many steps later as its chunk came late."""
    paused, late = (outcome(play, 2, clock)[0] for clock in (PausedClock(), RealClock(3)))
    for index, (success, _, steps, _, _) in paused.items():
        assert success == late[index][0]
        assert late[index][2] == (steps + 3 if success else 30)


def test_chunks_that_run_out_are_counted(play):
    """Chunks of 8, 4 of them played, and an answer that takes longer than the other 4."""

    class Sluggish(Counting):
        def get_action(self, observation, options=None):
            time.sleep(0.05)
            return super().get_action(observation, options)

    class Striding(ToyEnv):
        def step(self, action):
            time.sleep(0.005)
            return super().step(action)

    fates, played = outcome(play, 2, RealClock(None), Sluggish, env_class=Striding)
    for index, (_, _, steps, held, _) in fates.items():
        repeated = sum(one == other for one, other in zip(played[index], played[index][1:], strict=False))
        assert len(played[index]) == steps
        assert 0 < held <= repeated
    assert all(fate[3] == 0 for fate in outcome(play, 2, RealClock(2), Sluggish, env_class=Striding)[0].values())


class Failing(Counting):
    """Fails once, after a while."""

    def get_action(self, observation, options=None):
        if len(self.calls) == 4:
            self.calls.append(None)
            raise ValueError("out of memory")
        return super().get_action(observation, options)


@pytest.mark.parametrize("retries", [0, 2])
def test_server_that_fails_in_the_middle_of_a_beat_takes_no_finished_episode_with_it(play, retries):
    """The beat of the fifth request: the episodes end in it, before its answer is due."""
    run = play(
        2,
        4,
        policy_class=Failing,
        clock=RealClock(3),
        execution=4,
        episode_steps=18,
        solves=lambda goal: False,
        retries=retries,
    )
    assert [(row.index, row.ended, row.steps) for row in run.rows[:2]] == [(0, "time_out", 18), (1, "time_out", 18)]
    assert run.error is None
    run = play(
        2,
        4,
        policy_class=Failing,
        clock=RealClock(1),
        execution=4,
        episode_steps=18,
        solves=lambda goal: False,
        retries=retries,
    )
    assert [(row.index, row.ended, row.steps) for row in run.rows[:2]] == [(0, "error", 17), (1, "error", 17)]
    assert isinstance(run.error, ServerError) == (retries == 0)
    if retries:
        assert {row.ended for row in run.by_index.values()} == {"time_out"}


NUM_ENVS, STEP_S = 4, 0.04


class Timed(ToyEnv):
    """A toy env whose control steps take their time, and whose episodes all run into the time limit."""

    def step(self, action):
        time.sleep(STEP_S)
        self.held[:] = 0
        return super().step(action)


@pytest.mark.timing
def test_inference_is_hidden_behind_simulation_that_takes_longer(policy_process, tmp_path):
    """A server in a process of its own takes 92 ms, while 4 control steps of 40 ms are played."""
    port = policy_process("latent").ports["latent"]

    def run(clock):
        env = Gr00tObservationWrapper(Timed(NUM_ENVS, episode_steps=24), toy_embodiment())
        env = Gr00tActionWrapper(env, toy_embodiment(), 4, horizon=8)
        with PolicyClient("127.0.0.1", port) as client, EpisodeLog(tmp_path / f"{id(clock)}.jsonl") as log:
            client.wait_until_ready()
            start = time.perf_counter()
            Rollout(env, client, make_plan(2 * NUM_ENVS, 0, [""]), log, Recorder(), clock=clock).play()
            wall_s = time.perf_counter() - start
            assert [row.steps for row in log.rows] == [24] * 2 * NUM_ENVS
            return wall_s, sum(client.stats.latencies_s)

    paused = PausedClock()
    paused_wall_s, server_s = run(paused)
    assert paused.waited_s >= server_s > 12 * 0.092
    for delay in (4, None):
        clock = RealClock(delay)
        wall_s, server_s = run(clock)
        print(
            f"delay {delay}: waited {clock.waited_s:.3f} of {server_s:.2f} s; wall {paused_wall_s:.2f}, {wall_s:.2f} s"
        )
        assert clock.waited_s <= 0.1 * server_s
        assert paused_wall_s - wall_s >= 0.7 * server_s, "a looser bound, as sleeps last longer on a busy machine"
