"""RunEnd: how a run ended."""

from dataclasses import dataclass

from runners.statistics.summary import Summary

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
