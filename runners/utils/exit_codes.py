"""The exit codes of every command, and which of several weighs most."""

from collections.abc import Iterable

__all__ = [
    "DONE",
    "DONE_WITH_ERRORS",
    "FAILED",
    "GATE_NOT_MET",
    "INTERRUPTED",
    "PLAYED_OTHERWISE",
    "SweepEnded",
    "worst",
]

DONE, FAILED, DONE_WITH_ERRORS, GATE_NOT_MET, PLAYED_OTHERWISE, INTERRUPTED = 0, 1, 2, 3, 4, 130
"""PLAYED_OTHERWISE: an episode that was played again went otherwise than it did. INTERRUPTED is one for Ctrl-C, SIGTERM
and SIGHUP, as all three end a command in the same way."""


class SweepEnded(SystemExit):
    """A multirun is over; ``code`` is its exit code. Its jobs may have run in other processes, or on other machines."""


def worst(codes: Iterable[int]) -> int:
    """Return the worst code: a run that failed weighs more than a gate that was not met, and that more than errors."""
    return max(codes, key=lambda code: (code == FAILED, code), default=DONE)
