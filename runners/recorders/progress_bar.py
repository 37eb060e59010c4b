"""Progress of a rollout at the terminal: a bar over the episodes with the running success rate."""

import sys
from collections.abc import Sequence
from typing import Any

from tqdm import tqdm

from groot_wrappers.control_step import ControlStep
from runners.episodes.row import EpisodeRow
from runners.recorders.recorder import Recorder, RunInfo
from runners.statistics.summary import Summary

__all__ = ["ProgressBar"]


class ProgressBar(Recorder):
    """A bar over episodes; the control steps count on between them, so that a long first episode does not look stuck.

    Args:
        episodes: Length of the plan.
        label: What stands before the bar.
    """

    def __init__(self, episodes: int, label: str = "Rollout") -> None:
        self._episodes = episodes
        self._label = label
        self._steps = 0
        self._rate = "success -"

    def on_run_start(self, run: RunInfo) -> None:
        """Draw the empty bar; a log file gets a line every ten seconds, a terminal ten a second."""
        self._stop = run.stop
        interval_s = 0.1 if sys.stderr.isatty() else 10.0
        self._bar: tqdm[Any] = tqdm(
            total=self._episodes, unit="episode", desc=self._label, dynamic_ncols=True, mininterval=interval_s
        )

    def on_control_step(self, step: ControlStep) -> None:
        """Count a control step."""
        self._steps += 1
        self._show(0)

    def on_row_written(self, row: EpisodeRow, rows: Sequence[EpisodeRow]) -> None:
        """Move the bar on, and show the success rate so far."""
        judged = [bool(r.success) for r in rows if r.success is not None and self._stop.counts(r)]
        if judged:
            self._rate = f"success {sum(judged)}/{len(judged)} ({sum(judged) / len(judged):.0%})"
        self._show(len({r.index for r in rows}) - self._bar.n)  # an episode that is tried again counts once

    def on_run_end(self, summary: Summary | None) -> None:
        """Leave the bar as it stands."""
        self._bar.close()

    def _show(self, episodes: int) -> None:
        self._bar.set_postfix_str(f"{self._rate}, step {self._steps}", refresh=False)
        self._bar.update(episodes)
