"""RerunRecorder: read back, an episode's file holds what was seen, predicted and played, on one timeline."""

import io
import math
import sys

import numpy as np
import pytest
import rerun.chunk
from PIL import Image

from groot_wrappers.errors import ContractError
from groot_wrappers.installation.extras import MissingExtraError
from runners.recorders.recorder import RunInfo
from runners.recorders.rerun import RerunRecorder
from tests.support.samples.rows import make_episode, make_row, make_step, picture

RED, BLUE = (220, 20, 20), (20, 20, 220)
SHAPES = {"video": {"front": (32, 48, 3)}, "state": {"arm": (2,), "base": (1,)}, "action": {"arm": (2,)}}


def seen(step, colour=RED):
    """Return what two envs show after some control steps: state arm is [step, env]."""
    arm = np.array([[[step, 0.0]], [[step, 1.0]]], np.float32)
    frame = picture(32, 48, colour, colour)
    return {
        "video": {"front": np.stack([frame, frame])[:, None]},
        "state": {"arm": arm, "base": np.zeros((2, 1, 1), np.float32)},
    }


def play(recorder, beats=3, execution=2, horizon=4, envs=(0, 1)):
    """Let both envs play some beats; env i plays 10 i + step, and its chunks say so."""
    step = 0
    for beat in range(beats):
        recorder.on_beat(seen(step, RED if beat % 2 == 0 else BLUE))
        chunk = np.array([[[10 * env + step + ahead, 0.5] for ahead in range(horizon)] for env in (0, 1)], np.float32)
        for ahead in range(execution):
            step += 1
            recorder.on_control_step(
                make_step(seen(step), [True, True], action={"arm": chunk[:, ahead]}, played=[True, True])
            )
        recorder.on_chunk(list(envs), {"arm": chunk}, 0.05)


@pytest.fixture
def record(tmp_path):
    def begin(**options):
        recorder = RerunRecorder(**options)
        recorder.on_run_start(RunInfo(tmp_path, {}, 20.0, "Toy-v0", execution=2, shapes=SHAPES))
        recorder.on_episodes_start({0: make_episode(3), 1: make_episode(4)}, seen(0))
        return recorder

    return begin


def read(path):
    """Return what a file holds: entity path to its control steps and values."""
    held = {}
    for chunk in rerun.chunk.RrdReader(path).stream():
        batch = chunk.to_record_batch().to_pydict()
        if chunk.is_static or "control_step" not in batch:
            continue
        name = next(name for name in batch if name.startswith(("Scalars:", "EncodedImage:blob", "TextLog:text")))
        steps, values = held.setdefault(chunk.entity_path, ([], []))
        steps += batch["control_step"]
        values += [value[0] for value in batch[name]]
    return held


def names(folder):
    return sorted(path.name for path in (folder / "rerun").iterdir())


def test_episode_holds_pictures_state_chunks_and_what_was_played(record, tmp_path):
    recorder = record()
    play(recorder)
    recorder.on_episode_end(make_row(3, env=0, steps=6))
    recorder.on_episode_end(make_row(4, env=1, steps=6, success=False, ended="time_out"))
    recorder.on_run_end(None)
    assert names(tmp_path) == ["episode_000003.rrd", "episode_000004.rrd"]
    for env, index in enumerate((3, 4)):
        held = read(tmp_path / "rerun" / f"episode_{index:06d}.rrd")
        steps, blobs = held["/camera/front"]
        assert steps == [0, 2, 4]
        for blob, colour in zip(blobs, (RED, BLUE, RED), strict=True):
            pixels = np.asarray(Image.open(io.BytesIO(bytes(blob)))).astype(int)
            assert np.abs(pixels - colour).max() < 16
        # What was seen at a step, and what was played on it.
        assert held["/state/arm/0/state"] == (list(range(7)), [float(step) for step in range(7)])
        assert held["/state/arm/1/state"][1] == [float(env)] * 7
        assert held["/action/arm/0/played"] == (list(range(6)), [10.0 * env + step for step in range(6)])
        # Chunks of four overlap: each is on a line of its own, and ends in a gap.
        for lane, at in enumerate((0, 2, 4)):
            steps, values = held[f"/action/arm/0/chunk_{lane}"]
            assert steps == [at, at + 1, at + 2, at + 3, at + 4]
            assert values[:4] == [10.0 * env + step for step in steps[:4]]
            assert math.isnan(values[4])
        assert held["/latency_ms"] == ([0, 2, 4], [50.0] * 3)
    assert held["/outcome"] == ([6], ["time_out after 6 control steps"])


def test_failed_keeps_those_without_success(record, tmp_path):
    recorder = record(episodes="failed")
    play(recorder)
    recorder.on_episode_end(make_row(3, env=0))
    recorder.on_episode_end(make_row(4, env=1, success=None, ended="error", attempt=1, error="gone"))
    recorder.on_run_end(None)
    assert names(tmp_path) == ["episode_000004_attempt_1.rrd"]


def test_envs_beyond_those_asked_for_are_left_out(record, tmp_path):
    recorder = record(envs=1)
    play(recorder)
    for env, index in enumerate((3, 4)):
        recorder.on_episode_end(make_row(index, env=env))
    recorder.on_run_end(None)
    assert names(tmp_path) == ["episode_000003.rrd"]


def test_interrupted_episode_leaves_no_file_and_halves_of_killed_runs_are_cleared(record, tmp_path):
    (tmp_path / "rerun").mkdir()
    (tmp_path / "rerun" / "recording_000009.rrd").write_bytes(b"half")
    recorder = record()
    play(recorder)
    recorder.on_run_end(None)
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"episodes": "some"}, r"recorder\.rerun\.episodes=some was asked for\. Set it to one of all, failed"),
        ({"envs": 0}, r"recorder\.rerun\.envs=0 was asked for"),
        ({"connect": "localhost:9876"}, r"connect=localhost:9876 was asked for\. A viewer's address is rerun\+http"),
        ({"connect": "rerun+http://127.0.0.1:1/proxy", "episodes": "failed"}, "before anybody knows how they end"),
    ],
)
def test_settings_that_cannot_be_are_refused(options, told):
    with pytest.raises(ContractError, match=told):
        RerunRecorder(**options)


def test_missing_package_is_told_by_the_line_that_installs_it(monkeypatch):
    for module in ("runners.recorders.rerun", "runners.recorders.rerun_stream"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "rerun", None)
    with pytest.raises(MissingExtraError, match=r"pip install '\.\[rerun\]'"):
        import runners.recorders.rerun_stream  # noqa: F401
