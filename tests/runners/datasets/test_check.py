"""The checks of a data set: a good one passes, and each way of being wrong is told with its file."""

import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runners.datasets import paths
from runners.datasets.checks import check_dataset
from runners.utils.mp4 import Mp4Writer
from tests.support.dataset_damage import cut, drop_columns, edit_json, edit_lines, edit_table
from tests.support.samples.datasets import FEATURES, make_dataset

ROWS = paths.data_path(1)
"""Of the second episode, 7 rows."""

FRONT = paths.video_path(1, "front")


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return make_dataset(
        tmp_path_factory.mktemp("good") / "dataset", (5, 7, 4, 6, 5), ["reach", "grasp"] * 2 + ["reach"]
    )


@pytest.fixture
def dataset(good, tmp_path):
    return shutil.copytree(good, tmp_path / "dataset")


def told(folder):
    return [(problem.file, problem.what) for problem in check_dataset(folder)]


def test_good_data_set_passes(good):
    assert told(good) == []


def test_data_set_at_a_rate_that_is_no_whole_number_passes(tmp_path):
    features = type(FEATURES)(**{**vars(FEATURES), "fps": 1 / 0.06})
    assert told(make_dataset(tmp_path / "dataset", features=features)) == []


def edit_column(name, change, file=ROWS):
    """Change a column, given as a numpy array of rows."""

    def damage(folder):
        table = pq.read_table(folder / file)
        values = np.array(table[name].to_pylist(), table[name].type.to_pandas_dtype() if name != "action" else "f4")
        change(values)
        array = pa.array(values) if values.ndim == 1 else pa.FixedSizeListArray.from_arrays(values.ravel(), 4)
        pq.write_table(table.set_column(table.column_names.index(name), name, array), folder / file)

    return damage


def write_video(frames, fps=20.0, size=(48, 64), noise=False):
    pixels = np.random.default_rng(0).integers(0, 255 if noise else 1, (frames, *size, 3), np.uint8)

    def damage(folder):
        writer = Mp4Writer(folder / FRONT, size, fps, {})
        for frame in pixels:
            writer.write(frame)
        writer.close()

    return damage


def put(values, index, value):
    values[index] = value


def link_outside(folder):
    outside = shutil.move(folder / ROWS, folder.parent / "elsewhere.parquet")
    (folder / ROWS).symlink_to(outside)


def set_slice(key, start, end):
    return edit_json(paths.MODALITY, lambda m: m["action"][key].update(start=start, end=end))


DAMAGES = {
    "info is missing": (lambda f: (f / paths.INFO).unlink(), paths.INFO, "is missing"),
    "info is half": (cut(paths.INFO, 0.5), paths.INFO, "is no JSON"),
    "info is another version": (
        edit_json(paths.INFO, lambda i: i.update(codebase_version="v1.6")), paths.INFO, "v2.1 and v3.0 are read"
    ),
    "path leads out": (
        edit_json(paths.INFO, lambda i: i.update(data_path="../{episode_index:06d}.parquet")), paths.INFO, "leads out"
    ),
    "path holds code": (
        edit_json(paths.INFO, lambda i: i.update(data_path="{episode_index.__class__}")), paths.INFO, "path pattern"
    ),
    "path is a terabyte": (
        edit_json(paths.INFO, lambda i: i.update(data_path="{episode_index:0999999999d}")), paths.INFO, "path pattern"
    ),
    "frames are miscounted": (
        edit_json(paths.INFO, lambda i: i.update(total_frames=99)), paths.INFO, "total_frames is 99, but there are 27"
    ),
    "fps is wrong": (edit_json(paths.INFO, lambda i: i.update(fps=10)), ROWS, "at 10 frames a second"),
    "an episode is left out": (
        edit_lines(paths.EPISODES, lambda rows: rows.pop(1)), paths.EPISODES, "has episode_index 2, but 1 comes there"
    ),
    "a line is half": (cut(paths.EPISODES, 0.9), paths.EPISODES, "line 5 is no JSON"),
    "length is wrong": (
        edit_lines(paths.EPISODES, lambda rows: rows[1].update(length=8)), ROWS, "has 7 rows, but"
    ),
    "task is unknown": (
        edit_lines(paths.EPISODES, lambda rows: rows[1].update(tasks=["wave"])), paths.TASKS, "lacks the task 'wave'"
    ),
    "task is another": (edit_column("task_index", lambda v: put(v, slice(None), 0)), ROWS, "task_index is 0, 'reach'"),
    "task index is unknown": (edit_column("task_index", lambda v: put(v, 3, 5)), ROWS, "task_index is 5, which"),
    "annotation is unknown": (
        edit_column("annotation.human.task_description", lambda v: put(v, 3, 5)), ROWS, "task_description is 5"
    ),
    "slice is too wide": (set_slice("gripper", 3, 5), paths.MODALITY, "[3, 5), but action has 4"),
    "slices overlap": (set_slice("gripper", 2, 4), paths.MODALITY, "arm and gripper of action share numbers"),
    "slices leave a gap": (set_slice("arm", 1, 3), paths.MODALITY, "no key of action has the numbers [0]"),
    "video key is unknown": (
        edit_json(paths.MODALITY, lambda m: m["video"]["front"].update(original_key="front")),
        paths.MODALITY,
        "video.front is front",
    ),
    "parquet is missing": (lambda f: (f / ROWS).unlink(), ROWS, "is missing"),
    "parquet is a link out of the folder": (link_outside, ROWS, "link that leads out"),
    "parquet is half": (cut(ROWS, 0.5), ROWS, "is damaged"),
    "parquet is empty": (cut(ROWS, 0), ROWS, "is damaged"),
    "rows are missing": (edit_table(ROWS, lambda t: t.slice(0, 5)), ROWS, "has 5 rows, but meta/episodes.jsonl says 7"),
    "column is missing": (drop_columns(ROWS, ["action"]), ROWS, "no column of the feature action"),
    "column is unknown": (
        edit_table(ROWS, lambda t: t.append_column("x", pa.array([0] * 7))), ROWS, "a column of no feature x"
    ),
    "column is of another type": (
        edit_table(ROWS, lambda t: t.set_column(t.column_names.index("index"), "index", t["index"].cast("int32"))),
        ROWS,
        "index is int32 of 1, but meta/info.json says int64 of 1",
    ),
    "frames are out of order": (edit_column("frame_index", lambda v: put(v, 3, 4)), ROWS, "frame_index is 4 in row 3"),
    "index starts anew": (edit_column("index", lambda v: put(v, 0, 0)), ROWS, "index is 0 in row 0, but 5 comes there"),
    "row is of another episode": (edit_column("episode_index", lambda v: put(v, 6, 2)), ROWS, "episode_index is 2"),
    "timestamp leaps": (edit_column("timestamp", lambda v: put(v, 5, 0.3)), ROWS, "timestamp is 0.3000 s in row 5"),
    "done too early": (edit_column("next.done", lambda v: put(v, 2, True)), ROWS, "true in the rows [2, 6]"),
    "action is NaN": (edit_column("action", lambda v: put(v, (2, 1), np.nan)), ROWS, "first in row 2, number 1"),
    "action is far out": (edit_column("action", lambda v: put(v, (2, 1), 1e5)), ROWS, "number 1 of action is 1e+05"),
    "video is missing": (lambda f: (f / FRONT).unlink(), FRONT, "is missing"),
    "video is cut": (cut(FRONT, 0.7), FRONT, "is damaged"),
    "video is empty": (cut(FRONT, 0), FRONT, "is damaged after 0 frames"),
    "video is too short": (write_video(5), FRONT, "has 5 frames, but meta/episodes.jsonl says 7"),
    "video is too long": (write_video(9), FRONT, "has more than 7 frames"),
    "video is of another size": (write_video(7, size=(32, 32)), FRONT, "frames of 32 x 32, but"),
    "video is slow": (write_video(7, fps=10.0), FRONT, "has 10 frames a second, but meta/info.json says 20"),
    "a file is left over": (
        lambda f: shutil.copy(f / ROWS, f / paths.data_path(5)), paths.data_path(5), "belongs to no episode"
    ),
    "statistics are missing": (lambda f: (f / paths.STATS).unlink(), paths.STATS, "is missing"),
    "statistics are of other data": (
        edit_json(paths.STATS, lambda s: put(s["action"]["mean"], 2, 7.0)), paths.STATS, "mean of action is 7 at 2"
    ),
    "an episode's statistics are of other data": (
        edit_lines(paths.EPISODES_STATS, lambda rows: put(rows[1]["stats"]["action"]["max"], 0, 0.0)),
        paths.EPISODES_STATS,
        "episode 1: max of action is 0",
    ),
    "an episode has no statistics": (
        edit_lines(paths.EPISODES_STATS, lambda rows: rows.pop(1)), paths.EPISODES_STATS, "no line for episode 1"
    ),
    "index comes twice": (
        edit_lines(paths.EPISODES, lambda rows: rows[2].update(episode_index=1)), paths.EPISODES, "1 comes twice"
    ),
    "no episode": (edit_lines(paths.EPISODES, lambda rows: rows.clear()), paths.EPISODES, "names no episode"),
    "modality is missing": (lambda f: (f / paths.MODALITY).unlink(), paths.MODALITY, "is missing"),
    "modality is half": (cut(paths.MODALITY, 0.5), paths.MODALITY, "is no JSON"),
    "statistics hold NaN": (
        edit_json(paths.STATS, lambda s: put(s["action"]["std"], 2, float("nan"))), paths.STATS, "action is nan"
    ),
    "statistics lack a kind": (
        edit_json(paths.STATS, lambda s: s["action"].pop("q99")), paths.STATS, "action lacks q99"
    ),
    "statistics of another column are of other data": (
        edit_json(paths.STATS, lambda s: put(s["timestamp"]["mean"], 0, 7.0)), paths.STATS, "mean of timestamp is 7"
    ),
    "statistics of the episodes are missing": (
        lambda f: (f / paths.EPISODES_STATS).unlink(), paths.EPISODES_STATS, "is missing"
    ),
    "another column is missing": (drop_columns(ROWS, ["next.reward"]), ROWS, "no column of the feature next.reward"),
    "index is that of another data set": (
        edit_column("index", lambda v: put(v, slice(None), v + 100)), ROWS, "index is 105 in row 0, but 5 comes there"
    ),
    "no row is done": (edit_column("next.done", lambda v: put(v, 6, False)), ROWS, "next.done is true in the rows []"),
    "tasks have a gap": (
        edit_lines(paths.TASKS, lambda rows: rows.append({"task_index": 7, "task": "x"})),
        paths.TASKS,
        "its indices are [0, 1, 7]",
    ),
    "no version": (edit_json(paths.INFO, lambda i: i.pop("codebase_version")), paths.INFO, "has no codebase_version"),
}  # fmt: skip

UNTIDY = {
    "frames are miscounted",
    "an episode is left out",
    "task is unknown",
    "slices overlap",
    "slices leave a gap",
    "column is unknown",
    "column is of another type",
    "a file is left over",
    "statistics are missing",
    "statistics lack a kind",
    "statistics of another column are of other data",
    "statistics of the episodes are missing",
    "an episode's statistics are of other data",
    "an episode has no statistics",
    "another column is missing",
    "index is that of another data set",
    "no row is done",
    "tasks have a gap",
    "no version",
    "video is of another size",
    "video is slow",
}
"""What GR00T reads all the same."""


@pytest.mark.parametrize("what", DAMAGES)
def test_damage_is_told_with_its_file_and_whether_groot_reads_it(dataset, what):
    damage, file, message = DAMAGES[what]
    damage(dataset)
    found = check_dataset(dataset)
    graded = [problem.untidy for problem in found if problem.file == file and message in problem.what]
    assert set(graded) == {what in UNTIDY}, found


@pytest.mark.parametrize("what", sorted(UNTIDY - {"an episode is left out", "task is unknown", "video is slow"}))
def test_what_is_untidy_brings_nothing_that_cannot_be_read(dataset, what):
    DAMAGES[what][0](dataset)
    assert all(problem.untidy for problem in check_dataset(dataset))


def test_noise_in_a_video_is_told(dataset):
    write_video(7, noise=True)(dataset)
    assert told(dataset) == []
    content = bytearray((dataset / FRONT).read_bytes())
    middle = len(content) // 2
    content[middle : middle + 100] = b"\x55" * 100
    (dataset / FRONT).write_bytes(content)
    ((file, what),) = told(dataset)
    assert (file, what[:13]) == (FRONT, "is damaged af")


def test_no_folder_and_an_empty_one_are_told(tmp_path):
    assert "is no folder" in told(tmp_path / "nowhere")[0][1]
    assert (paths.INFO, "is missing") in told(tmp_path)
