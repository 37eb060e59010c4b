"""Whether an episode's rows are what the metadata says, in order, and numbers that can be learned from."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from runners.datasets.checks.problem import Problem
from runners.datasets.metadata import Info, RecordedEpisode
from runners.datasets.reading import RECORD_ANEW, DatasetError, column

__all__ = ["RowsOf", "check_columns", "check_limits"]

Columns = dict[str, np.ndarray[Any, Any]]

TIME_TOLERANCE_S = 1e-4
"""By how much LeRobot lets a timestamp differ from its row's, and GR00T's loader with it."""

FAR = 10.0
"""A number that is so many widths outside of where most episodes keep is a slip, or has other units."""

RENUMBER = "Number the rows anew, or record the episode again."


@dataclass(frozen=True)
class RowsOf:
    """Whose rows are looked at.

    Args:
        episode: What the metadata says of it.
        first: Rows of all episodes before it.
    """

    episode: RecordedEpisode
    first: int


def check_columns(
    rows: pa.Table, file: Path, info: Info, tasks: Mapping[int, str], of: RowsOf
) -> tuple[list[Problem], Columns]:
    """Check the rows of an episode.

    Args:
        rows: All columns.
        file: Where they come from.
        info: What the columns should be.
        tasks: Instruction by index.
        of: Whose rows they are.

    Returns:
        What is wrong, and the columns of numbers that are what they should be.
    """
    problems: list[Problem] = []

    def tell(what: str, remedy: str = RECORD_ANEW) -> None:
        problems.append(Problem(file, what, remedy))

    episode = of.episode
    if rows.num_rows != episode.length:
        tell(f"has {rows.num_rows} rows, but meta/episodes.jsonl says {episode.length}")
    features = {name: feature for name, feature in info.features.items() if feature["dtype"] != "video"}
    for name in sorted(set(features) ^ set(rows.column_names)):
        there = "a column of no feature" if name in rows.column_names else "no column of the feature"
        tell(f"has {there} {name}", "Columns and features of meta/info.json are the same.")
    columns: Columns = {}
    for name, feature in features.items():
        if name not in rows.column_names or feature["dtype"] in ("string", "image"):
            continue
        try:
            values = column(rows, name, file)
        except DatasetError as error:
            problems.append(Problem.of(error))
            continue
        width = math.prod(feature["shape"])
        if str(values.dtype) != feature["dtype"] or math.prod(values.shape[1:]) != width:
            tell(
                f"{name} is {values.dtype} of {math.prod(values.shape[1:])}, but meta/info.json says "
                f"{feature['dtype']} of {width}"
            )
            continue
        unfit = np.argwhere(~np.isfinite(values.reshape(len(values), -1)))
        if len(unfit):
            row, number = unfit[0]
            tell(f"{name} holds NaN or infinity {len(unfit)} times, first in row {row}, number {number}")
            continue
        columns[name] = values
    _check_order(columns, tell, info.fps, of)
    _check_tasks(columns, tell, info, episode, tasks)
    return problems, columns


def _check_order(columns: Columns, tell: Callable[[str, str], None], fps: float, of: RowsOf) -> None:
    """Check the columns that say which row this is."""
    count = len(next(iter(columns.values()), ()))
    numbers = np.arange(count)
    expected = {"frame_index": numbers, "episode_index": np.full(count, of.episode.index), "index": of.first + numbers}
    for name, right in expected.items():
        if name in columns and not np.array_equal(columns[name].ravel(), right):
            row = int(np.argmax(columns[name].ravel() != right))
            tell(f"{name} is {columns[name].ravel()[row]} in row {row}, but {right[row]} comes there", RENUMBER)
    if "timestamp" in columns:
        off = np.abs(columns["timestamp"].ravel() - numbers / fps)
        if count and off.max() > TIME_TOLERANCE_S:
            row = int(np.argmax(off > TIME_TOLERANCE_S))
            tell(
                f"timestamp is {columns['timestamp'].ravel()[row]:.4f} s in row {row}, but {row / fps:.4f} s "
                f"comes there at {fps:g} frames a second",
                RENUMBER,
            )
    if "next.done" in columns:
        done = np.flatnonzero(columns["next.done"])
        if list(done) != [count - 1]:
            tell(
                f"next.done is true in the rows {list(map(int, done))!r:.60}, but only the last one ends the episode",
                RECORD_ANEW,
            )


def _check_tasks(
    columns: Columns, tell: Callable[[str, str], None], info: Info, episode: RecordedEpisode, tasks: Mapping[int, str]
) -> None:
    """Check the columns that hold indices of tasks."""
    for name in columns:
        if name == "task_index" or (name.startswith("annotation.") and info.features[name]["dtype"] == "int64"):
            for index in np.unique(columns[name]).tolist():
                if index not in tasks:
                    tell(f"{name} is {index}, which meta/tasks.jsonl has no task of", "Add the task, or record again.")
                elif name == "task_index" and tasks[index] not in episode.tasks:
                    tell(
                        f"{name} is {index}, {tasks[index]!r:.80}, but meta/episodes.jsonl says {episode.tasks!r:.120}",
                        "One of the two is wrong.",
                    )


def check_limits(info: Info, actions: Mapping[int, np.ndarray[Any, Any]]) -> list[Problem]:
    """Name the episodes whose actions go far from those of the others: the limits of the robot are not in the data set.

    Args:
        info: ``meta/info.json``.
        actions: Action by episode, (rows, D).
    """
    if not actions:
        return []
    lowest = np.stack([values.min(axis=0) for values in actions.values()])
    highest = np.stack([values.max(axis=0) for values in actions.values()])
    low, high = np.quantile(lowest, 0.25, axis=0), np.quantile(highest, 0.75, axis=0)
    room = FAR * np.maximum(high - low, 1e-3)
    problems = []
    for episode, values in actions.items():
        outside = np.argwhere((values < low - room) | (values > high + room))
        if len(outside):
            row, number = outside[0]
            problems.append(
                Problem(
                    info.rows_file(episode),
                    f"number {number} of action is {values[row, number]:.4g} in row {row}, and {len(outside)} such, "
                    f"far outside [{low[number]:.4g}, {high[number]:.4g}], within which most episodes keep",
                    "Look at the episode; if its numbers have other units or a slip, leave it out or record it again.",
                )
            )
    return problems
