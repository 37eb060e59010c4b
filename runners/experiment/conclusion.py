"""The last act of an experiment, conclusion: its summary, the recorders' last words, its page, and the last lines."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from runners.episodes.row import EpisodeRow
from runners.experiment.run_end import RunEnd
from runners.recorders import Recorders
from runners.reports.pages import write_report
from runners.reports.text import format_end
from runners.run_folder.manifest import Manifest
from runners.run_folder.results import write_summary
from runners.statistics.summary import Summary

__all__ = ["conclude"]


def conclude(
    folder: Path,
    summary: Summary,
    rows: Sequence[EpisodeRow],
    *,
    recorders: Recorders,
    manifest: Manifest | None,
    execution: int,
    say: Callable[..., None],
) -> RunEnd:
    """Write down how a run has ended, and tell it.

    Args:
        folder: The run folder.
        summary: What it has shown; which recorders were left out is added.
        rows: All rows of the run.
        recorders: Which end with it.
        manifest: Where it comes from.
        execution: ``horizons.execution``.
        say: Writes lines to the terminal.

    Raises:
        OSError: Summary or page cannot be written. ``runners.apps.finished_run`` makes up for it once there is room.
    """
    try:
        # Before W&B's last words, which may take minutes.
        write_summary(folder, msgspec.structs.replace(summary, recorders=recorders.failures))
    finally:  # recorders close what they hold open, even where the disk is full
        recorders.on_run_end(summary)
    try:
        summary = msgspec.structs.replace(summary, recorders=recorders.failures)
        write_summary(folder, summary)
        write_report(folder, summary, rows, manifest)
    finally:  # one that waits for the page keeps the process from ending
        recorders.on_folder_whole()
    say(*format_end(folder, summary, rows, execution))
    return RunEnd.of(summary, rows)
