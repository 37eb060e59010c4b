"""Whether an episode's rows are what the metadata says, in order, and numbers that can be learned from."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from runners.datasets.checks.problem import Problem
from runners.datasets.layouts import Layout
from runners.datasets.layouts.layout import Rows
from runners.datasets.reading import RECORD_ANEW, DatasetError
from runners.datasets.schema import RecordedEpisode

__all__ = ["RowsOf", "check_columns"]

Columns = dict[str, np.ndarray[Any, Any]]

TIME_TOLERANCE_S = 1e-4
"""By how much LeRobot lets a timestamp differ from its row's, and GR00T's loader with it."""

SAME_COLUMNS = "Columns and features of meta/info.json are the same."
RENUMBER = "Number the rows anew, or record the episode again."

ROW_COLUMNS = ("frame_index", "episode_index", "index", "task_index", "timestamp", "next.done")

Tell: TypeAlias = Callable[..., None]


@dataclass(frozen=True)
class RowsOf:
    """Whose rows are looked at.

    Args:
        episode: What the metadata says of it.
        first: Rows of all episodes before it.
        learned: Columns that the training reads which the data set is for; what is wrong with others is untidy.
    """

    episode: RecordedEpisode
    first: int
    learned: Collection[str]


def check_columns(rows: Rows, layout: Layout, tasks: Mapping[int, str], of: RowsOf) -> tuple[list[Problem], Columns]:
    """Check the rows of an episode.

    Args:
        rows: Its rows.
        layout: Of the data set, which says what the columns should be.
        tasks: Instruction by index.
        of: Whose rows they are.

    Returns:
        What is wrong, and the columns of numbers that are what they should be; none where there are more or fewer rows.
    """
    problems: list[Problem] = []
    info = layout.info

    def tell(what: str, remedy: str = RECORD_ANEW, *, untidy: bool = False) -> None:
        problems.append(Problem(rows.file, what, remedy, untidy))

    if rows.count != of.episode.length:
        tell(f"has {rows.count} rows, but {layout.episodes_file} says {of.episode.length}")
        return problems, {}
    features = {name: feature for name, feature in info.features.items() if feature.dtype != "video"}
    for name in sorted(set(features) ^ set(rows.names)):
        there = "a column of no feature" if name in rows.names else "no column of the feature"
        tell(f"has {there} {name}", SAME_COLUMNS, untidy=name not in of.learned)
    columns: Columns = {}
    for name, feature in features.items():
        if name not in rows.names or not feature.is_numbers:
            continue
        try:
            dtype, width = rows.kind(name)
            if dtype != feature.dtype or width != feature.width:
                told = f"{name} is {dtype} of {width}, but meta/info.json says {feature.dtype} of {feature.width}"
                tell(told, SAME_COLUMNS, untidy=name not in of.learned or width == feature.width)
            if width == feature.width:
                columns[name] = rows.column(name)
        except DatasetError as error:
            problems.append(Problem.of(error, untidy=name not in of.learned))
            continue
        unfit = ~np.isfinite(columns[name].reshape(rows.count, -1)) if name in columns else np.zeros((0, 0))
        if unfit.any():
            row, number = np.unravel_index(np.argmax(unfit), unfit.shape)
            tell(
                f"{name} holds NaN or infinity {np.count_nonzero(unfit)} times, first in row {row}, number {number}",
                untidy=name not in of.learned,
            )
            del columns[name]
    singles = _singles(columns, tell, rows.count)
    _check_order(singles, tell, layout, of)
    _check_tasks(singles, tell, layout, of, tasks)
    return problems, columns


def _singles(columns: Columns, tell: Tell, count: int) -> Columns:
    """Return the columns of one number a row that say something of the row, (rows,)."""
    singles = {}
    for name, values in columns.items():
        if name in ROW_COLUMNS or (name.startswith("annotation.") and values.dtype == np.int64):
            if values.size != count:
                tell(f"{name} holds {values.size} numbers in {count} rows, but one in each comes there", RENUMBER)
            else:
                singles[name] = values.ravel()
    return singles


def _check_order(columns: Columns, tell: Tell, layout: Layout, of: RowsOf) -> None:
    """Check the columns that say which row this is. Where all are shifted alike, the rows are in order all the same."""
    count, fps = len(next(iter(columns.values()), ())), layout.info.fps
    numbers = np.arange(count)
    expected = {"frame_index": numbers, "episode_index": np.full(count, of.episode.index), "index": of.first + numbers}
    for name, right in expected.items():
        if name in columns and not np.array_equal(columns[name], right):
            off = columns[name] - right
            row = int(np.argmax(off != 0))
            told = f"{name} is {columns[name][row]} in row {row}, but {right[row]} comes there"
            # LeRobot finds an episode's rows by these numbers, GR00T by the file that they are in.
            tell(told, RENUMBER, untidy=bool((off == off[0]).all()) and not layout.info.has_shared_files)
    if "timestamp" in columns:
        late = np.abs(columns["timestamp"] - numbers / fps) > TIME_TOLERANCE_S
        if late.any():
            row = int(np.argmax(late))
            tell(
                f"timestamp is {columns['timestamp'][row]:.4f} s in row {row}, but {row / fps:.4f} s comes there at "
                f"{fps:g} frames a second",
                RENUMBER,
            )
    if "next.done" in columns:
        done = np.flatnonzero(columns["next.done"])
        if list(done) != [count - 1]:
            rows = list(map(int, done[:20]))
            told = f"next.done is true in the rows {rows!r:.60}, but only the last one ends the episode"
            tell(
                told,
                f"{layout.info.trainer} does not look at it. Write it anew, or record the episode again.",
                untidy=not (done < count - 1).any(),
            )


def _check_tasks(columns: Columns, tell: Tell, layout: Layout, of: RowsOf, tasks: Mapping[int, str]) -> None:
    """Check the columns that hold indices of tasks."""
    for name, values in columns.items():
        if name != "task_index" and not name.startswith("annotation."):
            continue
        found = np.unique(values).tolist()
        if unknown := [index for index in found if index not in tasks]:
            told = f"{name} is {unknown[0]}, which {layout.tasks_file} has no task of"
            tell(told, "Add the task, or record again.")
        elif name == "task_index" and (other := [i for i in found if tasks[i] not in of.episode.tasks]):
            tell(
                f"{name} is {other[0]}, {tasks[other[0]]!r:.80}, but {layout.episodes_file} says "
                f"{of.episode.tasks!r:.120}",
                "One of the two is wrong.",
            )
