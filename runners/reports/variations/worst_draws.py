"""The worst draws: varied episodes that failed where their controls did not, before those whose controls failed too.

* ``WorstDraw``: what the template ``variations.html`` shows of one.
* ``worst_draws``: chooses them, of one run or of several.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from runners.episodes.row import EpisodeRow
from runners.reports.posters import poster_of

__all__ = ["MOST_WORST", "WorstDraw", "worst_draws"]

MOST_WORST = 10


@dataclass(frozen=True)
class WorstDraw:
    """A varied episode that failed.

    Args:
        run: What its run is called; empty on the page of a run.
        row: How it ended.
        control: How its control did; None where there is none.
        draws: What was drawn, in words.
        videos: Of the varied episode, and of the control: what it is of, its address, and its last frame.
    """

    run: str
    row: EpisodeRow
    control: EpisodeRow | None
    draws: str
    videos: Sequence[tuple[str, str, str | None]]


def worst_draws(page: Path, runs: Iterable[tuple[str, Path, Sequence[EpisodeRow]]]) -> list[WorstDraw]:
    """Return the worst draws.

    One is worse whose control succeeded; then by how much further that came; then which was varied less.

    Args:
        page: Folder of the page that shows them.
        runs: Of each run what it is called, the folder to which the videos of its rows are relative, and its last row
            of each episode.
    """
    found = []
    for name, folder, rows in runs:
        controls = {row.pair: row for row in rows if row.arm == "control"}
        found += [
            (name, folder, row, controls.get(row.pair)) for row in rows if row.arm == "varied" and row.success is False
        ]
    worst = sorted(found, key=lambda each: _order(each[2], each[3]))[:MOST_WORST]
    return [
        WorstDraw(
            run=name,
            row=row,
            control=control,
            draws=_format_draws(row),
            videos=[
                (what, os.path.relpath(folder / each.video, page), poster_of(folder / each.video))
                for what, each in (("varied", row), ("control", control))
                if each is not None and each.video
            ],
        )
        for name, folder, row, control in worst
    ]


def _order(row: EpisodeRow, control: EpisodeRow | None) -> tuple[bool, float, float, int]:
    further = (control.progress or 0.0) - (row.progress or 0.0) if control is not None else 0.0
    return not (control is not None and control.success), -further, row.strength or 0.0, row.index


def _format_draws(row: EpisodeRow) -> str:
    return "; ".join(
        f"{kind}: {', '.join(f'{name} {number:.3g}' for name, number in draw.items())}"
        for kind, draw in (row.variation or {}).items()
    )
