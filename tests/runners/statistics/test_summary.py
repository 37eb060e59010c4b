"""Rows, the log that keeps them, and the summary over them."""

import json
import os
import signal
import subprocess
import sys

import msgspec
import pytest

from groot_wrappers.protocol.client_interface import ClientStats
from runners.episodes.episode_log import EpisodeLog
from runners.episodes.row import describe, last_rows
from runners.statistics.summary import Cost, server_cost
from tests.support.processes import ROOT
from tests.support.samples.rows import make_row, summary_of

ROW_FIELDS = (
    "index", "seed", "instruction", "env", "attempt", "success",
    "ended", "steps", "return", "server_calls", "held_steps", "video", "error",
    "warning", "stages", "missed", "progress", "events",
    "checkpoint", "checkpoint_step", "variation", "pair", "arm", "strength",
)  # fmt: skip
SUMMARY_FIELDS = {
    "format", "task", "instruction", "episodes", "counted", "successes", "errors", "success_rate", "ci_low", "ci_high",
    "success_rate_errors_failed", "ci_low_errors_failed", "ci_high_errors_failed", "ci_method",
    "micro_success_rate", "macro_success_rate", "instructions", "warnings",
    "env_steps", "held_steps", "wall_s", "env_steps_per_s", "renders", "server", "stop", "gate", "recorders",
    "funnel", "label", "fidelity", "checkpoint", "checkpoint_step", "arms",
}  # fmt: skip
SERVER_FIELDS = ("calls", "observations", "p50_ms", "p99_ms", "bytes")

KILLED_AFTER_TWO_ROWS = """
import os, signal, sys
from pathlib import Path
from runners.episodes.episode_log import EpisodeLog
from tests.support.samples.rows import make_row, summary_of
with EpisodeLog(Path(sys.argv[1])) as log:
    log.append(make_row(0))
    log.append(make_row(1, success=None, ended="error", error="it broke"))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def figures_of(rows, *, wall_s=2.0, **stats):
    """Return what ``summary.json`` holds of rows."""
    cost = Cost(wall_s=wall_s, renders=5, server=server_cost(ClientStats(**stats)))
    return msgspec.to_builtins(summary_of(rows, cost=cost))


@pytest.mark.process
def test_rows_survive_a_kill_right_after_they_were_appended(tmp_path):
    path = tmp_path / "episodes.jsonl"
    command = [sys.executable, "-c", KILLED_AFTER_TWO_ROWS, str(path)]
    killed = subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [tuple(row) for row in rows] == [ROW_FIELDS] * 2
    assert rows[1] == make_row(1, success=None, ended="error", error="it broke").to_json()


def test_log_goes_on_where_an_earlier_one_stopped(tmp_path):
    for index in range(2):
        with EpisodeLog(tmp_path / "episodes.jsonl") as log:
            log.append(make_row(index))
    assert [json.loads(line)["index"] for line in log.path.read_text().splitlines()] == [0, 1]


def test_summary_has_the_fields_that_others_rely_on():
    summary = figures_of([make_row()])
    assert set(summary) == SUMMARY_FIELDS
    assert tuple(summary["server"]) == (*SERVER_FIELDS, "waited_s", "endpoints")
    assert json.loads(json.dumps(summary)) == summary


def test_summary_counts():
    rows = [
        *(make_row(index) for index in range(8)),
        make_row(8, success=False, ended="time_out", steps=20),
        make_row(9, success=False, ended="failure", steps=10),
        make_row(10, success=None, ended="error", steps=1, error="it broke"),
    ]
    summary = figures_of(rows, calls=4, observations=16, bytes=1000, latencies_s=[0.010, 0.012, 0.014, 0.050])
    assert (summary["episodes"], summary["successes"], summary["errors"]) == (11, 8, 1)
    assert summary["success_rate"] == 0.8, "an episode that ended as an error is not a failed one"
    assert summary["ci_low"] == pytest.approx(0.4902, abs=1e-4)
    assert summary["ci_high"] == pytest.approx(0.9433, abs=1e-4)
    assert summary["success_rate_errors_failed"] == pytest.approx(8 / 11)
    assert summary["ci_low_errors_failed"] == pytest.approx(0.4344, abs=1e-4)
    assert (summary["env_steps"], summary["env_steps_per_s"]) == (55, 27.5)
    assert summary["renders"] == 5
    server = summary["server"]
    assert (server["calls"], server["observations"], server["bytes"], server["p50_ms"]) == (4, 16, 1000, 13.0)
    assert 45 < server["p99_ms"] <= 50


@pytest.mark.parametrize(
    "rows", [[], [make_row(success=None, ended="error")], [make_row(success=None, ended="time_out")]]
)
def test_summary_claims_no_rate_where_nothing_was_judged(rows):
    summary = figures_of(rows)
    assert (summary["success_rate"], summary["ci_low"], summary["ci_high"]) == (None, None, None)
    assert (summary["server"]["p50_ms"], summary["server"]["p99_ms"]) == (None, None)


def test_errors_alone_are_failures_but_an_env_without_a_success_term_has_no_rate():
    errors = [make_row(index, success=None, ended="error") for index in range(4)]
    assert figures_of(errors)["success_rate_errors_failed"] == 0.0
    assert figures_of([*errors, make_row(4, success=None, ended="time_out")])["success_rate_errors_failed"] is None


def test_instructions_are_counted_apart_and_their_means_differ():
    rows = [
        *(make_row(index, instruction="a") for index in range(6)),
        *(make_row(index, instruction="b", success=False, ended="time_out") for index in range(6, 8)),
        make_row(8, instruction="b", success=None, ended="error"),
    ]
    summary = figures_of(rows)
    a, b = summary["instructions"]
    assert (a["instruction"], a["episodes"], a["successes"], a["success_rate"]) == ("a", 6, 6, 1.0)
    assert (b["instruction"], b["episodes"], b["errors"], b["success_rate"]) == ("b", 3, 1, 0.0)
    assert a["ci_low"] == pytest.approx(0.6097, abs=1e-4)
    assert summary["micro_success_rate"] == summary["success_rate"] == 6 / 8
    assert summary["macro_success_rate"] == 0.5
    assert {"success_rate_errors_failed", "ci_low_errors_failed", "ci_high_errors_failed"} <= set(b)


def test_last_attempt_at_an_episode_counts():
    rows = [make_row(1), make_row(0, success=None, ended="error"), make_row(0, attempt=1)]
    assert last_rows(rows) == [rows[2], rows[0]]
    assert (figures_of(rows)["episodes"], figures_of(rows)["errors"]) == (2, 0)


def test_outcome_is_told_in_words():
    rows = [make_row()] * 11 + [make_row(ended="time_out", success=False)]
    assert describe(rows) == "11 succeeded, 1 timed out"
    assert describe([make_row(ended="failure"), make_row(ended="error")]) == "1 failed, 1 ended in an error"
    assert describe([]) == "No episode ended"
