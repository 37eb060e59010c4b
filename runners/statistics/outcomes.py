"""How some episodes ended: successes, errors, and two success rates with their intervals.

* ``Outcomes``, ``Rate``: what ``summary.json`` holds of them.
* ``outcomes_of``: counts rows.
"""

from collections.abc import Sequence

import msgspec

from runners.episodes.row import EpisodeRow
from runners.statistics.intervals import Method, success_interval

__all__ = ["Outcomes", "Rate", "outcomes_of"]


class Rate(msgspec.Struct, frozen=True):
    """A success rate with its 95% interval; all None where there is nothing to judge."""

    share: float | None
    low: float | None
    high: float | None


class Outcomes(msgspec.Struct, frozen=True, kw_only=True):
    """How some episodes ended: successes, errors, and two success rates, each with its 95% interval.

    Args:
        successes, errors: Numbers of episodes.
        success_rate, ci_low, ci_high: Over the episodes that finished.
        success_rate_errors_failed, ci_low_errors_failed, ci_high_errors_failed: With those that ended in an error
            counted as failures.
    """

    successes: int
    errors: int
    success_rate: float | None
    ci_low: float | None
    ci_high: float | None
    success_rate_errors_failed: float | None
    ci_low_errors_failed: float | None
    ci_high_errors_failed: float | None

    @property
    def rate(self) -> Rate:
        """The success rate over the episodes that finished."""
        return Rate(self.success_rate, self.ci_low, self.ci_high)

    @property
    def rate_errors_failed(self) -> Rate:
        """The success rate with errors counted as failures."""
        return Rate(self.success_rate_errors_failed, self.ci_low_errors_failed, self.ci_high_errors_failed)


def outcomes_of(rows: Sequence[EpisodeRow], method: Method) -> Outcomes:
    """Count rows.

    Args:
        rows: The episodes that count.
        method: Of the intervals.
    """
    successes = sum(row.success is True for row in rows)
    judged = sum(row.success is not None for row in rows)
    errors = sum(row.ended == "error" for row in rows)
    no_success_term = not judged and errors < len(rows)
    finished = _rate(successes, judged, method)
    all_ended = _rate(successes, 0 if no_success_term else judged + errors, method)
    return Outcomes(
        successes=successes,
        errors=errors,
        success_rate=finished.share,
        ci_low=finished.low,
        ci_high=finished.high,
        success_rate_errors_failed=all_ended.share,
        ci_low_errors_failed=all_ended.low,
        ci_high_errors_failed=all_ended.high,
    )


def _rate(successes: int, episodes: int, method: Method) -> Rate:
    return Rate(successes / episodes, *success_interval(successes, episodes, method)) if episodes else Rate(*[None] * 3)
