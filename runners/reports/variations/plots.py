"""Plots of success rates over numbers, on a field of 100 x 100 as the pages draw them.

* ``Plot``: what the template ``variations.html`` draws.
* ``curve_over_strengths``: success over the strength of a run's variations.
* ``plot_of``: success over one parameter.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from runners.statistics.arms import Arms
from runners.statistics.sensitivity import Parameter

__all__ = ["Plot", "curve_over_strengths", "plot_of"]


@dataclass(frozen=True)
class Plot:
    """Success rates over a number, as SVG writes paths.

    Args:
        title: What it is of.
        told: The same that it shows, in words.
        first, last: The number at the left and right edge, in words.
        points: Measured rates.
        ranges: Their 95% intervals.
        line: Through the points, or expected by a model; empty where there is none.
        band: The line's 95% interval; empty likewise.
        mark: Where a number of interest lies across; None where none is.
    """

    title: str
    told: str
    first: str
    last: str
    points: str
    ranges: str
    line: str = ""
    band: str = ""
    mark: float | None = None


def curve_over_strengths(arms: Arms, title: str) -> Plot | None:
    """Return success over the strength, with where half of it is lost; None where there are but two strengths."""
    judged = [
        (arm.strength, arm.success_rate, arm.ci_low, arm.ci_high)
        for arm in arms.outcomes
        if arm.success_rate is not None and arm.ci_low is not None and arm.ci_high is not None
    ]
    if len(arms.outcomes) < 3 or len(judged) < 2:
        return None
    first, last = arms.outcomes[0].strength, arms.outcomes[-1].strength
    field = _Field(first, last)
    lost = None if arms.half_loss is None else arms.half_loss.strength
    return Plot(
        title=title,
        told="; ".join(f"{share:.0%} at {strength:g}" for strength, share, _, _ in judged),
        first=f"{first:g}",
        last=f"{last:g}",
        points=" ".join(f"M{field.at(strength, share)} h0" for strength, share, _, _ in judged),
        ranges=" ".join(f"M{field.at(x, low)} L{field.at(x, high)}" for x, _, low, high in judged),
        line=field.path([(strength, share) for strength, share, _, _ in judged]),
        mark=None if lost is None else field.x(lost),
    )


def plot_of(parameter: Parameter) -> Plot | None:
    """Return success over one parameter; None where there are too few episodes for any of it."""
    bins, curve = parameter.bins, parameter.curve
    if not bins:
        return None
    values = [each.value for each in bins] if curve is None else curve.values.tolist()
    field = _Field(values[0], values[-1])
    return Plot(
        title=parameter.name,
        told="; ".join(f"{each.share:.0%} of {each.episodes} around {each.value:.3g}" for each in bins),
        first=f"{values[0]:.3g}",
        last=f"{values[-1]:.3g}",
        points=" ".join(f"M{field.at(each.value, each.share)} h0" for each in bins),
        ranges=" ".join(f"M{field.at(each.value, each.low)} L{field.at(each.value, each.high)}" for each in bins),
        line="" if curve is None else field.path(list(zip(values, curve.rate, strict=True))),
        band=""
        if curve is None
        else field.path([*zip(values, curve.low, strict=True), *reversed(list(zip(values, curve.high, strict=True)))])
        + " Z",
    )


@dataclass(frozen=True)
class _Field:
    """Where numbers and rates lie on the field.

    Args:
        first, last: The numbers at its edges.
    """

    first: float
    last: float

    def x(self, value: float) -> float:
        """Return how far to the right a number lies, a little off the edges, where a point would be cut."""
        return round(2 + 96 * (value - self.first) / (self.last - self.first), 2)

    def at(self, value: float, share: float) -> str:
        """Return the place of a rate."""
        return f"{self.x(value):g},{round(98 - 96 * share, 2):g}"

    def path(self, places: Sequence[tuple[float, float]]) -> str:
        """Return a line through rates."""
        return "M" + " L".join(self.at(value, share) for value, share in places)
