"""``recorder.video.failed=full``: the failed episodes at full rate after a run, which stays what it was."""

import json
import threading

import av
import pytest

from groot_wrappers.protocol.server import PolicyServer
from runners import evaluate
from runners.experiment import full_videos
from tests.support.processes import ROOT
from tests.support.toys.env import NEEDED_STEPS
from tests.support.toys.policy import ToyPolicy

pytestmark = [pytest.mark.isaaclab, pytest.mark.process]  # a manifest asks git for its revision

STEPS = 9


@pytest.fixture(scope="module")
def port():
    """A policy that solves two goals of three."""
    with PolicyServer(ToyPolicy(solves=lambda goal: goal % 3), port=0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.port
        server.stop()
        thread.join(10)


@pytest.fixture
def play(port, tmp_path):
    def run(name, *overrides):
        settings = [f"server.port={port}", "num_envs=3", "episodes=8", "horizons.execution=4", "recorder=[video]"]
        settings += [f"horizons.episode={STEPS}", f"hydra.run.dir={tmp_path / name}", *overrides]
        evaluate(["task=toy", *settings], config_dir=ROOT / "tests/support/toys/conf")
        return tmp_path / name

    return run


def rows_of(folder):
    return {row["index"]: row for row in map(json.loads, (folder / "episodes.jsonl").read_text().splitlines())}


def frames_of(path):
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.mark.parametrize("clock", [(), ("clock=real", "horizons.delay=2")], ids=["paused", "real"])
def test_failed_episodes_are_filmed_at_full_rate_and_nothing_else_changes(play, clock):
    plain, filmed = play("plain", *clock), play("filmed", "recorder.video.failed=full", *clock)
    assert rows_of(filmed) == rows_of(plain)
    told = [json.loads((folder / "summary.json").read_text()) for folder in (plain, filmed)]
    for key in ("episodes", "successes", "env_steps", "renders", "recorders"):
        assert told[0][key] == told[1][key], key
    failed = {index for index, row in rows_of(filmed).items() if row["success"] is False}
    assert 0 < len(failed) < 8
    names = {path.name for path in (filmed / "videos").iterdir()} - {path.name for path in (plain / "videos").iterdir()}
    assert names == {f"episode_{index:06d}_full.mp4" for index in failed}
    page = (filmed / "report.html").read_text()
    for index in failed:
        assert f'href="videos/episode_{index:06d}_full.mp4"' in page
        path = filmed / f"videos/episode_{index:06d}"
        # The first frame, and one after each control step but the last, whose state nobody shows.
        assert frames_of(f"{path}_full.mp4") == STEPS > frames_of(f"{path}.mp4")
    assert NEEDED_STEPS < STEPS


def test_interruption_of_filming_leaves_a_finished_run_and_no_half_video_under_a_whole_ones_name(
    play, tmp_path, monkeypatch, capsys
):
    film = full_videos._film

    def interrupted(preparation, env, run, failed):
        (video,) = preparation.full_videos
        step = video.on_control_step

        def stop(played):
            step(played)
            raise KeyboardInterrupt

        monkeypatch.setattr(video, "on_control_step", stop)
        return film(preparation, env, run, failed)

    monkeypatch.setattr(full_videos, "_film", interrupted)
    with pytest.raises(KeyboardInterrupt):
        play("run", "recorder.video.failed=full")
    folder = tmp_path / "run"
    assert len(rows_of(folder)) == json.loads((folder / "summary.json").read_text())["episodes"] == 8
    assert (folder / "report.html").exists()
    assert all(path.stem.endswith("_full_interrupted") for path in (folder / "videos").glob("*full*"))
    assert not list((folder / "videos").glob("recording_*"))
    capsys.readouterr()
    assert evaluate([f"resume={folder}"], config_dir=ROOT / "tests/support/toys/conf").episodes == 8
    assert "Nothing is left to play" in capsys.readouterr().out


def test_what_keeps_episodes_from_being_filmed_is_told_and_the_run_is_done(play, monkeypatch, capsys):
    monkeypatch.setattr("runners.again.action_log.write_kept", lambda folder, kept: None)
    folder = play("run", "recorder.video.failed=full")
    assert len(rows_of(folder)) == 8
    assert "The failed episodes could not be filmed" in capsys.readouterr().out
