"""The end of a run: its summary, the recorders' last words, its page, and the lines that tell how it went.

* ``run_summary``: what ``summary.json`` holds.
* ``conclude``: writes it down and tells it.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from runners.episodes.row import EpisodeRow, last_rows
from runners.recorders import Recorders
from runners.reports.pages import write_report
from runners.reports.text import format_end
from runners.statistics.gate import judge
from runners.statistics.stop_rule import StopRule
from runners.statistics.summary import summarise
from runners.utils.atomic_files import write_whole
from runners.utils.exit_codes import DONE, DONE_WITH_ERRORS, GATE_NOT_MET

__all__ = ["conclude", "run_summary"]


def run_summary(
    rows: Sequence[EpisodeRow], stop: StopRule, *, min_success: float | None, shards: int, **facts: Any
) -> dict[str, Any]:
    """Return what ``summary.json`` holds, but for the recorders.

    Args:
        rows: All rows of the run.
        stop: Says which of them count.
        min_success: ``gate.min_success``.
        shards: Parts of the evaluation that the run is one of. A gate is about all of them together: groot-report
            judges it, and so does the end of a sweep.
        **facts: As ``runners.statistics.summary.summarise`` takes them.
    """
    summary = summarise(rows, counted=stop.counted(rows), method=stop.method, **facts)
    summary["stop"] = stop.to_json(rows)
    summary["gate"] = judge(min_success if shards == 1 else None, summary)
    return summary


def conclude(
    folder: Path,
    summary: dict[str, Any],
    rows: Sequence[EpisodeRow],
    *,
    recorders: Recorders,
    manifest: Mapping[str, Any],
    execution: int,
    say: Callable[..., None],
) -> int:
    """Write down how a run has ended, tell it, and return the exit code.

    Args:
        folder: The run folder.
        summary: What ``summary.json`` is to hold; which recorders were left out is added.
        rows: All rows of the run.
        recorders: Which end with it.
        manifest: What ``manifest.json`` holds.
        execution: ``horizons.execution``.
        say: Writes lines to the terminal.

    Raises:
        OSError: Summary or page cannot be written. ``runners.apps.finished_run`` makes up for it once there is room.
    """
    try:
        _write_summary(folder, summary, recorders)  # before W&B's last words, which may take minutes
    finally:  # recorders close what they hold open, even where the disk is full
        recorders.on_run_end(summary)
    _write_summary(folder, summary, recorders)
    write_report(folder, summary, rows, manifest)
    say(*format_end(folder, summary, rows, execution))
    if summary["gate"] and not summary["gate"]["met"]:
        return GATE_NOT_MET  # errors count as failures there, so that this says more than that there were some
    errors = any(row.ended == "error" for row in last_rows(rows))
    return DONE_WITH_ERRORS if errors or recorders.failures else DONE


def _write_summary(folder: Path, summary: dict[str, Any], recorders: Recorders) -> None:
    summary["recorders"] = [asdict(failure) for failure in recorders.failures]
    write_whole(folder / "summary.json", json.dumps(summary, indent=1) + "\n")
