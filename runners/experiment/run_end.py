"""RunEnd: how a run ended."""

from collections.abc import Sequence
from dataclasses import dataclass

from runners.episodes.row import EpisodeRow, last_rows
from runners.statistics.summary import Summary
from runners.utils.exit_codes import DONE, DONE_WITH_ERRORS, GATE_NOT_MET

__all__ = ["RunEnd"]


@dataclass(frozen=True)
class RunEnd:
    """How a run ended.

    Args:
        code: The exit code of its command.
        summary: What it has shown.
    """

    code: int
    summary: Summary

    @classmethod
    def of(cls, summary: Summary, rows: Sequence[EpisodeRow]) -> "RunEnd":
        """Return how a run ended whose episodes have ended; where it fails for good, the command ends with FAILED."""
        if summary.gate is not None and not summary.gate.met:
            return cls(GATE_NOT_MET, summary)  # where errors are failures, so that this says more than they do
        errors = any(row.ended == "error" for row in last_rows(rows))
        return cls(DONE_WITH_ERRORS if errors or summary.recorders else DONE, summary)
