"""Lines over control steps, drawn on a field of 100 x 100 that a page stretches; what surrounds it is the page's text.

* ``Drawing``, ``Line``, ``Mark``: what the template ``drawings.html`` shows.
* ``draw``: makes one.
* ``draw_distance``: how far from success an episode was, after each control step.
* ``draw_last_chunk``: what was predicted last, the part of it that was played, and the state beside it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from runners.again.kept_episodes import KeptEpisode
from runners.episodes.row import EpisodeRow

__all__ = ["Drawing", "KeyDrawings", "Line", "Mark", "draw", "draw_distance", "draw_last_chunk"]

Array: TypeAlias = np.ndarray[Any, Any]

Kind = Literal["distance", "predicted", "played", "state"]

MOST_POINTS = 150
"""Of a line: more show nothing more in a card."""

MOST_PANELS = 18
"""Numbers of the last chunk that are drawn, over all keys."""

LEAST_OF_SPAN, LEAST_OF_SIZE = 0.05, 0.01
"""How high the field of a number of a chunk is at the least, as a share of how far the one of its key moves that moves
most, and of the largest: what hardly moves is drawn as a line that hardly moves."""

FLAT = 1e-6
"""Of numbers that are all the same, the height of their field, or its share of numbers larger than 1."""

MOST_DIGITS, TOO_LONG = 6, 1e6
"""Digits behind the point, and numbers that are written with an exponent."""


@dataclass(frozen=True)
class Series:
    """Numbers over control steps.

    Args:
        kind: What they are.
        steps: (points,), the control step of each.
        values: float (points,); where one is no finite number, there is a gap.
    """

    kind: Kind
    steps: Array
    values: Array


@dataclass(frozen=True)
class Line:
    """A line on the field.

    Args:
        kind: What it is of.
        path: As SVG writes it.
    """

    kind: Kind
    path: str


@dataclass(frozen=True)
class Mark:
    """A moment.

    Args:
        kind: ``stage``, ``event``, or ``request``.
        name: What happened, in words.
        step: The control step.
        x: Where it is on the field.
    """

    kind: Literal["stage", "event", "request"]
    name: str
    step: int
    x: float = 0.0


@dataclass(frozen=True)
class Drawing:
    """Lines on one field.

    Args:
        title: What they are of.
        told: The same that they show, in words.
        first, last: Control steps at its left and right edge.
        low, high: Numbers at its lower and upper edge.
        lines: In the order in which they are drawn.
        marks: Moments among them.
    """

    title: str
    told: str
    first: int
    last: int
    low: float
    high: float
    lines: Sequence[Line]
    marks: Sequence[Mark]

    @property
    def edges(self) -> tuple[str, str]:
        """Its low and its high in words, with as many digits as tell them apart."""
        digits = min(MOST_DIGITS, max(0, 1 - math.floor(math.log10(self.high - self.low))))
        low, high = (
            f"{value:.3g}" if abs(value) >= TOO_LONG else f"{value:.{digits}f}" for value in (self.low, self.high)
        )
        return low, high


@dataclass(frozen=True)
class KeyDrawings:
    """The last chunk of one action key, a drawing a number.

    Args:
        key: The action key.
        width: How many numbers it has; more than are drawn, where those that move most are.
        has_state: Whether the state of the same name is among the lines.
        drawings: Which number to its drawing, in order.
    """

    key: str
    width: int
    has_state: bool
    drawings: Mapping[int, Drawing]


def draw(
    title: str,
    told: str,
    series: Sequence[Series],
    *,
    marks: Sequence[Mark] = (),
    from_zero: bool = False,
    least_span: float = 0.0,
) -> Drawing | None:
    """Draw numbers over control steps.

    Args:
        title: What they are of.
        told: The same that they show, in words.
        series: In the order in which they are drawn.
        marks: Moments to mark, by their steps.
        from_zero: Whether 0 is at the lower edge, for numbers of which none is negative.
        least_span: How high the field is at the least, in the unit of the numbers.

    Returns:
        None where no number is finite.
    """
    steps, finite = np.concatenate([each.steps for each in series]), _finite(series)
    if not len(finite):
        return None
    first, last = int(steps.min()), int(steps.max())
    low, high = (0.0 if from_zero else float(finite.min())), float(finite.max())
    missing = max(least_span, FLAT * max(1.0, abs(low), abs(high))) - (high - low)
    if missing > 0:
        low, high = (low, high + missing) if from_zero else (low - missing / 2, high + missing / 2)
    wide = max(last - first, 1)

    def x_of(step: float) -> float:
        return round(100 * (step - first) / wide, 2)

    def y_of(value: float) -> float:
        return round(100 - 100 * (value - low) / (high - low), 2)

    def path_of(each: Series) -> str:
        thinned = _thinned(len(each.steps))
        path, goes_on = [], False
        for step, value in zip(each.steps[thinned].tolist(), each.values[thinned].astype(float).tolist(), strict=True):
            if np.isfinite(value):
                command, dot = ("L", "") if goes_on else ("M", " h0" if each.kind == "state" else "")
                path.append(f"{command}{x_of(step):g},{y_of(value):g}{dot}")
            goes_on = bool(np.isfinite(value)) and each.kind != "state"  # which is known at its points alone
        return " ".join(path)

    return Drawing(
        title=title,
        told=told,
        first=first,
        last=last,
        low=low,
        high=high,
        lines=[Line(each.kind, path) for each in series if (path := path_of(each))],
        marks=[Mark(mark.kind, mark.name, mark.step, x_of(mark.step)) for mark in marks if first <= mark.step <= last],
    )


def draw_distance(kept: KeptEpisode, row: EpisodeRow) -> Drawing | None:
    """Draw the distance to success after each control step, with the stages and events of the episode.

    Args:
        kept: What is kept of it.
        row: How it ended.

    Returns:
        None where its env tells none, or it has played no step.
    """
    distance = kept.distance
    if distance is None or not np.isfinite(distance).any():
        return None
    least = int(np.nanargmin(distance))
    told = (
        f"{distance[0]:.3g} after the first control step, {distance[least]:.3g} at the least, after step {least + 1}, "
        f"{distance[-1]:.3g} at the end, after step {len(distance)}"
    )
    marks = [Mark("stage", name, step) for name, step in (row.stages or {}).items()]
    marks += [Mark("event", name, step) for name, step in (row.events or {}).items()]
    series = [Series("distance", np.arange(1, len(distance) + 1), distance)]
    return draw("Distance to success", told, series, marks=marks, from_zero=True)


def draw_last_chunk(kept: KeptEpisode, relative: Sequence[str] = ()) -> list[KeyDrawings]:
    """Draw the last chunk of an episode: what was predicted, what of it and before it was played, and the state.

    The state is drawn beside an action key of the same name and width, as it was told with each request.

    Args:
        kept: What is kept of the episode.
        relative: Action keys whose numbers are relative to a state, which cannot be compared with it.

    Returns:
        A group for each key; none where the episode has no chunk.
    """
    chunks = {
        key: chunk
        for key, chunk in kept.last_chunk.items()
        if key in kept.action and chunk.shape[1] == kept.action[key].shape[1] and chunk.size and len(kept.beats)
    }
    most = max(1, MOST_PANELS // max(1, len(chunks)))
    groups = []
    for key, chunk in list(chunks.items())[:MOST_PANELS]:
        states = kept.states.get(key)
        comparable = states is not None and key not in relative and states.shape[1] == chunk.shape[1]
        numbers = {
            number: _series_of(kept, key, number, states if comparable else None) for number in range(chunk.shape[1])
        }
        finite = {number: each for number, series in numbers.items() if len(each := _finite(series))}
        if not finite:
            continue
        spans = {number: float(np.ptp(each)) for number, each in finite.items()}
        largest = max(float(np.abs(each).max()) for each in finite.values())
        least_span = max(LEAST_OF_SPAN * max(spans.values()), LEAST_OF_SIZE * largest)
        moving = sorted(spans, key=lambda number: -spans[number])[:most]
        drawings = {
            number: drawing
            for number in sorted(moving)
            if (drawing := _draw_number(kept, key, number, numbers[number], least_span)) is not None
        }
        groups.append(KeyDrawings(key, chunk.shape[1], comparable, drawings))
    return groups


def _series_of(kept: KeptEpisode, key: str, number: int, states: Array | None) -> list[Series]:
    """Return one number of a key, from as long before the last request as its chunk reaches beyond it."""
    chunk, action = kept.last_chunk[key][:, number], kept.action[key][:, number]
    asked = int(kept.asked_at[-1])
    begin = max(0, asked - len(chunk))
    series = [
        Series("predicted", asked + np.arange(len(chunk)), chunk),
        Series("played", np.arange(begin, kept.steps), action[begin:]),
    ]
    if states is not None:
        recent = kept.asked_at >= begin
        series.append(Series("state", kept.asked_at[recent], states[recent, number]))
    return series


def _finite(series: Sequence[Series]) -> Array:
    """Return all numbers that are finite, float64 (points,)."""
    values = np.concatenate([each.values for each in series]).astype(float)
    finite: Array = values[np.isfinite(values)]
    return finite


def _draw_number(
    kept: KeptEpisode, key: str, number: int, series: Sequence[Series], least_span: float
) -> Drawing | None:
    asked = int(kept.asked_at[-1])
    told = []
    for each in series:
        ends = "no number in part" if not np.isfinite(each.values).all() else _format_ends(each.values)
        told.append(f"{each.kind} {ends}")
    marks = [Mark("request", "asked", asked)]
    return draw(f"{key} {number}", "; ".join(told), series, marks=marks, least_span=least_span)


def _format_ends(values: Array) -> str:
    return f"{values[0]:.3g} to {values[-1]:.3g}" if len(values) else "nowhere"


def _thinned(points: int) -> list[int]:
    """Return the indices of at most about ``MOST_POINTS`` points of a line, the last one among them."""
    step = -(-points // MOST_POINTS) or 1
    return sorted({*range(0, points, step), *([points - 1] if points else [])})
