"""LerobotRecorder on the toy env: what a frame holds, and which episodes are kept."""

import json

import numpy as np
import pytest

from runners.datasets import layout
from runners.datasets.statistics import read_columns
from runners.recorders import Recorders
from runners.recorders.lerobot import LerobotRecorder
from runners.recorders.recorder import RunInfo
from tests.runners.conftest import SpyPolicy
from tests.runners.test_video import decode
from tests.toy import ToyCamera

LEVELS_A_STEP = 20


def recorder(folder, episodes="all"):
    made = LerobotRecorder(episodes)
    made.on_run_start(RunInfo(folder=folder, config={}, fps=20.0, task="Toy-v0"))
    return made


def listed(folder):
    return [json.loads(line) for line in (folder / "dataset" / layout.EPISODES).read_text().splitlines()]


def numbers(folder, index, *columns):
    read = read_columns(folder / "dataset" / layout.data_path(index), columns)
    return [read[column] for column in columns]


class Counting(SpyPolicy):
    """Steers to the goal by steps that differ, so that every action can be told from its neighbours."""

    def get_action(self, observation, options=None):
        chunk, info = super().get_action(observation, options)
        asked = len(self.calls)
        chunk["joints"][:, :, 0] = asked + np.arange(self.horizon) / 16
        return chunk, info


@pytest.mark.parametrize(("num_envs", "execution"), [(1, 1), (3, 1), (3, 4)])
def test_frame_holds_what_was_seen_before_the_step_and_the_action_that_followed(
    play, tmp_path, monkeypatch, num_envs, execution
):
    monkeypatch.setattr(ToyCamera, "levels_a_step", LEVELS_A_STEP)
    made = recorder(tmp_path)
    run = play(num_envs, 6, execution=execution, policy_class=Counting, recorders=[made])
    Recorders([made]).on_run_end({})
    assert run.error is None
    rows = listed(tmp_path)
    assert sorted(row["plan_index"] for row in rows) == list(range(6))
    for row in rows:
        ended = run.by_index[row["plan_index"]]
        assert row["length"] == ended.steps
        assert (row["seed"], row["tasks"], row["success"]) == (ended.seed, [ended.instruction], ended.success)
        state, action = numbers(tmp_path, row["episode_index"], "observation.state", "action")
        assert state.shape == action.shape == (ended.steps, 2)
        # The toy's joints go where they are told, the server's order being the reverse of the env's.
        assert np.array_equal(state[1:], action[:-1, ::-1]), "the state after an action belongs to the next frame"
        assert not state[0].any(), "the first frame is that of the reset"
        assert len(set(action[:, 0])) == ended.steps
        frames, rate = decode(tmp_path / "dataset" / layout.video_path(row["episode_index"], "camera"))
        assert rate == 20.0
        assert len(frames) == ended.steps
        # The toy paints the control step into green: 0 is the reset's, k is what k steps have brought.
        assert np.abs(frames[..., 1].mean(axis=(1, 2)) - LEVELS_A_STEP * np.arange(ended.steps)).max() < 5
        assert np.abs(frames[..., 0].astype(int) - run.watcher.goals[row["plan_index"]]).max() < 16
