"""The last act of an experiment, conclusion: its summary, the recorders' last words, its page, and the last lines."""

from collections.abc import Callable, Sequence

import msgspec

from runners.episodes.row import EpisodeRow, last_rows
from runners.experiment.preparation import Preparation
from runners.experiment.run_end import RunEnd
from runners.recorders.recorder import RunInfo
from runners.reports.pages import write_report
from runners.reports.text import format_end
from runners.run_folder.results import write_summary
from runners.statistics.summary import Cost, summarise
from runners.utils.exit_codes import DONE, DONE_WITH_ERRORS, GATE_NOT_MET

__all__ = ["conclude"]


def conclude(
    preparation: Preparation, run: RunInfo, rows: Sequence[EpisodeRow], cost: Cost, say: Callable[..., None]
) -> RunEnd:
    """Write down how a run has ended, and tell it.

    Args:
        preparation: What it was played with.
        run: What its recorders were told.
        rows: All rows of the run.
        cost: What it cost beyond them.
        say: Writes lines to the terminal.

    Raises:
        OSError: Summary or page cannot be written. ``runners.apps.finished_run`` makes up for it once there is room.
    """
    config, recorders, folder = preparation.request.config, preparation.recorders, run.folder
    summary = summarise(
        rows,
        preparation.stop,
        task=run.task,
        instruction=" | ".join(preparation.instructions),
        # The gate is about all shards together: groot-report judges it, and so does the end of a sweep.
        min_success=config.gate.min_success if config.shard.count == 1 else None,
        cost=cost,
    )
    try:
        # Before W&B's last words, which may take minutes.
        write_summary(folder, msgspec.structs.replace(summary, recorders=recorders.failures))
    finally:  # recorders close what they hold open, even where the disk is full
        recorders.on_run_end(summary)
    summary = msgspec.structs.replace(summary, recorders=recorders.failures)
    write_summary(folder, summary)
    write_report(folder, summary, rows, run.manifest)
    say(*format_end(folder, summary, rows, config.horizons.execution))
    if summary.gate is not None and not summary.gate.met:
        return RunEnd(GATE_NOT_MET, summary)  # where errors are failures, so that this says more than they do
    errors = any(row.ended == "error" for row in last_rows(rows))
    return RunEnd(DONE_WITH_ERRORS if errors or recorders.failures else DONE, summary)
