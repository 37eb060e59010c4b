"""The cards of failed episodes: why they failed, from what a run of the toy env keeps, and less where it keeps less."""

import base64
import io
import json
import re
import shlex
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from runners.again.action_log import ActionLog
from runners.again.kept_episodes import JOINED, kept_episode
from runners.config.overrides import parsed
from runners.recorders.recorder import RunInfo
from runners.recorders.video import VideoRecorder
from runners.reports.pages import write_report
from runners.reports.posters import MOST_BYTES, poster_of
from runners.run_folder.manifest import read_manifest
from runners.run_folder.rerun_files import rerun_file
from runners.run_folder.videos import full_video
from runners.utils.mp4 import Mp4Writer
from tests.runners.reports.page import Page, assert_self_contained
from tests.support.samples.rows import summary_of
from tests.support.toys.variants import StagedEnv

MARKUP = 'reach <i>it</i> & "stay"'
MANIFEST = {
    "created": "2026-11-25T01:28:34+00:00",
    "command": ["groot-play"],
    "overrides": [],
    "reset_mode": "per_env",
    "revision": None,
    "wandb_id": "0000abcd",
    "modality": {},
    "packages": {},
    "config": {"horizons": {"execution": 1}},
}


def picture_of(address):
    """Return the picture of an address, uint8 (H, W, 3)."""
    kind, _, content = address.partition(",")
    assert kind == "data:image/jpeg;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content))))


def write_page(folder, rows):
    write_report(folder, summary_of(rows), rows, read_manifest(folder / "manifest.json"))
    page = Page(folder / "report.html")
    assert_self_contained(page)
    return page


def card_of(page, index):
    """Return the source of one card."""
    return re.search(rf'<article class="card failed" id="episode-{index}">.*?</article>', page.source, re.DOTALL)[0]


@pytest.fixture
def run(play, tmp_path):
    """Play nine episodes of which some fail, and return the run folder and the rows."""
    folder = tmp_path / "a #1 run"
    (folder / "videos").mkdir(parents=True)
    shapes = {"action": {"joints": (2,)}, "state": {"joints": (2,)}}
    info = RunInfo(folder=folder, config={}, fps=20.0, task="Toy-v0", shapes=shapes)
    recorders = [ActionLog(), VideoRecorder()]
    for recorder in recorders:
        recorder.on_run_start(info)
    played = play(3, 9, env_class=StagedEnv, recorders=recorders, instructions=(MARKUP,), solves=lambda goal: goal % 2)
    assert played.error is None
    recorders[1].on_run_end(None)
    (folder / "episodes.jsonl").write_bytes(played.log.path.read_bytes())
    (folder / "manifest.json").write_text(json.dumps(MANIFEST))
    failed = [row for row in played.rows if row.ended != "success"]
    assert 2 < len(failed) < 9
    return folder, played.rows, failed


def test_card_shows_what_was_kept(run):
    folder, rows, failed = run
    for file in (rerun_file(failed[0].index, 0), full_video(failed[0].index)):
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).touch()
    page = write_page(folder, rows)
    for row in failed:
        kept, card = kept_episode(folder, row.index), card_of(page, row.index)
        drawings = [ET.fromstring(each) for each in re.findall(r"<svg.*?</svg>", card)]  # noqa: S314  # our own page
        titles = [drawing.find("title").text for drawing in drawings]
        assert titles == [f"{what}, episode {row.index}" for what in ("Distance to success", "joints 0", "joints 1")]
        assert {path.get("class") for path in drawings[1].findall("path")} == {"predicted", "played", "state"}
        path = drawings[0].find("path").get("d")
        heights = np.array([float(y) for y in re.findall(r",([\d.]+)", path)])
        np.testing.assert_allclose(1 - heights / 100, kept.distance / kept.distance.max(), atol=0.001)
        marks = [mark for mark in drawings[0].findall("line") if mark.get("class") == "mark stage"]
        assert len(marks) == len(row.stages)
        for stage, step in row.stages.items():
            assert f'<li class="stage">{stage} <small>step {step}</small></li>' in card
        assert f"</span>{row.missed}</li>" in card
        assert f"never {row.missed} (timed out)" in card
        assert 'poster="data:image/jpeg' in card
        assert "<i>" not in card.replace("<i></i>", "")
    assert MARKUP in page.text
    for link in ("file for Rerun", "video of each control step"):
        assert link in card_of(page, failed[0].index)
    assert page.source.count("file for Rerun") == page.source.count("video of each control step") == 1


def test_card_has_the_command_that_plays_its_episode_again(run):
    folder, rows, failed = run
    page = write_page(folder, rows)
    commands = re.findall(r"groot-play \"again=.*", page.text)
    told = [[parsed(argument) for argument in shlex.split(command.strip())[1:]] for command in commands]
    assert [(again.key_or_group, again.value()) for again, _ in told] == [("again", str(folder))] * len(failed)
    assert [only.value() for _, only in told] == [[row.index] for row in failed]


def test_card_stands_without_what_is_not_there(run):
    folder, rows, failed = run
    for row in rows:
        row.stages = row.progress = row.events = row.missed = None
    for path in (folder / "actions").iterdir():
        path.unlink()
    (folder / failed[0].video).unlink()
    (folder / failed[1].video).write_bytes(b"no video")
    failed[0].video = None
    page = Page(_report(folder, rows))
    for row in failed:
        card = card_of(page, row.index)
        assert f"Episode {row.index}: timed out" in card
        assert "<svg" not in card
        assert "groot-play" not in card
        assert "How far it came" not in card
    assert "<video" not in card_of(page, failed[0].index)
    assert "poster" not in card_of(page, failed[1].index)
    assert "poster" in card_of(page, failed[2].index)
    assert f"{len(failed)} of {len(failed)} without success" in page.text


def _report(folder, rows):
    write_report(folder, summary_of(rows), rows, None)
    return folder / "report.html"


def test_card_says_what_cannot_be_read(run):
    folder, rows, failed = run
    (folder / JOINED).write_bytes(b"cut off")
    card = card_of(write_page(folder, rows), failed[0].index)
    assert "is not what groot-play writes" in card


def test_poster_is_the_last_frame_and_is_bounded(tmp_path):
    path, noise = tmp_path / "video.mp4", np.random.default_rng(0)
    writer = Mp4Writer(path, (720, 1280), 5.0, {"preset": "ultrafast"})
    for frame in range(8):
        writer.write(np.full((720, 1280, 3), (250, 40, 40) if frame < 7 else (40, 40, 250), np.uint8))
    writer.close()
    picture = picture_of(poster_of(path))
    assert picture.shape == (225, 400, 3)
    np.testing.assert_allclose(picture.mean((0, 1)), (40, 40, 250), atol=12)

    writer = Mp4Writer(path, (480, 640), 5.0, {"preset": "ultrafast", "crf": "1"})
    writer.write(noise.integers(0, 255, (480, 640, 3), np.uint8))
    writer.close()
    assert len(base64.b64decode(poster_of(path).partition(",")[2])) <= MOST_BYTES
    assert picture_of(poster_of(path)).mean() > 60
