"""Data sets of v3.0: rows and frames are those of v2.1, and each way of being wrong is told with its file."""

import json
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from groot_wrappers.errors import ContractError
from runners.datasets import paths
from runners.datasets.checks import check_dataset
from runners.datasets.layouts import open_layout, tables
from runners.datasets.layouts.tables import read_table_rows
from runners.datasets.reading import DatasetError
from runners.datasets.replay import ReplayPolicy
from runners.datasets.writer import DatasetWriter
from runners.episodes.recorded_plan import recorded_plan
from tests.support.dataset_damage import cut, drop_columns, edit_json, edit_table
from tests.support.samples.datasets import FEATURES
from tests.support.samples.shared_files import DATA, EPISODES, TASKS, VIDEO

FIRST, SECOND = (DATA.format(chunk_index=0, file_index=number) for number in (0, 1))
FRONT = VIDEO.format(chunk_index=0, file_index=0, video_key="observation.images.front")


def read(folder):
    """Return numbers, times and pixels of each episode, and what the lists say of it."""
    layout = open_layout(folder)
    found = []
    for episode in layout.episodes():
        with layout.rows(episode.index) as rows:
            columns = {name: rows.column(name) for name in rows.names}
        videos = {}
        for camera in layout.info.cameras:
            with layout.frames(episode.index, camera) as (_, frames):
                videos[camera] = [(time, frame.to_ndarray(format="rgb24")) for time, frame in frames]
        found.append((episode, columns, videos))
    return found, layout.tasks()


def test_each_episode_is_read_as_from_files_of_its_own(dataset, shared):
    (apart, tasks), (together, same_tasks) = read(dataset), read(shared)
    assert len(apart) == 3
    assert tasks == same_tasks
    for (episode, columns, videos), (other, others, other_videos) in zip(apart, together, strict=True):
        assert episode == other
        assert list(columns) == list(others)
        for name, values in columns.items():
            assert values.dtype == others[name].dtype
            np.testing.assert_array_equal(values, others[name])
        for camera, frames in videos.items():
            assert len(frames) == episode.length
            for (time, pixels), (other_time, other_pixels) in zip(frames, other_videos[camera], strict=True):
                assert other_time == pytest.approx(time, abs=1e-6)
                np.testing.assert_array_equal(pixels, other_pixels)


def test_episode_is_found_whichever_is_read_first(shared):
    layout = open_layout(shared)
    for index in (2, 1, 0, 1):
        with layout.rows(index) as rows:
            assert set(rows.column("episode_index").tolist()) == {index}
            assert rows.column("action")[0, 0] == 100 * index + 0.5


def test_good_data_set_passes_and_needs_no_modality_json(shared):
    assert check_dataset(shared) == []


def test_recorded_episodes_are_played_again(dataset, shared):
    (shared / paths.MODALITY).write_bytes((dataset / paths.MODALITY).read_bytes())
    assert recorded_plan(shared, 0, 3) == recorded_plan(dataset, 0, 3)
    ours, theirs = ReplayPolicy(shared, episode=1), ReplayPolicy(dataset, episode=1)
    observation = {"state": {"arm": np.zeros((1, 1, 3), np.float32)}}
    played, recorded = ours.get_action(observation)[0], theirs.get_action(observation)[0]
    assert set(played) == {"arm", "gripper"}
    for key, chunk in played.items():
        np.testing.assert_array_equal(chunk, recorded[key])


def test_run_does_not_go_on_with_it(dataset, shared):
    (shared / paths.MODALITY).write_bytes((dataset / paths.MODALITY).read_bytes())
    with pytest.raises(ContractError, match="its codebase_version and features differ"):
        DatasetWriter(shared, FEATURES)


def edit_column(file, name, change):
    """Change a column, given as a list of rows."""

    def changed(table):
        values = table[name].to_pylist()
        change(values)
        return table.set_column(table.column_names.index(name), name, pa.array(values, table.schema.field(name).type))

    return edit_table(file, changed)


def set_row(file, name, row, value):
    return edit_column(file, name, lambda values: values.__setitem__(row, value))


def another_file_of_rows(folder):
    pq.write_table(pq.read_table(folder / SECOND), folder / "data/chunk-000/file-002.parquet")


CAMERA = "videos/observation.images.front"
DAMAGES = {
    "frames are miscounted": (edit_json(paths.INFO, lambda i: i.update(total_frames=1)), "meta/info.json", "total_fr"),
    "pattern is of v2.1": (
        edit_json(paths.INFO, lambda i: i.update(data_path=paths.DATA_PATH)), "meta/info.json", "a path pattern is"
    ),
    "path leads out": (edit_json(paths.INFO, lambda i: i.update(video_path="../x.mp4")), "meta/info.json", "leads out"),
    "table is half": (cut(EPISODES, 0.5), EPISODES, "is damaged"),
    "table is gone": (lambda f: (f / EPISODES).unlink(), "meta/episodes", "holds no parquet file"),
    "table says of no rows": (drop_columns(EPISODES, ["dataset_to_index"]), "meta/episodes", "dataset_to_index"),
    "table says of no frames": (drop_columns(EPISODES, [f"{CAMERA}/from_timestamp"]), "meta/episodes", "from_time"),
    "episode comes twice": (set_row(EPISODES, "episode_index", 2, 1), "meta/episodes", "1 comes twice"),
    "length is another": (set_row(EPISODES, "length", 1, 6), "meta/episodes", "episode 1 is 6 rows long"),
    "file is another": (set_row(EPISODES, "data/file_index", 1, 7), "data/chunk-000/file-007.parquet", "is missing"),
    "rows of another": (
        edit_table(SECOND, lambda table: table.slice(1)), SECOND, "has 3 rows, but episode 2 is the rows [0, 4) of it"
    ),
    "frames are those before": (set_row(EPISODES, f"{CAMERA}/from_timestamp", 1, 0.2), FRONT, "has more than 7 frames"),
    "frames are late": (set_row(EPISODES, f"{CAMERA}/from_timestamp", 1, 0.251), FRONT, "frame 0 is at -0.0010 s"),
    "video is half": (cut(FRONT, 0.5), FRONT, "is damaged"),
    "tasks are out of order": (edit_table(TASKS, lambda t: t.take([1, 0])), TASKS, "its indices are [1, 0]"),
    "task is missing": (edit_table(TASKS, lambda t: t.slice(0, 1)), FIRST, "episode 1: task_index is 1, which"),
    "rows are of nobody": (another_file_of_rows, "data/chunk-000/file-002.parquet", "belongs to no episode"),
    "index is of other rows": (set_row(SECOND, "index", 0, 3), SECOND, "episode 2: index is 3 in row 0"),
    "column is missing": (drop_columns(FIRST, ["next.reward"]), FIRST, "no column of the feature next.reward"),
    "number is none": (
        edit_column(FIRST, "next.reward", lambda v: v.__setitem__(5, float("nan"))), FIRST, "1: next.reward holds"
    ),
    "statistics are missing": (lambda f: (f / paths.STATS).unlink(), "meta/stats.json", "is missing"),
    "statistics are others": (
        edit_json(paths.STATS, lambda s: s["action"].update(max=[1.0] * 4)), "meta/stats.json", "max of action is 1"
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGES)
def test_damage_is_told_with_its_file(shared, what):
    damage, file, message = DAMAGES[what]
    damage(shared)
    found = check_dataset(shared)
    graded = [problem.untidy for problem in found if str(problem.file) == str(file) and message in problem.what]
    assert set(graded) == {False}, found


@pytest.mark.parametrize("text", ["{", '{"state": {"arm": {"start": 0, "end": 9}}}'])
def test_keys_of_groot_are_nothing_that_lerobot_stumbles_over(shared, text):
    (shared / paths.MODALITY).write_text(text)
    found = check_dataset(shared)
    assert {(problem.file, problem.untidy) for problem in found} == {(paths.MODALITY, True)}


def test_statistics_that_lerobot_takes_for_quantiles_are_not_compared(shared):
    edit_json(paths.STATS, lambda stats: stats["action"].update(q01=[0.0] * 4, q99=[0.0] * 4))(shared)
    assert check_dataset(shared) == []


def test_instructions_without_a_name_for_their_column_are_read(shared):
    """LeRobot wrote them so at first."""
    edit_table(TASKS, lambda table: table.rename_columns(["task_index", "__index_level_0__"]))(shared)
    assert open_layout(shared).tasks() == {0: "reach", 1: "grasp"}


def texts(count, text):
    return pa.table({"tasks": pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int8)), pa.array([text]))})


@pytest.mark.parametrize(
    ("table", "bounds"),
    [
        (lambda: texts(1000, "x" * 1000), {"MAX_TEXT": 500_000}),
        (lambda: pa.table({"tasks": [["x" * 1000] * 1000]}), {"MAX_TEXT": 500_000}),
        (lambda: pa.table({"tasks": [[1.5] * 1000]}), {"MAX_VALUES": 500}),
        (lambda: pa.table({"tasks": [str(k) * 100 for k in range(1000)]}), {"MAX_BYTES": 50_000}),
        (lambda: texts(1000, "x"), {"MAX_ROWS": 500}),
    ],
)
def test_table_that_unpacks_to_more_than_any_is_refused(tmp_path, monkeypatch, table, bounds):
    pq.write_table(table(), tmp_path / "table.parquet")
    ((name, bound),) = bounds.items()
    assert list(read_table_rows(tmp_path, "table.parquet", lambda _: True))
    monkeypatch.setattr(tables, name, bound)
    with pytest.raises(DatasetError, match="more than any list of episodes"):
        list(read_table_rows(tmp_path, "table.parquet", lambda _: True))
    assert os.path.getsize(tmp_path / "table.parquet") < 300_000


def test_show_and_check_say_what_it_holds(groot_dataset, shared):
    code, out, _ = groot_dataset("check", "shared")
    assert (code, out.splitlines()[0]) == (0, "shared: 3 episodes, 3 of 3 succeeded, 16 frames at 20 a second (1 s)")
    (shared / SECOND).unlink()
    code, out, _ = groot_dataset("check", "shared")
    assert code == 1
    assert out.startswith("Cannot be read by LeRobot, or would be learned wrong:\ndata/chunk-000/file-001.parquet: epi")
    assert groot_dataset("show", "shared")[0] == 0
    assert json.loads((shared / "meta/info.json").read_text())["codebase_version"] == "v3.0"
