"""DatasetWriter: what it writes can be read, also after a kill at any moment, and it goes on with what is there."""

import json
import os
import shutil
import signal
import sys
from dataclasses import replace

import numpy as np
import pytest

from groot_wrappers.errors import ContractError
from runners.datasets.statistics import PixelCounter
from runners.datasets.writer import DatasetWriter
from tests.support.dataset_reader import lines, numbers_there, read_listed, read_whole
from tests.support.samples.datasets import FEATURES, make_dataset, make_frame, record


def test_what_was_recorded_is_what_is_read(tmp_path):
    episodes = read_whole(make_dataset(tmp_path / "set", lengths=(5, 7, 4), tasks=("reach", "grasp", "reach")))
    assert [episode.row for episode in episodes] == [
        {"episode_index": i, "tasks": [task], "length": length, "plan_index": i, "seed": 1000 + i, "success": True}
        for i, (length, task) in enumerate([(5, "reach"), (7, "grasp"), (4, "reach")])
    ]
    for index, episode in enumerate(episodes):
        for k in range(episode.row["length"]):
            frame = make_frame(index, k)
            assert episode.columns["observation.state"][k].tolist() == [100 * index + k] * 4
            assert episode.columns["action"][k].tolist() == [100 * index + k + 0.5] * 4
            for key, video in episode.videos.items():
                assert np.abs(video[k].astype(int) - frame.video[key]).max() <= 8
        assert episode.columns["next.reward"].tolist() == [0.0] * (episode.row["length"] - 1) + [1.0]
        assert episode.columns["next.success"].tolist() == episode.columns["next.done"].tolist()


def test_numbers_keep_every_bit(tmp_path):
    chance = np.random.default_rng(0)
    sent = [chance.normal(size=(6, 4)).astype(np.float32) for _ in range(2)]
    with DatasetWriter(tmp_path / "set", FEATURES) as writer:
        recording = writer.begin()
        for k in range(6):
            state, action = ({"arm": rows[k, :3], "gripper": rows[k, 3:]} for rows in sent)
            recording.add(replace(make_frame(0, k), state=state, action=action))
        writer.finish(recording, "reach")
    (episode,) = read_whole(tmp_path / "set")
    for name, rows in zip(("observation.state", "action"), sent, strict=True):
        assert np.array_equal(episode.columns[name].astype(np.float32), rows)


def test_metadata_says_which_slice_is_which_key(tmp_path):
    make_dataset(tmp_path / "set")
    assert json.loads((tmp_path / "set/meta/modality.json").read_text()) == {
        "state": {"arm": {"start": 0, "end": 3}, "gripper": {"start": 3, "end": 4}},
        "action": {"arm": {"start": 0, "end": 3}, "gripper": {"start": 3, "end": 4}},
        "video": {key: {"original_key": f"observation.images.{key}"} for key in ("front", "wrist")},
        "annotation": {"human.task_description": {}},
    }
    info = json.loads((tmp_path / "set/meta/info.json").read_text())
    assert (info["codebase_version"], info["fps"], info["robot_type"]) == ("v2.1", 20, "toy")
    assert info["features"]["action"] == {
        "dtype": "float32",
        "shape": [4],
        "names": ["arm.0", "arm.1", "arm.2", "gripper"],
    }


@pytest.mark.parametrize(
    ("language", "column"),
    [
        ("task", "annotation.human.task_description"),
        ("annotation.human.coarse_action", "annotation.human.coarse_action"),
    ],
)
def test_instruction_is_under_the_language_key(tmp_path, language, column):
    make_dataset(tmp_path / "set", features=replace(FEATURES, languages=(language,)))
    (first, second, _) = read_whole(tmp_path / "set")
    assert [name for name in first.columns if name.startswith("annotation.")] == [column]
    assert set(first.columns[column].tolist()) == {0}
    assert set(second.columns[column].tolist()) == {1}
    modality = json.loads((tmp_path / "set/meta/modality.json").read_text())
    assert list(modality["annotation"]) == [column.removeprefix("annotation.")]


def test_many_episodes_are_spread_over_folders(tmp_path, monkeypatch):
    for module in ("paths", "features"):
        monkeypatch.setattr(f"runners.datasets.{module}.CHUNK_SIZE", 2)
    folder = make_dataset(tmp_path / "set", [2] * 5, ["reach"] * 5)
    assert len(read_whole(folder)) == 5
    assert [len(list(chunk.iterdir())) for chunk in sorted((folder / "data").iterdir())] == [2, 2, 1]
    assert json.loads((folder / "meta/info.json").read_text())["total_chunks"] == 3


def test_single_number_is_no_list_and_odd_pixels_stay_as_they_are(tmp_path):
    features = replace(FEATURES, action={"force": 1}, video={"odd": (33, 47)}, has_rewards=False, has_success=False)
    episodes = read_whole(make_dataset(tmp_path / "set", features=features))
    assert episodes[0].columns["action"].tolist() == [k + 0.5 for k in range(5)]
    assert "next.reward" not in episodes[0].columns
    assert np.abs(episodes[1].videos["odd"][3].astype(int) - make_frame(1, 3, features=features).video["odd"]).max() < 8


def test_statistics_are_those_of_all_frames(tmp_path):
    folder = tmp_path / "set"
    lengths = (5, 7, 4, *[3] * 17)  # so many that they are not counted anew with each
    episodes = read_whole(make_dataset(folder, lengths, ["reach"] * len(lengths)))
    told = json.loads((folder / "meta/stats.json").read_text())
    assert set(told) == {"observation.state", "action", "timestamp", "next.reward"}
    for name, stats in told.items():
        values = np.concatenate([episode.columns[name] for episode in episodes]).reshape(sum(lengths), -1)
        assert set(stats) == {"mean", "std", "min", "max", "q01", "q99"}
        for stat, wanted in {
            "mean": values.mean(axis=0),
            "std": values.std(axis=0),
            "min": values.min(axis=0),
            "max": values.max(axis=0),
            "q01": np.quantile(values, 0.01, axis=0),
            "q99": np.quantile(values, 0.99, axis=0),
        }.items():
            assert np.allclose(stats[stat], wanted, atol=1e-5), (name, stat)


def test_statistics_of_a_large_data_set_keep_its_extremes(tmp_path, monkeypatch):
    monkeypatch.setattr("runners.datasets.statistics.MAX_FRAMES", 10)
    folder = make_dataset(tmp_path / "set", [30, 31, 32], ["reach"] * 3)
    stats = json.loads((folder / "meta/stats.json").read_text())["observation.state"]
    assert (stats["min"], stats["max"]) == ([0.0] * 4, [231.0] * 4)
    assert np.allclose(stats["mean"], [117.0] * 4, atol=10)


def test_statistics_of_an_episode_are_lerobots(tmp_path):
    folder = make_dataset(tmp_path / "set")
    episode = read_whole(folder)[1]
    told = lines(folder / "meta/episodes_stats.jsonl")[1]["stats"]
    actions = episode.columns["action"]
    assert np.allclose(told["action"]["mean"], actions.mean(axis=0))
    assert np.allclose(told["action"]["std"], actions.std(axis=0))
    frames = np.stack([make_frame(1, k).video["front"] for k in range(7)]) / 255
    images = told["observation.images.front"]
    assert images["count"] == [7]
    for stat in ("mean", "std", "min", "max"):
        assert np.shape(images[stat]) == (3, 1, 1)
        assert np.allclose(np.ravel(images[stat]), getattr(frames, stat)(axis=(0, 1, 2)))


def test_pixels_of_large_frames_are_thinned_out():
    frame = np.random.default_rng(0).integers(0, 256, (450, 600, 3), np.uint8)
    counter = PixelCounter()
    counter.add(frame)
    assert counter._counts.sum() == 3 * 113 * 150
    assert np.allclose(np.ravel(counter.to_json()["mean"]), frame.mean(axis=(0, 1)) / 255, atol=0.01)


def test_episode_that_is_thrown_away_leaves_nothing(tmp_path):
    with DatasetWriter(tmp_path / "set", FEATURES) as writer:
        kept, lost = writer.begin(), writer.begin()
        for k in range(3):
            kept.add(make_frame(0, k))
            lost.add(make_frame(1, k))
        writer.discard(lost)
        writer.finish(kept, "reach")
    assert len(read_whole(tmp_path / "set")) == 1


def test_data_set_goes_on_where_it_was(tmp_path):
    folder = make_dataset(tmp_path / "set")
    with DatasetWriter(folder, FEATURES) as writer:
        record(writer, 6, "grasp")
        record(writer, 2, "push")
    episodes = read_whole(folder)
    assert [episode.row["tasks"] for episode in episodes] == [["reach"], ["grasp"], ["reach"], ["grasp"], ["push"]]
    assert episodes[3].columns["observation.state"][0].tolist() == [300.0] * 4


@pytest.mark.parametrize(
    "change", [{"fps": 30.0}, {"action": {"arm": 4}}, {"video": {}}, {"languages": ("annotation.x",)}]
)
def test_data_set_of_another_kind_is_not_gone_on_with(tmp_path, change):
    folder = make_dataset(tmp_path / "set")
    with pytest.raises(ContractError, match="holds a data set of another kind"):
        DatasetWriter(folder, replace(FEATURES, **change))
    assert len(read_whole(folder)) == 3


@pytest.mark.process
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # of fork: the child uses none of the threads
def test_killed_at_any_moment_it_can_be_read_and_gone_on_with(tmp_path):
    """A process kills itself before it opens, names or removes its 1st, 2nd, 3rd ... file, until it gets through."""
    before = make_dataset(tmp_path / "before", lengths=(3, 2), tasks=("reach", "reach"))
    strays, kills = 0, 0
    while _killed_at(kills, folder := _copy(before, tmp_path / f"after_{kills}")):
        found = read_listed(folder)
        assert 2 <= len(found) <= 3
        strays += len(numbers_there(folder)) != len(found)
        with DatasetWriter(folder, FEATURES) as writer:
            record(writer, 2, "reach")
        assert len(read_whole(folder)) == len(found) + 1
        shutil.rmtree(folder)
        kills += 1
    assert len(read_whole(folder)) == 3
    assert kills > 40, "an episode takes more files than that"
    assert strays == 1, "numbers come into data/ right before the list names them, and at no other moment"


def _copy(folder, to):
    shutil.copytree(folder, to)
    return to


def _killed_at(moment, folder):
    """Record an episode in a process of its own that kills itself before an event; return whether it came to that."""
    child = os.fork()
    if child == 0:
        events = 0

        def kill(event, arguments):
            nonlocal events
            if event in ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir") and str(folder) in str(arguments):
                if events == moment:
                    os.kill(os.getpid(), signal.SIGKILL)
                events += 1

        sys.addaudithook(kill)
        with DatasetWriter(folder, FEATURES) as writer:
            record(writer, 3, "a new instruction")
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)
