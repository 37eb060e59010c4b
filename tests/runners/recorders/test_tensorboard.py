"""TensorboardRecorder: read back, the log holds the success rate in the order of the plan."""

import struct
import sys

import pytest
from tensorboardX.proto.event_pb2 import Event

from groot_wrappers.installation.extras import MissingExtraError
from runners.episodes.plan import PlannedEpisode
from runners.recorders.recorder import RunInfo
from runners.recorders.tensorboard import TensorboardRecorder
from runners.statistics.intervals import success_interval
from runners.statistics.stop_rule import StopRule
from tests.support.samples.rows import make_row, make_staged_row


def read(folder):
    """Return what a log holds: name to step and value, in order. A record has its length, a sum, itself, a sum."""
    held = {}
    for file in sorted((folder / "tensorboard").glob("events.*")):
        data = file.read_bytes()
        while data:
            (length,) = struct.unpack_from("<Q", data)
            event = Event.FromString(data[12 : 12 + length])
            data = data[16 + length :]
            for value in event.summary.value:
                held.setdefault(value.tag, []).append((event.step, value.simple_value))
    return held


def test_success_rate_is_that_of_the_plans_beginning(tmp_path):
    plan = [PlannedEpisode(index, 7, "reach") for index in range(3)]
    recorder = TensorboardRecorder()
    recorder.on_run_start(RunInfo(tmp_path, {}, 20.0, "Toy-v0", stop=StopRule(plan, None)))
    rows = []
    for index, success in ((1, True), (0, False), (2, True)):  # the second ends first: its time is not yet
        recorder.on_chunk([0], {}, 0.05)
        rows.append(make_row(index, success=success, ended="success" if success else "time_out", steps=10 + index))
        recorder.on_row_written(rows[-1], rows)
    recorder.on_run_end(None)
    held = read(tmp_path)
    assert [step for step, _ in held["success_rate"]] == [1, 2, 3]
    assert [value for _, value in held["success_rate"]] == pytest.approx([0, 1 / 2, 2 / 3])
    assert (held["ci_low"][2][1], held["ci_high"][2][1]) == pytest.approx(success_interval(2, 3))
    assert held["episode/steps"] == [(1, 11.0), (0, 10.0), (2, 12.0)]
    assert [value for _, value in held["latency_ms"]] == pytest.approx([50, 50, 50])


def test_missing_package_is_told_by_the_line_that_installs_it(monkeypatch):
    monkeypatch.delitem(sys.modules, "runners.recorders.tensorboard")
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(MissingExtraError, match=r"pip install '\.\[tensorboard\]'"):
        import runners.recorders.tensorboard  # noqa: F401


def test_mean_progress_is_logged_beside_it_with_its_interval(tmp_path):
    plan = [PlannedEpisode(index, 7, "reach") for index in range(3)]
    recorder = TensorboardRecorder()
    recorder.on_run_start(RunInfo(tmp_path, {}, 20.0, "Toy-v0", stop=StopRule(plan, None)))
    rows = []
    for index, stage in ((1, 1), (0, 3), (2, 2)):
        rows.append(make_staged_row(index, stage))
        recorder.on_row_written(rows[-1], rows)
    recorder.on_run_end(None)
    held = read(tmp_path)
    assert held["progress"] == [(1, 0.75), (2, 0.5), (3, 0.5)]
    assert [step for step, _ in held["progress_ci_high"]] == [1, 2, 3]
    assert held["progress_ci_low"][2][1] < 0.5 < held["progress_ci_high"][2][1]
