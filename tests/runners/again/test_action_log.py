"""What a run keeps of each episode, so that it can be played again: all that was played, whatever else happens."""

import numpy as np
import pytest

from runners.again import action_log as module
from runners.again.kept_episodes import FOLDER, JOINED, kept_episode
from runners.recorders import Recorder, Recorders
from runners.rollout.clock import RealClock
from tests.support.rollouts import SpyPolicy
from tests.support.samples.rows import make_row
from tests.support.toys.variants import StagedEnv


class Played(Recorder):
    """Keeps, by hand, what each episode played, what it was asked with and what was answered."""

    def __init__(self):
        self.now, self.ended = {}, {}

    def on_episodes_start(self, episodes, observation):
        self.now |= {env_id: {"actions": [], "states": [], "begins": [], "chunk": None} for env_id in episodes}

    def on_beat(self, observation):
        for env_id, now in self.now.items():
            now["states"].append(observation["state"]["joints"][env_id, -1].copy())
            now["begins"].append(len(now["actions"]))

    def on_control_step(self, step):
        for env_id, now in self.now.items():
            if step.played[env_id]:
                now["actions"].append(step.action["joints"][env_id].copy())

    def on_chunk(self, rows, chunk, latency_s):
        for env_id in rows:
            self.now[env_id]["chunk"] = chunk["joints"][env_id].copy()

    def on_episode_end(self, row):
        self.ended[row.index, row.attempt] = self.now.pop(row.env)


class Wandering(SpyPolicy):
    """Answers with numbers that no other answer has."""

    def get_action(self, observation, options=None):
        action, info = super().get_action(observation, options)
        rows = np.arange(len(action["joints"]))[:, None, None]
        action["joints"][:, :, :1] += rows + np.arange(self.horizon)[:, None] / 100 + len(self.asked)
        return action, info


@pytest.mark.parametrize(
    ("num_envs", "settings"),
    [
        (1, {}),
        (4, {}),
        (3, {"execution": 4}),
        (4, {"execution": 4, "clock": RealClock(2)}),
        (3, {"execution": 2, "clock": RealClock(None)}),
    ],
)
def test_each_episode_keeps_all_that_it_played(play, action_log, tmp_path, num_envs, settings):
    by_hand = Played()
    run = play(num_envs, 9, policy_class=Wandering, recorders=[action_log, by_hand], **settings)
    assert run.error is None
    for row in run.rows:
        kept, played = kept_episode(tmp_path, row.index), by_hand.ended[row.index, 0]
        assert (kept.index, kept.attempt, kept.seed, kept.instruction) == (row.index, 0, row.seed, row.instruction)
        np.testing.assert_array_equal(kept.action["joints"], played["actions"])
        np.testing.assert_array_equal(kept.states["joints"], played["states"])
        np.testing.assert_array_equal(kept.asked_at, played["begins"])
        np.testing.assert_array_equal(kept.last_chunk["joints"], played["chunk"])
        assert kept.steps == row.steps == len(kept.action["joints"])
        assert kept.action["joints"].dtype == kept.states["joints"].dtype == np.float32
        assert kept.distance is None


def test_every_row_has_its_part_the_moment_that_it_is_written(play, action_log, tmp_path):
    there = []

    class Looking(Recorder):
        def on_row_written(self, row, rows):
            there.append(kept_episode(tmp_path, row.index, row.attempt).steps == row.steps)

    play(2, 5, recorders=[action_log, Looking()])
    assert there == [True] * 5


def test_distance_to_success_is_kept_where_the_env_tells_it(play, action_log, tmp_path):
    run = play(2, 3, env_class=StagedEnv, recorders=[action_log])
    for row in run.rows:
        kept = kept_episode(tmp_path, row.index)
        goal = run.watcher.goals[row.index]
        np.testing.assert_array_equal(kept.distance, np.abs(kept.action["joints"][:, 1] - goal))


def test_log_that_fails_loses_no_row_and_is_told(play, action_log, tmp_path):
    (tmp_path / FOLDER).write_text("no folder")
    failures = []

    class Looking(Recorder):
        def on_row_written(self, row, rows):
            failures.append(None)

    run = play(2, 4, recorders=[action_log, Looking()])
    assert run.error is None
    assert len(run.rows) == len(failures) == 4


def test_disk_that_is_full_ends_no_run_by_what_is_kept(action_log, monkeypatch, tmp_path):
    group = Recorders([action_log])

    def full(*arguments):
        raise OSError(28, "No space left on device", str(tmp_path / "actions"))

    monkeypatch.setattr(module, "write_kept", full)
    action_log.on_episodes_start({0: None}, {})
    group.on_episode_end(make_row(0, env=0, steps=0))
    (failure,) = group.failures
    assert "actions of episode" in failure.error


def test_joined_file_holds_the_same(play, action_log, tmp_path):
    run = play(3, 7, recorders=[action_log])
    before = {row.index: kept_episode(tmp_path, row.index) for row in run.rows}
    (tmp_path / "episodes.jsonl").write_bytes(run.log.path.read_bytes())
    action_log.on_run_end(run)
    assert not (tmp_path / FOLDER).exists()
    assert (tmp_path / JOINED).exists()
    for index, kept in before.items():
        joined = kept_episode(tmp_path, index)
        np.testing.assert_equal(vars(joined), vars(kept))
