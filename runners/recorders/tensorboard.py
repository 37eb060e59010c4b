"""TensorboardRecorder: the success rate in the order of the plan, with its interval, episodes and latency."""

from collections.abc import Mapping, Sequence
from typing import Any

from groot_wrappers.installation.extras import MissingExtraError
from runners.episodes.row import EpisodeRow
from runners.recorders.recorder import Recorder, RunInfo
from runners.statistics.summary import Summary

try:
    from tensorboardX import SummaryWriter
except ModuleNotFoundError as error:
    raise MissingExtraError(
        "recorder=[tensorboard] needs tensorboardX, not installed here. "
        "Install it, in the clone: pip install '.[tensorboard]'"
    ) from error

__all__ = ["TensorboardRecorder"]


class TensorboardRecorder(Recorder):
    """Writes ``tensorboard/`` in the run folder; ``tensorboard --logdir outputs`` shows all runs below it."""

    def __init__(self) -> None:
        self._writer: SummaryWriter | None = None
        self._requests = self._logged = 0

    def on_run_start(self, run: RunInfo) -> None:
        """Open the log; one that is there already is gone on with."""
        self._stop = run.stop
        self._writer = SummaryWriter(str(run.folder / "tensorboard"))

    def on_chunk(self, rows: Sequence[int], chunk: Mapping[str, Any], latency_s: float) -> None:
        """Log how long the server took, over requests."""
        self._requests += 1
        self._log("latency_ms", 1e3 * latency_s, self._requests)

    def on_row_written(self, row: EpisodeRow, rows: Sequence[EpisodeRow]) -> None:
        """Log an episode by its index, and success rate and mean progress of the plan as far as it has come."""
        self._log("episode/steps", row.steps, row.index)
        after = self._logged
        for figures, names in (
            (self._stop.rates(rows, after), ("success_rate", "ci_low", "ci_high")),
            (self._stop.progress(rows, after), ("progress", "progress_ci_low", "progress_ci_high")),
        ):
            for count, *values in figures:
                for name, value in zip(names, values, strict=True):
                    self._log(name, value, count)
                self._logged = count

    def on_run_end(self, summary: Summary | None) -> None:
        """Close the log."""
        if self._writer is not None:
            self._writer.close()

    def _log(self, name: str, value: float, step: int) -> None:
        if self._writer is not None:
            self._writer.add_scalar(name, value, step)
