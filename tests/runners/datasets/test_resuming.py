"""Going on with a data set: what a kill leaves is mended without a word, what else does not fit is named and kept."""

import json
import shutil
from dataclasses import replace

import pytest

from groot_wrappers.errors import ContractError
from runners.datasets import paths
from runners.datasets.writer import DatasetWriter
from tests.support.dataset_damage import cut, drop_columns, edit_json, edit_lines
from tests.support.dataset_reader import read_whole
from tests.support.samples.datasets import FEATURES, record

ROWS = paths.data_path(1)
FRONT = paths.video_path(1, "front")


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def remove_episode(folder):
    """Take an episode out of the lists and its files away, as people do by hand."""
    for file in (paths.EPISODES, paths.EPISODES_STATS):
        edit_lines(file, lambda rows: rows.pop(1))(folder)
    for path in paths.episode_paths(1, FEATURES.video):
        (folder / path).unlink()


DAMAGES = {
    "an episode was taken out by hand": (remove_episode, "meta/episodes.jsonl: number 2 is in the place of 1"),
    "episodes are reordered": (
        edit_lines(paths.EPISODES, lambda rows: rows.reverse()), "meta/episodes.jsonl: number 2 is in the place of 0"
    ),
    "an episode comes twice": (
        edit_lines(paths.EPISODES, lambda rows: rows.append(rows[0])), "episode_index 0 comes twice"
    ),
    "the list is shorter than the data set": (
        edit_lines(paths.EPISODES, lambda rows: rows.pop()),
        "total_episodes is 3, but meta/episodes.jsonl names 2",
    ),
    "the list is longer than the files": (
        edit_lines(paths.EPISODES, lambda rows: rows.append(rows[2] | {"episode_index": 3})),
        "data/chunk-000/episode_000003.parquet: is missing",
    ),
    "half a line is at the end of the list": (cut(paths.EPISODES, 0.9), "meta/episodes.jsonl: line 3 is no JSON"),
    "statistics are in another order": (
        edit_lines(paths.EPISODES_STATS, lambda rows: rows.reverse()), "meta/episodes_stats.jsonl: number 2 is in the"
    ),
    "statistics are those of two more episodes": (
        edit_lines(paths.EPISODES_STATS, lambda rows: rows.extend(rows[2] | {"episode_index": i} for i in (3, 4))),
        "meta/episodes_stats.jsonl: has 5 lines, but meta/episodes.jsonl 3",
    ),
    "tasks have a gap": (
        edit_lines(paths.TASKS, lambda rows: rows[1].update(task_index=2)), "meta/tasks.jsonl: number 2 is in the"
    ),
    "a task is missing": (edit_lines(paths.TASKS, lambda rows: rows.pop()), "meta/tasks.jsonl: lacks 'grasp'"),
    "two tasks have one text": (
        edit_lines(paths.TASKS, lambda rows: rows.append({"task_index": 2, "task": "reach"})), "comes twice"
    ),
    "a parquet is missing": (lambda f: (f / ROWS).unlink(), f"{ROWS}: is missing"),
    "a parquet is half": (cut(ROWS, 0.5), f"{ROWS}: is damaged"),
    "a parquet is of another episode": (
        lambda f: shutil.copy(f / paths.data_path(0), f / ROWS), f"{ROWS}: has 5 rows, but meta/episodes.jsonl says 7"
    ),
    "a parquet holds other columns": (drop_columns(ROWS, ["next.reward"]), f"{ROWS}: holds the columns"),
    "a video is missing": (lambda f: (f / FRONT).unlink(), f"{FRONT}: is missing"),
    "a file of a later episode is there": (
        lambda f: shutil.copy(f / ROWS, f / paths.data_path(7)), f"{paths.data_path(7)}: belongs to no episode"
    ),
    "info is missing": (lambda f: (f / paths.INFO).unlink(), "meta/info.json: is missing"),
    "all of meta is missing": (lambda f: shutil.rmtree(f / "meta"), "meta/info.json: is missing"),
    "modality is missing": (lambda f: (f / paths.MODALITY).unlink(), "meta/modality.json: is missing"),
    "the count is no number": (edit_json(paths.INFO, lambda i: i.update(total_episodes=[])), "total_episodes is []"),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGES)
def test_data_set_that_does_not_fit_together_is_named_and_left_as_it_is(dataset, what):
    damage, message = DAMAGES[what]
    damage(dataset)
    (dataset / ".unfinished/0").mkdir(parents=True)
    (dataset / ".unfinished/0/numbers.parquet").write_bytes(b"an episode that was cut off")
    before = contents(dataset)
    with pytest.raises(ContractError) as refused:
        DatasetWriter(dataset, FEATURES)
    assert message in str(refused.value)
    assert contents(dataset) == before


def test_all_that_does_not_fit_is_told_at_once_up_to_a_few(dataset):
    for path in paths.episode_paths(0, FEATURES.video) + paths.episode_paths(1, FEATURES.video):
        (dataset / path).unlink()
    with pytest.raises(ContractError) as refused:
        DatasetWriter(dataset, FEATURES)
    assert str(refused.value).count("is missing\n") == 5
    assert "- and 1 more\n" in str(refused.value)
    assert len(refused.value.problems) == 6


def test_data_set_of_another_task_is_not_gone_on_with(dataset):
    with pytest.raises(ContractError, match="its robot_type differ"):
        DatasetWriter(dataset, replace(FEATURES, robot_type="Toy-v0"))


def leave_of_the_next(folder, *parts):
    """Leave what a kill leaves of the fourth episode, up to a moment."""
    for source, target in zip(
        paths.episode_paths(0, FEATURES.video), paths.episode_paths(3, FEATURES.video), strict=True
    ):
        if target.suffix[1:] in parts:
            shutil.copy(folder / source, folder / target)
    if "stats" in parts:
        edit_lines(paths.EPISODES_STATS, lambda rows: rows.append(rows[0] | {"episode_index": 3}))(folder)
    if "task" in parts:
        edit_lines(paths.TASKS, lambda rows: rows.append({"task_index": 2, "task": "push"}))(folder)


@pytest.mark.parametrize("parts", [("mp4",), ("mp4", "task"), ("mp4", "task", "stats"), ("mp4", "stats", "parquet")])
def test_what_a_kill_leaves_of_the_next_episode_is_taken_away(dataset, parts):
    leave_of_the_next(dataset, *parts)
    with DatasetWriter(dataset, FEATURES) as writer:
        record(writer, 2, "push")
    assert len(read_whole(dataset)) == 4


def test_kill_before_the_count_is_written_is_mended(dataset):
    edit_json(paths.INFO, lambda info: info.update(total_episodes=2, total_frames=12))(dataset)
    DatasetWriter(dataset, FEATURES).close()
    assert len(read_whole(dataset)) == 3


def test_writer_that_finished_no_episode_leaves_no_folder(tmp_path):
    with DatasetWriter(tmp_path / "set", FEATURES) as writer:
        writer.discard(writer.begin())
        writer.begin().close()
    assert list(tmp_path.iterdir()) == []


def test_disk_that_is_full_before_the_first_episode_is_written_leaves_nothing_half_made(tmp_path, monkeypatch):
    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr("runners.datasets.writer.append_line", full)
    (tmp_path / "set").mkdir()
    (tmp_path / "set/notes.txt").write_text("mine")
    writer = DatasetWriter(tmp_path / "set", FEATURES)
    with pytest.raises(OSError, match="No space left"):
        record(writer, 2)
    assert (tmp_path / "set" / paths.video_path(0, "front")).exists()
    writer.close()
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["set", "set/notes.txt"]


def test_kill_while_the_first_episode_is_written_is_gone_on_from(made_once, tmp_path):
    """Before its info.json, a data set is nothing but empty lists."""
    meta = tmp_path / "set/meta"
    meta.mkdir(parents=True)
    for empty in (paths.EPISODES, paths.TASKS, paths.EPISODES_STATS):
        (tmp_path / "set" / empty).touch()
    shutil.copy(made_once / paths.MODALITY, meta)
    with DatasetWriter(tmp_path / "set", FEATURES) as writer:
        record(writer, 2, "reach")
    assert len(read_whole(tmp_path / "set")) == 1
    assert json.loads((tmp_path / "set" / paths.INFO).read_text())["total_episodes"] == 1
