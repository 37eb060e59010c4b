"""groot-dataset: what it prints of a good data set and of a damaged one, its contact sheet, and its exit codes."""

import errno
import json

import numpy as np
import pytest
from PIL import Image

from runners.datasets import paths
from runners.datasets.contact_sheet import contact_sheet
from runners.datasets.layouts import open_layout
from tests.support.dataset_damage import edit_json, edit_lines
from tests.support.samples.datasets import make_dataset


def test_check_says_what_a_good_data_set_holds(groot_dataset):
    code, out, _ = groot_dataset("check", "lift")
    assert code == 0
    assert out.splitlines() == [
        "lift: 3 episodes, 3 of 3 succeeded, 16 frames at 20 a second (1 s)",
        "  state       arm 3, gripper 1",
        "  action      arm 3, gripper 1",
        "  video       front 48 x 64, wrist 32 x 32",
        "  instruction 'reach', 'grasp'",
        "All is well: every row was read, every frame decoded.",
    ]


def test_check_tells_each_thing_with_its_file_and_remedy_and_sums_up_the_like(groot_dataset, tmp_path):
    make_dataset(tmp_path / "many", (2,) * 8, ("reach",) * 8)
    for index in range(8):
        (tmp_path / "many" / paths.data_path(index)).write_bytes(b"PAR1")
    code, out, _ = groot_dataset("check", "many")
    assert code == 1
    assert out.count("is damaged: ") == 5
    assert "data/chunk-000/episode_000004.parquet: is damaged" in out
    assert "And 3 more of this kind: Copy the data set again" in out
    assert "things are wrong with many" in out


def test_check_of_no_data_set_fails(groot_dataset):
    code, out, _ = groot_dataset("check", "nowhere")
    assert code == 1
    assert "nowhere: is no folder" in out


def test_contact_sheet_shows_every_episode_and_camera(groot_dataset, tmp_path):
    code, out, err = groot_dataset("show", "lift", "--output", "a/sheet.png")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "3 of 3 episodes: a/sheet.png"
    pixels = np.asarray(Image.open(tmp_path / "a/sheet.png")).astype(int)
    for episode in range(3):  # sample pixels are (20 + 10 * episode, 10 * step, 128), before and after the codec
        begin = np.array([20 + 10 * episode, 0, 128])
        assert (np.abs(pixels - begin).max(axis=2) < 9).sum() > 10_000, "first frames of both cameras"


def test_contact_sheet_of_a_large_data_set_takes_episodes_with_equal_gaps(groot_dataset, tmp_path):
    make_dataset(tmp_path / "many", (2,) * 9, ("reach",) * 9)
    code, out, _ = groot_dataset("show", "many", "--episodes", 3)
    assert code == 0
    assert out.splitlines()[-1] == "3 of 9 episodes: contact_sheet.png"
    height = Image.open(tmp_path / "contact_sheet.png").height
    groot_dataset("show", "many", "--episodes", 9)
    assert Image.open(tmp_path / "contact_sheet.png").height == pytest.approx(3 * height, abs=150)


def test_contact_sheet_marks_what_cannot_be_shown(groot_dataset, tmp_path):
    (tmp_path / "lift" / paths.video_path(0, "front")).write_bytes(b"no video")
    (tmp_path / "lift" / paths.video_path(1, "front")).unlink()
    rows = [json.loads(line) for line in (tmp_path / "lift" / paths.EPISODES).read_text().splitlines()]
    del rows[2]["success"]
    (tmp_path / "lift" / paths.EPISODES).write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert groot_dataset("show", "lift")[0] == 0
    pixels = np.asarray(Image.open(tmp_path / "contact_sheet.png"))
    assert (pixels == (0xD0, 0xD7, 0xDE)).all(axis=2).sum() > 50_000


@pytest.mark.parametrize(
    "text", ["\x1b]0;owned\x07\x1b[2Jreach", "\ud800 reach", "reach\n\u202ethe goal", "x" * 100_000]
)
def test_text_from_elsewhere_reaches_neither_terminal_nor_picture_as_it_is(groot_dataset, tmp_path, text):
    def rename(modality):
        modality["video"][text] = modality["video"].pop("front")

    edit_lines(paths.EPISODES, lambda rows: [row.update(tasks=[text]) for row in rows])(tmp_path / "lift")
    edit_json(paths.MODALITY, rename)(tmp_path / "lift")
    for command in ("check", "show"):
        code, out, err = groot_dataset(command, "lift")
        assert code == (1 if command == "check" else 0)
        assert all(character.isprintable() for character in (out + err).replace("\n", ""))
        assert max(map(len, out.splitlines())) < 500


def test_contact_sheet_that_would_be_far_too_large_is_refused_before_it_is_drawn(groot_dataset, monkeypatch):
    monkeypatch.setattr("runners.datasets.contact_sheet.MAX_PIXELS", 1_000_000)
    code, _, err = groot_dataset("show", "lift")
    assert code == 1
    assert "Set --episodes to 2 or less" in err
    assert groot_dataset("show", "lift", "--episodes", 2)[0] == 0


def test_camera_that_is_all_width_has_a_thumbnail_of_bounded_width(groot_dataset, tmp_path):
    edit_json(paths.INFO, lambda i: i["features"]["observation.images.front"].update(shape=[1, 32768, 3]))(
        tmp_path / "lift"
    )
    assert groot_dataset("show", "lift")[0] == 0
    assert Image.open(tmp_path / "contact_sheet.png").width < 5000


def test_frames_that_no_camera_has_are_not_decoded(groot_dataset, monkeypatch):
    monkeypatch.setattr("runners.datasets.frames.MAX_PIXELS", 32 * 32)
    code, out, _ = groot_dataset("check", "lift")
    assert code == 1
    assert out.count("has frames of 48 x 64\n  No camera of a policy is so large.") == 3
    assert groot_dataset("show", "lift")[0] == 0


def test_disk_that_takes_no_picture_is_told_as_the_disks_fault(groot_dataset, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device", "sheet.png")

    monkeypatch.setattr(Image.Image, "save", full)
    layout = open_layout(tmp_path / "lift")
    with pytest.raises(OSError, match="No space left on device"):
        contact_sheet(layout, layout.episodes(), title="x", output=tmp_path / "sheet.png")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "required: COMMAND"),
        (("look", "lift"), "invalid choice: 'look'"),
        (("show", "lift", "--episodes", "0"), "0 is not 1 or more"),
        (("show", "nowhere"), "is no folder"),
        (("show", "lift", "--output", "sheet.txt"), "Name a .png by --output"),
    ],
)
def test_wrong_arguments_end_with_1_and_say_why(groot_dataset, arguments, message):
    code, _, err = groot_dataset(*arguments)
    assert code == 1
    assert message in err


def test_help_teaches(groot_dataset):
    code, out, _ = groot_dataset("--help")
    assert code == 0
    assert "groot-dataset check DIR" in out
    assert "groot-dataset show DIR" in out
