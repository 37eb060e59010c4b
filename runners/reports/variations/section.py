"""The part of a run's page that is about variations.

* ``VariationSection``: what the template ``variations.html`` shows.
* ``variation_section``: makes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runners.episodes.row import EpisodeRow, last_rows
from runners.reports.variations.plots import Plot, curve_over_strengths, plot_of
from runners.reports.variations.text import format_arms
from runners.reports.variations.worst_draws import WorstDraw, worst_draws
from runners.statistics.arms import Arms
from runners.statistics.sensitivity import Sensitivity, sensitivity
from runners.statistics.summary import Summary

__all__ = ["VariationSection", "variation_section"]


@dataclass(frozen=True)
class VariationSection:
    """What a page shows of a run's variations.

    Args:
        arms: Their figures.
        told: The same in words.
        curve: Success over the strength, None without a grid.
        sensitivity: Which of the drawn numbers matter, None where no varied episode was judged.
        plots: Success over each of them, of those of which there is one.
        worst: The worst draws.
    """

    arms: Arms
    told: Sequence[str]
    curve: Plot | None
    sensitivity: Sensitivity | None
    plots: Sequence[Plot]
    worst: Sequence[WorstDraw]


def variation_section(folder: Path, summary: Summary, rows: Sequence[EpisodeRow]) -> VariationSection | None:
    """Return what the page of a run shows of its variations; None where nothing was varied.

    Args:
        folder: Of the page, to which the videos of the rows are relative.
        summary: Of the run.
        rows: All of its rows.
    """
    if summary.arms is None:
        return None
    found = sensitivity(summary.may_count(rows))
    plots = [plot_of(parameter) for parameter in found.parameters] if found else []
    return VariationSection(
        arms=summary.arms,
        told=format_arms(summary),
        curve=curve_over_strengths(summary.arms, "Success over the strength of the variations"),
        sensitivity=found,
        plots=[plot for plot in plots if plot is not None],
        worst=worst_draws(folder, [("", folder, last_rows(rows))]),
    )
