"""The means over the tasks of a suite that a sweep has played: ``format_suites``."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from runners.run_folder.reader import Run
from runners.sweeps.jobs import SUITE_INDEX

__all__ = ["format_suites"]


class SuiteTask(Protocol):
    """An evaluation of a sweep, as ``runners.sweeps.overview.Evaluation`` is one."""

    @property
    def settings(self) -> Mapping[str, str]:
        """What was set, by key."""

    @property
    def run(self) -> Run | None:
        """What has been played of it."""


def format_suites(evaluations: Sequence[SuiteTask], swept: Sequence[str]) -> list[str]:
    """Return both means over the tasks of each suite: every episode weighs the same, or every task does.

    Args:
        evaluations: Of a sweep.
        swept: The keys in which they differ. What is swept beside ``task.index`` makes several suites.
    """
    if SUITE_INDEX not in swept:
        return []
    suites: dict[str, list[Run]] = {}
    for each in evaluations:
        if each.run is not None and each.run.summary.success_rate is not None:
            name = " ".join(
                f"{key}={each.settings[key]}" for key in swept if key != SUITE_INDEX and key in each.settings
            )
            suites.setdefault(name, []).append(each.run)
    lines = []
    for name, runs in suites.items():
        rates = [run.summary.success_rate or 0.0 for run in runs]
        judged = sum(run.summary.counted - run.summary.errors for run in runs)
        micro = sum(run.summary.successes for run in runs) / judged
        lines.append(
            f"{name}{': ' * bool(name)}Over {len(runs)} tasks: micro mean {micro:.1%} (every episode weighs the same), "
            f"macro mean {sum(rates) / len(rates):.1%} (every task does)"
        )
    return lines
