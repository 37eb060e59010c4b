"""The ways in which episodes fail, in plain words, the commonest first.

* ``WayToFail``: one of them.
* ``ways_to_fail``: finds them.
* ``name_of``: what it is called.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from runners.episodes.row import EpisodeRow

__all__ = ["WayToFail", "name_of", "ways_to_fail"]

ENDED = {"failure": "failed", "time_out": "timed out"}

LONGEST = 200
"""Characters of an error that name a way to fail."""

NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class WayToFail:
    """A way in which some episodes failed.

    Args:
        name: In plain words.
        rows: The episodes, in the order in which they came.
    """

    name: str
    rows: Sequence[EpisodeRow]

    @property
    def example(self) -> EpisodeRow:
        """The first of them that has a video, else the first."""
        return next((row for row in self.rows if row.video), self.rows[0])


def ways_to_fail(rows: Sequence[EpisodeRow]) -> list[WayToFail]:
    """Return the ways in which episodes failed, the commonest first.

    Episodes fail alike that ended alike, went through the same stages and had the same event first; those that ended in
    an error, with the same error but for its numbers, which may be of an env or of a moment.

    Args:
        rows: Episodes without success.
    """
    alike: dict[str, list[EpisodeRow]] = {}
    for row in rows:
        alike.setdefault(NUMBER.sub("0", name_of(row)), []).append(row)
    ways = [WayToFail(name_of(its[0]), its) for its in alike.values()]
    return sorted(ways, key=lambda way: -len(way.rows))


def name_of(row: EpisodeRow) -> str:
    """Say how an episode failed: "never grasped (timed out)", "dropped after lifted (failed)".

    Without stages it is how it ended alone; of an error, its first line.
    """
    if row.ended == "error":
        first_line = (row.error or "").strip().partition("\n")[0]
        return f"error: {first_line[:LONGEST]}" if first_line else "error"
    ended = ENDED[row.ended]
    if row.stages is None:
        return ended
    told = []
    if row.events:
        event, at = min(row.events.items(), key=lambda each: each[1])
        passed = [stage for stage, step in row.stages.items() if step <= at]
        told.append(f"{_plain(event)} after {_plain(passed[-1])}" if passed else f"{_plain(event)} at first")
    if row.missed is not None:
        told.append(f"never {_plain(row.missed)}")
    return f"{', '.join(told) or 'through all stages, without success'} ({ended})"


def _plain(name: str) -> str:
    return name.replace("_", " ")
