"""Keys of any kind, from a server, through a data set and back: as folders, as columns, and as text."""

from dataclasses import replace

import pytest

from runners.apps import dataset_terminal
from runners.datasets import paths
from runners.datasets.checks import check_dataset
from runners.datasets.metadata import Modality
from runners.datasets.paths import file_name
from runners.datasets.replay import ReplayPolicy
from tests.support.dataset_reader import read_whole
from tests.support.samples.datasets import FEATURES, make_dataset

ESCAPED = file_name("observation/images/cam.left")
ODD = (
    "observation/images/cam.left",
    ESCAPED,  # looks as if it were the one before
    file_name(ESCAPED),
    "cam",
    "Cam",
    "CAM",
    "../../../etc/passwd",
    "..",
    ".hidden",
    "a b",
    "a\\b",
    "a:b*?",
    "a\nb\x1b[2J",
    "é",
    "e\u0301",
    "",
    "x" * 300,
    "x" * 299 + "y",
)


def test_plain_keys_are_their_own_file_names():
    for key in ("ego_view", "front", "left_wrist-2", "human.action.task_description", "x" * 100):
        assert file_name(key) == key


def test_no_two_keys_have_one_file_name_even_where_case_does_not_count():
    names = [file_name(key).casefold() for key in ODD]
    assert len(set(names)) == len(ODD)


@pytest.mark.parametrize("key", ODD)
def test_file_name_is_short_and_harmless(key):
    name = paths.video_column(key)
    assert len(name.encode()) < 200
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789._-")
    assert ".." not in name


def test_keys_of_any_kind_are_recorded_checked_shown_and_replayed(tmp_path, capsys):
    languages = ("annotation.human/../action", "annotation.Human", "annotation.human")
    features = replace(
        FEATURES,
        state=dict.fromkeys(ODD, 2),
        action=dict.fromkeys(ODD, 2),
        video=dict.fromkeys(ODD, (16, 16)),
        languages=languages,
    )
    folder = make_dataset(tmp_path / "set", features=features)
    assert len(read_whole(folder)) == 3
    assert check_dataset(folder) == []
    dataset_terminal.show(folder, tmp_path / "sheet.png", 3)
    assert "\x1b" not in capsys.readouterr().out
    modality = Modality.read(folder)
    assert tuple(modality.state) == tuple(modality.action) == tuple(modality.video) == ODD
    assert tuple(modality.annotation) == languages
    wanted = ReplayPolicy(folder).get_modality_config()
    assert [wanted[kind].modality_keys for kind in ("video", "state", "action")] == [ODD] * 3
    assert {path.parent.parent for path in folder.rglob("*.mp4")} == {folder / "videos/chunk-000"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set", "sheet.png"]
