"""How far episodes came, in words and for the pages: the funnel of stages of each instruction.

* ``format_funnel``: the lines at the terminal.
* ``funnels_of``: what the template ``funnel.html`` shows of a run.
* ``funnels_of_runs``: the same of several.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from runners.run_folder.reader import Run
from runners.statistics.funnel import Funnel
from runners.statistics.summary import Summary

__all__ = ["NamedFunnel", "format_funnel", "funnels_of", "funnels_of_runs"]


@dataclass(frozen=True)
class NamedFunnel:
    """A funnel, and what it is of.

    Args:
        run: What the run is called; empty on the page of a run.
        instruction: What the policy was told; "all" for all instructions together.
        funnel: How far the episodes came.
    """

    run: str
    instruction: str
    funnel: Funnel

    @property
    def worst(self) -> str | None:
        """Say before which stage most episodes stopped; None where none did."""
        return _worst(self.funnel)

    @property
    def events(self) -> str | None:
        """Say what happened in how many episodes; None where nothing did."""
        return _events(self.funnel)


def format_funnel(summary: Summary) -> list[str]:
    """Return the mean progress and how many episodes reached each stage, in lines; none where there are no stages."""
    lines: list[str] = []
    for each in funnels_of(summary):
        funnel = each.funnel
        reached = ", ".join(f"{step.stage} {step.reached}" for step in funnel.steps)
        what = f"{each.instruction!r}: {funnel.progress:.0%}" if lines else f"Mean progress {funnel.progress:.0%}"
        told = f"{what} (95% interval {funnel.low:.0%} to {funnel.high:.0%}); of {funnel.episodes}: {reached}"
        lines.append("; ".join(part for part in ("  " * bool(lines) + told, each.worst, each.events) if part))
    return lines


def funnels_of(summary: Summary, run: str = "") -> list[NamedFunnel]:
    """Return the funnel of all episodes of a run, and where it has several instructions that of each."""
    if summary.funnel is None:
        return []
    several = len(summary.instructions) > 1
    whole = [NamedFunnel(run, "all" if several else summary.instruction, summary.funnel)]
    parts = [NamedFunnel(run, each.instruction, each.funnel) for each in summary.instructions if each.funnel]
    return whole + parts if several else whole


def funnels_of_runs(runs: Sequence[Run], names: Sequence[str]) -> list[NamedFunnel]:
    """Return those of several runs, under their names."""
    return [each for run, name in zip(runs, names, strict=True) for each in funnels_of(run.summary, name)]


def _worst(funnel: Funnel) -> str | None:
    worst = funnel.worst
    return None if worst is None else f"most fail before {worst.stage} ({worst.stopped})"


def _events(funnel: Funnel) -> str | None:
    return ", ".join(f"{event} in {count}" for event, count in funnel.events.items()) or None
