"""The files of meta/: checked once when they are read, so that nobody after that meets a shape that is no shape."""

import json

import pytest

from groot_wrappers.errors import Gr00tError
from runners.datasets import paths, reading
from runners.datasets.metadata import Info, Modality, count_episodes, read_episodes, read_tasks
from runners.datasets.reading import DatasetError
from tests.support.dataset_damage import cut, edit_json, edit_lines

READERS = {
    paths.INFO: Info.read,
    paths.MODALITY: Modality.read,
    paths.EPISODES: read_episodes,
    paths.TASKS: read_tasks,
}


@pytest.mark.parametrize("column", ["action", "observation.images.front"])
@pytest.mark.parametrize(
    "shape",
    [None, "2", 2, [], [0], [-1], [2.5], [True], [[2]], ["2"], [10**10], [10**30], [2] * 5, {"a": 1}, [5000]],
)
def test_shape_that_is_no_list_of_small_numbers_is_refused_by_name(dataset, column, shape):
    edit_json(paths.INFO, lambda info: info["features"][column].update(shape=shape))(dataset)
    with pytest.raises(DatasetError, match=f"the feature '{column}' is"):
        Info.read(dataset)


def test_numbers_in_rows_and_columns_are_no_vector(dataset):
    edit_json(paths.INFO, lambda info: info["features"]["action"].update(shape=[2, 2]))(dataset)
    assert not Info.read(dataset).features["action"].is_numbers


@pytest.mark.parametrize(
    ("file", "change"),
    [
        (paths.INFO, {"fps": 0}),
        (paths.INFO, {"fps": 1e-300}),
        (paths.INFO, {"fps": 10**400}),
        (paths.INFO, {"fps": float("nan")}),
        (paths.INFO, {"fps": float("inf")}),
        (paths.INFO, {"fps": "20"}),
        (paths.INFO, {"chunks_size": 0}),
        (paths.INFO, {"chunks_size": 1e3}),
        (paths.INFO, {"features": [1]}),
        (paths.INFO, {"data_path": 3}),
        (paths.INFO, {"codebase_version": 2}),
        (paths.MODALITY, {"state": [1]}),
        (paths.MODALITY, {"action": {"arm": 1}}),
        (paths.MODALITY, {"action": {"arm": {"start": 0, "end": 10**10}}}),
        (paths.MODALITY, {"action": {"arm": {"start": 2, "end": 2}}}),
        (paths.MODALITY, {"action": {"arm": {"start": -1, "end": 2}}}),
        (paths.MODALITY, {"video": {"front": {"original_key": 3}}}),
        (paths.EPISODES, {"length": 0}),
        (paths.EPISODES, {"length": 10**12}),
        (paths.EPISODES, {"episode_index": -1}),
        (paths.EPISODES, {"episode_index": 10**12}),
        (paths.EPISODES, {"tasks": []}),
        (paths.EPISODES, {"tasks": "reach"}),
        (paths.EPISODES, {"tasks": [1]}),
        (paths.TASKS, {"task": None}),
        (paths.TASKS, {"task_index": True}),
    ],
)
def test_value_that_cannot_be_is_refused_with_its_file(dataset, file, change):
    edit = edit_json if file.suffix == ".json" else edit_lines
    edit(file, lambda content: (content if file.suffix == ".json" else content[0]).update(change))(dataset)
    with pytest.raises(DatasetError) as refused:
        READERS[file](dataset)
    assert refused.value.file == file


@pytest.mark.parametrize(
    "text", ["", "[]", "3", '{"a":' * 100_000, "[" * 100_000, '{"fps": ' + "9" * 5000 + "}", "\xff", '{"a": "\\ud8']
)
@pytest.mark.parametrize("file", READERS)
def test_text_that_is_no_json_object_is_refused_with_its_file(dataset, file, text):
    (dataset / file).write_text(text, encoding="latin-1")
    if not text and file.suffix == ".jsonl":
        assert not READERS[file](dataset)
        return
    with pytest.raises(DatasetError) as refused:
        READERS[file](dataset)
    assert refused.value.file == file


@pytest.mark.parametrize("file", READERS)
def test_file_that_is_too_large_is_refused_before_it_is_read(dataset, file, monkeypatch):
    for bound in ("MAX_JSON_BYTES", "MAX_LINES_BYTES"):
        monkeypatch.setattr(reading, bound, 20)
    with pytest.raises(DatasetError, match=r"holds .* bytes, more than any file of that name"):
        READERS[file](dataset)


def test_line_that_is_too_long_is_refused_before_it_is_read(dataset, monkeypatch):
    monkeypatch.setattr(reading, "MAX_JSON_BYTES", 20)
    with pytest.raises(DatasetError, match="line 1 holds 20 bytes or more"):
        read_episodes(dataset)


@pytest.mark.parametrize(
    ("written", "read"), [(7, 7), (None, None), ("7", None), (-1, None), (2**32, None), (True, None)]
)
def test_seed_that_no_generator_takes_is_none(dataset, written, read):
    edit_lines(paths.EPISODES, lambda rows: rows[0].update(seed=written))(dataset)
    assert read_episodes(dataset)[0].seed == read


@pytest.mark.parametrize("name", ["a" * 300, "\ud800", "a\0b"])
def test_name_that_no_file_system_takes_is_told(dataset, name):
    info = Info.read(dataset)
    with pytest.raises(Gr00tError):
        reading.inside(dataset, info.video_file(0, name))


def test_pictures_with_their_channels_first_are_of_the_same_size(dataset):
    edit_json(paths.INFO, lambda info: info["features"]["observation.images.front"].update(shape=[3, 48, 64]))(dataset)
    assert Info.read(dataset).features["observation.images.front"].size == (48, 64)


def test_episodes_of_a_run_are_counted_where_there_may_be_none(dataset, tmp_path):
    assert count_episodes(dataset) == 3
    assert count_episodes(tmp_path / "nowhere") == 0
    cut(paths.EPISODES, 0.5)(dataset)
    assert count_episodes(dataset) == 0


def test_blank_lines_are_no_lines(dataset):
    path = dataset / paths.TASKS
    path.write_text(path.read_text() + "\n  \n" + json.dumps({"task_index": 2, "task": "x"}) + "\n")
    assert read_tasks(dataset) == {0: "reach", 1: "grasp", 2: "x"}
