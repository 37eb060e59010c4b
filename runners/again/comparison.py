"""Whether episodes that were played again went as they did: how they ended, and the states bit for bit.

Both runs keep what the policy was told with each request, so that a playing again that was cut off and gone on with is
compared whole.

* ``Outcome``, ``StateDifference``, ``PlayedAgain``: what is found of an episode.
* ``compare_again``: finds it of all episodes of a run.
* ``write_comparison``: writes it into the run folder.
* ``format_comparison``: says it.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import numpy as np

from runners.again.kept_episodes import KeptEpisode, kept_episodes
from runners.again.played_run import PlayedRun
from runners.episodes.episode_log import read_rows
from runners.episodes.row import Ended, EpisodeRow, last_rows
from runners.utils.atomic_files import write_whole

__all__ = [
    "COMPARISON",
    "Outcome",
    "PlayedAgain",
    "StateDifference",
    "compare_again",
    "format_comparison",
    "write_comparison",
]

Array: TypeAlias = np.ndarray[Any, Any]

COMPARISON = "again.json"
FORMAT = 1
"""Version of ``again.json``."""

MOST_TOLD = 10


class Outcome(msgspec.Struct, frozen=True):
    """How an episode ended; the fields of its row."""

    ended: Ended
    steps: int
    success: bool | None

    @classmethod
    def of(cls, row: EpisodeRow) -> "Outcome":
        """Return that of a row."""
        return cls(row.ended, row.steps, row.success)


class StateDifference(msgspec.Struct, frozen=True):
    """Where the state was another for the first time.

    Args:
        request: Number of the request in its episode, from 0.
        control_step: The control step before which it was made, from 0.
        key: State key, the one that differs most.
        largest: The largest difference of its numbers, in their unit; None where one of them is no number, or where
            there are not as many.
    """

    request: int
    control_step: int
    key: str
    largest: float | None


class PlayedAgain(msgspec.Struct, frozen=True, kw_only=True):
    """How an episode went then, and when it was played again.

    Args:
        index, seed: Of the episode.
        attempt: Of the attempt that was played again.
        then, now: How it ended.
        requests: Requests at which states were compared: those that both made and kept; 0 where there is no state.
        difference: The first of them at which they differ; None where all are the same bit for bit.
    """

    index: int
    seed: int
    attempt: int
    then: Outcome
    now: Outcome
    requests: int
    difference: StateDifference | None

    @property
    def is_same(self) -> bool:
        """Whether it ended as it did, through the same states."""
        return self.then == self.now and self.difference is None


def compare_again(run: PlayedRun, folder: Path) -> list[PlayedAgain]:
    """Compare the episodes that have ended in a run folder with those that they play again.

    Args:
        run: The run that is played again.
        folder: The run folder of the playing again.

    Raises:
        KeptEpisodeError: What is kept of an episode cannot be read.
    """
    now = {row.index: row for row in last_rows(read_rows(folder / "episodes.jsonl")[0])}
    rows = [row for row in run.rows if row.index in now]
    kept_then = kept_episodes(run.folder, [(row.index, row.attempt) for row in rows])
    kept_now = kept_episodes(folder, [(row.index, now[row.index].attempt) for row in rows])
    found = []
    for row, before, after in zip(rows, kept_then, kept_now, strict=True):
        requests, difference = (0, None) if before is None or after is None else _first_difference(before, after)
        found.append(
            PlayedAgain(
                index=row.index,
                seed=row.seed,
                attempt=row.attempt,
                then=Outcome.of(row),
                now=Outcome.of(now[row.index]),
                requests=requests,
                difference=difference,
            )
        )
    return found


def write_comparison(path: Path, run: Path, found: Sequence[PlayedAgain]) -> None:
    """Write ``again.json``.

    Args:
        path: File to write.
        run: Folder of the run that was played again.
        found: Of each episode.
    """
    told = {"format": FORMAT, "run": str(run), "episodes": msgspec.to_builtins(found)}
    write_whole(path, json.dumps(told, indent=1) + "\n")


def format_comparison(found: Sequence[PlayedAgain]) -> list[str]:
    """Return the lines that tell how episodes went that were played again."""
    as_then = sum(each.then == each.now for each in found)
    compared = [each for each in found if each.requests]
    same = sum(each.difference is None for each in compared)
    lines = [
        f"Played again: {as_then} of {len(found)} ended as they did; the states of {same} of {len(compared)} were the "
        "same, bit for bit."
    ]
    different = [each for each in found if not each.is_same]
    for each in different[:MOST_TOLD]:
        line = f"  episode {each.index}: {_told(each.then)} then, {_told(each.now)} now"
        if (where := each.difference) is not None:
            by = "" if where.largest is None else f" by up to {where.largest:.3g}"
            line += f"; the state differs from control step {where.control_step} on (request {where.request}): "
            line += f"{where.key}{by}"
        lines.append(line)
    if len(different) > MOST_TOLD:
        lines.append(f"  and {len(different) - MOST_TOLD} more, in {COMPARISON}")
    return lines


def _told(outcome: Outcome) -> str:
    return f"{outcome.ended} after {outcome.steps} steps"


def _first_difference(then: KeptEpisode, now: KeptEpisode) -> tuple[int, StateDifference | None]:
    """Return at how many requests two playings of an episode can be compared, and where they differ first."""
    keys = then.states.keys() & now.states
    steps, *places = np.intersect1d(then.asked_at, now.asked_at, return_indices=True)
    if not keys:
        return 0, None
    for step, request, request_now in zip(steps.tolist(), *(place.tolist() for place in places), strict=True):
        pairs = {key: (then.states[key][request], now.states[key][request_now]) for key in keys}
        apart = {key: pair for key, pair in pairs.items() if pair[0].tobytes() != pair[1].tobytes()}
        if apart:
            gaps = {key: _gap(one, other) for key, (one, other) in sorted(apart.items())}
            key = max(gaps, key=lambda name: (np.isnan(gaps[name]), gaps[name]))
            largest = gaps[key] if np.isfinite(gaps[key]) else None
            return len(steps), StateDifference(request, step, key, largest)
    return len(steps), None


def _gap(one: Array, other: Array) -> float:
    """Return the largest difference of two states' numbers; NaN where they have not as many of them."""
    return float(np.abs(one.astype(float) - other).max()) if one.shape == other.shape else float("nan")
