"""Success over the checkpoints of a training, in words and for the pages.

* ``format_curve``: the lines at the terminal.
* ``shown_curve``: what the template ``curve.html`` shows.
"""

from dataclasses import dataclass

from runners.reports.text import format_rate
from runners.statistics.comparison import points as in_points
from runners.statistics.intervals import ALPHA
from runners.sweeps.learning_curves import LearningCurve
from runners.utils.tables import aligned
from runners.utils.terminal import one_line

__all__ = ["Dot", "ShownCurve", "format_curve", "shown_curve"]

MOST_STEPS = 8
"""Steps that are written below a curve: more stand in one another."""

MARGIN = 3.0
"""Of the field of a curve, on both sides, in which no dot lies."""


@dataclass(frozen=True)
class Dot:
    """A checkpoint on the field of 100 x 100 that a page stretches, and its line in the table.

    Args:
        step: Of the training.
        x: Where it is.
        y, low, high: Its success rate and the ends of the interval, from above.
        succeeded: How many of how many.
        rate: The success rate with its interval, in words.
        difference: How it differs from the one before, in words; empty for the first.
        p_value: Of that, by Holm; empty for the first.
        differs: Whether that is shown.
        has_label: Whether its step is written below the curve.
    """

    step: int
    x: float
    y: float
    low: float
    high: float
    succeeded: str
    rate: str
    difference: str
    p_value: str
    differs: bool
    has_label: bool


@dataclass(frozen=True)
class ShownCurve:
    """What a page shows of a curve.

    Args:
        title: What it is of.
        dots: Its checkpoints by step.
        line: The path through them; None of a single one.
        level_x: From where on none is shown to differ; None where that is from the first on, or from none.
        told: The same in words.
    """

    title: str
    dots: list[Dot]
    line: str | None
    level_x: float | None
    told: list[str]


def format_curve(curve: LearningCurve) -> list[str]:
    """Return a table of the checkpoints, and from which on no difference is shown, in lines."""
    shown = shown_curve(curve)
    head = ("step", "succeeded", "rate (95% interval)", "against the one before, points (95% interval)", "p (Holm)")
    lines = [(str(dot.step), dot.succeeded, dot.rate, dot.difference or "-", dot.p_value or "-") for dot in shown.dots]
    return [shown.title, *(f"  {line}" for line in aligned([head, *lines], right=(0,))), *shown.told]


def shown_curve(curve: LearningCurve) -> ShownCurve:
    """Return what a page shows of a curve."""
    steps = [point.step for point in curve.points]
    every = -(-len(steps) // MOST_STEPS)
    dots = []
    for number, point in enumerate(curve.points):
        summary = point.run.summary
        rate = summary.rate
        pair = curve.levelling.pairs.get((number - 1, number))
        dots.append(
            Dot(
                step=point.step,
                x=_x_of(point.step, steps),
                y=_from_above(rate.share),
                low=_from_above(rate.low),
                high=_from_above(rate.high),
                succeeded=f"{summary.successes} of {summary.counted - summary.errors}",
                rate=format_rate(rate, interval=""),
                difference="" if number == 0 else _format_pair(curve, number - 1, number),
                p_value="" if pair is None else f"{pair.p_value:.2g}",
                differs=pair is not None and pair.differs,
                has_label=(len(steps) - 1 - number) % every == 0,
            )
        )
    begin = curve.levelling.begin
    return ShownCurve(
        title=one_line(f"Success over the checkpoints in {curve.folder}", most=200)
        + (f", {one_line(curve.label, most=200)}" if curve.label else ""),
        dots=dots,
        line="M" + " L".join(f"{dot.x},{dot.y}" for dot in dots) if len(dots) > 1 else None,
        level_x=dots[begin].x if 0 < begin < len(dots) - 1 else None,
        told=_format_level(curve) if len(dots) > 1 else ["A single checkpoint has played: there is nothing to compare"],
    )


def _format_level(curve: LearningCurve) -> list[str]:
    """Say from which checkpoint on none is shown to differ, what that leaves open, and what the test knows not of."""
    levelling, points = curve.levelling, curve.points
    begin, last = levelling.begin, len(points) - 1
    test = (
        f"McNemar's exact test on the same starts, by Holm over {len(levelling.pairs)} pairs, at the level of "
        f"{ALPHA:.0%}"
    )
    if begin == last:
        lines = [
            f"Success has not levelled off: the last checkpoint, step {points[last].step}, is shown to differ from the "
            f"one before ({test})"
        ]
    else:
        whole = "No checkpoint" if begin == 0 else f"From step {points[begin].step} on, no checkpoint"
        lines = [
            f"{whole} is shown to differ from a later one ({test})",
            f"That is no proof that they are alike: from step {points[begin].step} to {points[last].step}, success "
            f"changed by {_format_pair(curve, begin, last)}, in points, with the 95% interval of this pair alone",
        ]
    rates = [point.run.summary.success_rate or 0.0 for point in points]
    best = rates.index(max(rates))
    if best < begin:
        lines.append(f"The highest rate was before that, {rates[best]:.0%} at step {points[best].step}")
    if missing := (last + 1) * last // 2 - len(levelling.pairs):
        lines.append(f"{missing} pairs are left out: they have no episode in common that both have judged")
    if any(point.run.summary.stop.ended_early for point in points):
        lines.append("Some were ended early by stop.ci_width, which the test does not know of: p is approximate")
    return lines


def _format_pair(curve: LearningCurve, earlier: int, later: int) -> str:
    pair = curve.levelling.pairs.get((earlier, later))
    if pair is None:
        return "nothing in common"
    low, high = pair.comparison.interval
    return f"{in_points(pair.comparison.difference)} ({in_points(low)} to {in_points(high)})"


def _x_of(step: int, steps: list[int]) -> float:
    """Return where a step is between the first and the last; a single one is in the middle."""
    first, last = steps[0], steps[-1]
    return 50.0 if first == last else round(MARGIN + (100 - 2 * MARGIN) * (step - first) / (last - first), 2)


def _from_above(share: float | None) -> float:
    return round(100 * (1 - (share or 0.0)), 2)
