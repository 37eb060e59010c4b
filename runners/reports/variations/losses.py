"""What each of several runs lost by its variations: the page of a suite, the largest loss first.

* ``Losses``, ``Loss``: what the template ``variations.html`` shows.
* ``losses_of``: makes them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runners.reports.variations.plots import Plot, curve_over_strengths
from runners.reports.variations.worst_draws import WorstDraw, worst_draws
from runners.run_folder.reader import Run
from runners.statistics.arms import Arms, PairedSuccess
from runners.statistics.intervals import ALPHA

__all__ = ["Loss", "Losses", "losses_of"]

TICK = 0.1
"""Edges of the dot plot lie at multiples of it."""


@dataclass(frozen=True)
class Loss:
    """What one run lost.

    Args:
        run: The run.
        name: What it is called.
        arms: Its figures.
        success: The varied arm beside its control.
        p_value: Of McNemar's test, by Holm's method for as many runs as there are.
        x, low, high: The difference and its interval on a field of 100.
        curve: Success over the strength, None without a grid.
    """

    run: Run
    name: str
    arms: Arms
    success: PairedSuccess
    p_value: float
    x: float
    low: float
    high: float
    curve: Plot | None


@dataclass(frozen=True)
class Losses:
    """What several runs lost.

    Args:
        suite: The suite that fixes what was varied, None where there is none, or several.
        items: The largest loss first.
        left, right: Differences at the edges of the dot plot.
        zero: Where no difference lies on it.
        worst: The worst draws of all of them.
    """

    suite: str | None
    items: Sequence[Loss]
    left: float
    right: float
    zero: float
    worst: Sequence[WorstDraw]


def losses_of(page: Path, runs: Sequence[Run], names: Sequence[str]) -> Losses | None:
    """Return what runs lost, of those that have pairs; None where none has.

    Args:
        page: Folder of the page.
        runs: In any order.
        names: What each is called.
    """
    paired = [
        (run, name, run.summary.arms, run.summary.arms.success)
        for run, name in zip(runs, names, strict=True)
        if run.summary.arms is not None and run.summary.arms.success is not None
    ]
    if not paired:
        return None
    from statsmodels.stats.multitest import multipletests  # noqa: PLC0415  # takes seconds to import

    left = math.floor(min(0.0, *(success.low for *_, success in paired)) / TICK) * TICK
    right = math.ceil(max(0.0, *(success.high for *_, success in paired)) / TICK) * TICK
    corrected = multipletests([success.p_value for *_, success in paired], alpha=ALPHA, method="holm")[1]

    def x_of(difference: float) -> float:
        return round(1 + 98 * (difference - left) / (right - left), 2)

    kinds = [" + ".join(arms.kinds) for _, _, arms, _ in paired]
    titles = [what if kinds.count(what) == 1 else name for what, (_, name, *_) in zip(kinds, paired, strict=True)]
    items = [
        Loss(
            run=run,
            name=title,
            arms=arms,
            success=success,
            p_value=float(p_value),
            x=x_of(success.difference),
            low=x_of(success.low),
            high=x_of(success.high),
            curve=curve_over_strengths(arms, title),
        )
        for (run, _, arms, success), title, p_value in zip(paired, titles, corrected, strict=True)
    ]
    suites = {run.settings.variation.suite for run, *_ in paired}
    return Losses(
        suite=next(iter(suites)) if len(suites) == 1 else None,
        items=sorted(items, key=lambda item: item.success.difference),
        left=left,
        right=right,
        zero=x_of(0.0),
        worst=worst_draws(page, [(item.name, item.run.folder, item.run.rows) for item in items]),
    )
