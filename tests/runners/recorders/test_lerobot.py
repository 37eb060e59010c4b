"""LerobotRecorder on the toy env: what a frame holds, and which episodes are kept."""

import logging
import threading
import time
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from groot_wrappers.errors import ContractError
from groot_wrappers.modality import ActionConfig, ModalityConfig
from runners.datasets import paths
from runners.datasets.checks import check_dataset
from runners.datasets.features import Features
from runners.datasets.metadata import Modality
from runners.datasets.recording import EpisodeRecording
from runners.datasets.writer import DatasetWriter
from runners.recorders import Recorder, Recorders
from runners.recorders.lerobot import LerobotRecorder
from runners.recorders.recorder import RunInfo
from runners.statistics.stop_rule import StopRule
from tests.support.dataset_damage import edit_lines
from tests.support.dataset_reader import read_listed, read_whole
from tests.support.rollouts import SpyPolicy
from tests.support.samples.datasets import record
from tests.support.samples.rows import make_episode, make_row, make_step, summary_of
from tests.support.toys.env import ToyCamera
from tests.support.toys.policy import ToyPolicy

LEVELS_A_STEP = 20

SHAPES = {"video": {"camera": (8, 8, 3)}, "state": {"joints": (2,)}, "action": {"joints": (2,)}}
"""Of the toy env."""

UNJUDGED = {"has_success": False, "has_rewards": False}
BEGUN = {"manifest": SimpleNamespace(earlier_starts=[{}])}


def recorder(folder, episodes="all", *, modality=None, **facts):
    made = LerobotRecorder(episodes)
    made.check(modality or ToyPolicy().get_modality_config())
    told = {"folder": folder, "config": {}, "fps": 20.0, "task": "Toy-v0", "shapes": SHAPES}
    made.on_run_start(RunInfo(**told | facts))
    return made


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
    Recorders([made]).on_run_end(None)
    assert run.error is None
    episodes = read_whole(tmp_path / "dataset")
    assert sorted(episode.row["plan_index"] for episode in episodes) == list(range(6))
    for episode in episodes:
        ended = run.by_index[episode.row["plan_index"]]
        told = ("length", "seed", "tasks", "success", "ended")
        wanted = [ended.steps, ended.seed, [ended.instruction], ended.success, ended.ended]
        assert [episode.row[name] for name in told] == wanted
        state, action = episode.columns["observation.state"], episode.columns["action"]
        # The toy's joints go where they are told, the server's order being the reverse of the env's.
        assert np.array_equal(state[1:], action[:-1, ::-1]), "the state after an action belongs to the next frame"
        assert not state[0].any(), "the first frame is that of the reset"
        assert len(set(action[:, 0])) == ended.steps
        assert episode.columns["next.reward"].sum() == ended.episode_return
        assert episode.columns["next.success"].tolist() == [False] * (ended.steps - 1) + [ended.success]
        frames = episode.videos["camera"]
        # The toy paints the control step into green: 0 is the reset's, k is what k steps have brought.
        assert np.abs(frames[..., 1].mean(axis=(1, 2)) - LEVELS_A_STEP * np.arange(ended.steps)).max() < 5
        assert np.abs(frames[..., 0].astype(int) - run.watcher.goals[episode.row["plan_index"]]).max() < 16


def test_successful_episodes_alone(play, tmp_path):
    made = recorder(tmp_path, "successful")
    run = play(2, 8, recorders=[made])
    Recorders([made]).on_run_end(None)
    wanted = {row.index for row in run.rows if row.success}
    assert 0 < len(wanted) < 8
    assert {episode.row["plan_index"] for episode in read_whole(tmp_path / "dataset")} == wanted


def test_successful_episodes_of_an_env_that_knows_none_are_refused_before_the_first_step(tmp_path):
    with pytest.raises(ContractError, match=r"Set recorder\.lerobot\.episodes=all\."):
        recorder(tmp_path, "successful", has_success=False)


def test_server_that_looks_at_no_state_is_refused_before_the_simulator_starts():
    modality = ToyPolicy().get_modality_config()
    del modality["state"]
    with pytest.raises(ContractError, match="the server looks at no state"):
        LerobotRecorder("all").check(modality)


def test_server_whose_actions_cannot_be_written_down_is_refused_before_the_first_step(tmp_path):
    action = ModalityConfig((0,), ("joints",), action_configs=(ActionConfig("import", "EEF", "DEFAULT"),))
    with pytest.raises(ContractError, match="which is no name"):
        recorder(tmp_path, modality=ToyPolicy().get_modality_config() | {"action": action})


@pytest.mark.parametrize("episodes", ["all", "successful"])
def test_run_that_records_nothing_leaves_no_data_set(play, tmp_path, episodes):
    """All episodes fail, or end in an error."""
    made = recorder(tmp_path, episodes)
    policy = Failing if episodes == "all" else SpyPolicy
    run = play(2, 4, policy_class=policy, solves=lambda goal: False, recorders=[made])
    Recorders([made]).on_run_end(None)
    assert {row.ended for row in run.rows} == {"error" if episodes == "all" else "time_out"}
    assert not (tmp_path / "dataset").exists()


class Failing(SpyPolicy):
    """Sends NaN once it has seen a step."""

    def get_action(self, observation, options=None):
        chunk, info = super().get_action(observation, options)
        chunk["joints"][observation["video"]["camera"][:, -1, 0, 0, 1] > 0] = np.nan
        return chunk, info


def test_instruction_is_under_all_language_keys_that_the_server_asks_for(tmp_path):
    languages = ("annotation.human.action.task_description", "annotation.human/coarse action")
    modality = ToyPolicy().get_modality_config() | {"language": ModalityConfig((0,), languages)}
    made = recorder(tmp_path, modality=modality, **UNJUDGED)
    observation = seen(0) | {"language": {key: [["reach"]] * 2 for key in languages}}
    made.on_episodes_start({0: make_episode(0)}, observation)
    made.on_control_step(taken(observation, [False]))
    made.on_episode_end(make_row(0))
    made.on_run_end(None)
    (episode,) = read_whole(tmp_path / "dataset")
    columns = [name for name in episode.columns if name.startswith("annotation.")]
    assert [episode.columns[name].tolist() for name in columns] == [[0], [0]]
    assert check_dataset(tmp_path / "dataset") == []
    assert set(Modality.read(tmp_path / "dataset").annotation) == set(languages)
    assert f"modality_keys={list(languages)}" in (tmp_path / "dataset/modality_config.py").read_text()


def test_server_that_takes_no_instruction_is_recorded_all_the_same(tmp_path):
    modality = ToyPolicy().get_modality_config()
    del modality["language"]
    made = recorder(tmp_path, modality=modality, **UNJUDGED)
    observation = seen(0)
    del observation["language"]
    made.on_episodes_start({0: make_episode(0)}, observation)
    made.on_control_step(taken(observation, [False]))
    made.on_episode_end(make_row(0))
    made.on_run_end(None)
    assert read_whole(tmp_path / "dataset")[0].row["tasks"] == ["reach"]


@pytest.mark.parametrize(
    ("damage", "facts", "message"),
    [
        (None, {"manifest": None}, "it holds 2 episodes, but the run begins anew"),
        (None, {"fps": 30.0}, "its fps and features differ"),
        (None, {"task": "Toy-Slow-v0"}, "its robot_type differ"),
        (None, {"shapes": SHAPES | {"action": {"joints": (3,)}}}, "its features and modality differ"),
        (None, {"stop": StopRule([make_episode(0), make_episode(1)], None)}, r"\[1\] have other seeds"),
        (lambda rows: rows[1].pop("plan_index"), {}, r"\[1\] have no plan_index"),
        (lambda rows: rows[1].update(plan_index="1"), {}, r"\[1\] have no plan_index"),
        (lambda rows: rows[1].update(plan_index=0), {}, "two episodes have the same plan_index"),
        (lambda rows: rows.pop(0), {}, "number 1 is in the place of 0"),
    ],
)
def test_data_set_that_is_not_this_runs_is_refused_before_the_first_step(tmp_path, damage, facts, message):
    features = Features(
        20.0, {"joints": 2}, {"joints": 2}, {"camera": (8, 8)}, robot_type="Toy-v0", has_rewards=True, has_success=True
    )
    with DatasetWriter(tmp_path / "dataset", features) as writer:
        for index in range(2):
            record(writer, 2, plan_index=index, seed=7 + index)
    if damage is not None:
        edit_lines(paths.EPISODES, damage)(tmp_path / "dataset")
    following = tmp_path / "dataset" / paths.data_path(2)
    following.write_bytes(b"of an episode that was cut off")
    with pytest.raises(ContractError, match=message):
        recorder(tmp_path, **BEGUN | facts)
    assert following.exists(), "nothing is mended in another run's data set"


def test_neither_all_nor_successful_is_refused():
    with pytest.raises(ContractError, match="takes all or successful"):
        LerobotRecorder("best")


class Spoiling(SpyPolicy):
    """Sends NaN for every third goal once it is on its way."""

    def get_action(self, observation, options=None):
        chunk, info = super().get_action(observation, options)
        steps = observation["video"]["camera"][:, -1, 0, 0, 1]
        goals = observation["video"]["camera"][:, -1, 0, 0, 0]
        chunk["joints"][(steps >= 2) & (goals % 3 == 0)] = np.nan
        return chunk, info


def test_episodes_that_ended_in_an_error_are_left_out(play, tmp_path):
    made = recorder(tmp_path)
    run = play(2, 8, policy_class=Spoiling, recorders=[made])
    Recorders([made]).on_run_end(None)
    ended = Counter(row.ended for row in run.rows)
    assert ended["error"] > 0
    assert ended["success"] > 0
    episodes = read_whole(tmp_path / "dataset")
    assert {e.row["plan_index"] for e in episodes} == {row.index for row in run.rows if row.ended != "error"}
    assert all(np.isfinite(episode.columns["action"]).all() for episode in episodes)


def test_interrupted_episodes_are_left_out(tmp_path):
    made = recorder(tmp_path, **UNJUDGED)
    observation = seen(0)
    made.on_episodes_start({0: make_episode(0), 1: make_episode(1)}, observation)
    made.on_control_step(taken(observation, [True, True]))
    made.on_episode_end(make_row(1, env=1))
    made.on_run_end(None)
    (episode,) = read_whole(tmp_path / "dataset")
    assert episode.row["plan_index"] == 1


def test_episode_that_was_recorded_before_a_kill_is_not_recorded_again(tmp_path):
    """The data set has an episode before the run's list has its row; a kill between them has it played again."""
    for start in range(2):
        made = recorder(tmp_path, **UNJUDGED, **(BEGUN if start else {}))
        for index in range(start + 1):
            made.on_episodes_start({0: make_episode(index)}, seen(10 * start))
            made.on_control_step(taken(seen(10 * start), [False]))
            made.on_episode_end(make_row(index))
        made.on_run_end(None)
    episodes = read_whole(tmp_path / "dataset")
    assert [episode.row["plan_index"] for episode in episodes] == [0, 1]
    assert [episode.columns["observation.state"][0, 0] for episode in episodes] == [0, 10]


def test_episode_is_in_the_data_set_before_its_row_is_written(play, tmp_path):
    class Looking(Recorder):
        def on_row_written(self, row, rows):
            episodes = read_listed(tmp_path / "dataset")
            assert [episode.row["plan_index"] for episode in episodes] == [row.index for row in rows]
            looks.append(len(rows))

    looks = []
    run = play(2, 4, recorders=[recorder(tmp_path), Looking()])
    assert run.error is None
    assert looks == [1, 2, 3, 4]


def test_simulation_waits_for_an_encoder_that_cannot_keep_up(tmp_path, monkeypatch):
    waits = threading.Event()
    monkeypatch.setattr("runners.recorders.lerobot.WAITING_BYTES", 3 * seen(0)["video"]["camera"][0].nbytes)
    made = recorder(tmp_path, **UNJUDGED)
    monkeypatch.setattr(EpisodeRecording, "add", lambda self, frame: waits.wait(30))
    steps = []

    def simulate():
        made.on_episodes_start({0: make_episode()}, seen(0))
        for k in range(10):
            made.on_control_step(taken(seen(k), [True]))
            steps.append(k)

    simulation = threading.Thread(target=simulate)
    simulation.start()
    deadline = time.monotonic() + 10
    while len(steps) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    simulation.join(0.2)
    assert len(steps) == 3, "a frame more than may wait would be too many"
    waits.set()
    simulation.join(10)
    assert len(steps) == 10
    made.on_run_end(None)


def test_full_disk_costs_the_data_set_and_not_the_run(play, tmp_path, monkeypatch, caplog):
    def full(self, recording, *arguments, **facts):
        if self.episodes:
            raise OSError("no space left on device")
        return whole(self, recording, *arguments, **facts)

    whole = DatasetWriter.finish
    monkeypatch.setattr(DatasetWriter, "finish", full)
    made = recorder(tmp_path)
    with caplog.at_level(logging.WARNING):
        run = play(2, 6, recorders=[made])
    Recorders([made]).on_run_end(None)
    assert run.error is None
    assert len(run.rows) == 6
    (told,) = caplog.messages
    assert "LerobotRecorder failed in on_episode_end and is left out" in told
    assert len(read_whole(tmp_path / "dataset")) == 1


def seen(value):
    """Return an observation of two envs whose state is this number."""
    return {
        "state": {"joints": np.full((2, 1, 2), value, np.float32)},
        "video": {"camera": np.full((2, 1, 8, 8, 3), value, np.uint8)},
        "language": {"task": [["reach"]] * 2},
    }


def taken(observation, playing):
    playing = playing + [False] * (2 - len(playing))
    return make_step(observation, playing, action={"joints": np.zeros((2, 2), np.float32)})


@pytest.mark.parametrize(
    ("episodes", "solves", "told"),
    [
        ("successful", False, "no episode succeeded; recorder.lerobot.episodes=all keeps the others"),
        ("all", True, None),
    ],
)
def test_run_of_which_nothing_is_recorded_says_so_at_its_end(play, tmp_path, episodes, solves, told):
    group = Recorders([recorder(tmp_path, episodes)])
    run = play(2, 4, recorders=[group], solves=lambda goal: solves)
    group.on_run_end(summary_of(run.rows))
    assert [told in failure.error for failure in group.failures] == ([] if told is None else [True])
    assert (tmp_path / "dataset").exists() == (told is None)
