"""Whether ``meta/stats.json`` and ``meta/episodes_stats.jsonl`` are those of the rows: trainings scale by the first."""

import shlex
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from runners.datasets.checks.problem import Problem
from runners.datasets.layouts import Layout
from runners.datasets.paths import EPISODES_STATS, STATS
from runners.datasets.reading import DatasetError, read_json, read_lines
from runners.datasets.schema import EpisodeStatistics
from runners.datasets.statistics import ColumnStatistics, episode_statistics

__all__ = ["check_statistics", "episodes_statistics", "is_of_rows"]

TOLERANCE = {"min": 1e-6, "max": 1e-6, "mean": 5e-3, "std": 5e-3, "q01": 2e-2, "q99": 2e-2}
"""Largest difference, as a share of the number's range: of a large data set, a part is enough for the last four."""

OF_LEROBOT = {"min", "max", "mean", "std"}
"""What LeRobot's statistics of a v3.0 data set are compared in: its quantiles are means of those of the episodes."""

_BY_GROOT = (
    "GR00T's fine-tuning writes it before it begins; its replay server and its evaluation do not. From a checkout "
    "of Isaac-GR00T: python gr00t/data/stats.py --dataset-path {} --embodiment-tag NEW_EMBODIMENT"
)
_BY_LEROBOT = (
    "LeRobot writes it into a copy: lerobot-edit-dataset --repo_id local/data --root {} --new_repo_id local/data "
    "--new_root NEW_FOLDER --operation.type recompute_stats"
)

ONLY_LEROBOT = "GR00T does not look at it, only LeRobot does. Write the statistics that the rows have."


def check_statistics(layout: Layout, statistics: ColumnStatistics, scaled: Collection[str]) -> list[Problem]:
    """Compare ``meta/stats.json`` with what the rows say.

    Args:
        layout: The data set.
        statistics: Of its rows.
        scaled: Columns that are scaled by what the file says of them.
    """
    lerobots = layout.info.has_shared_files
    kinds = OF_LEROBOT if lerobots else set(TOLERANCE)
    compute = (_BY_LEROBOT if lerobots else _BY_GROOT).format(shlex.quote(str(layout.folder.absolute())))
    if not (layout.folder / STATS).exists():
        return [Problem(STATS, "is missing", compute, untidy=not lerobots)]
    anew = (
        f"{layout.info.trainer} scales by it, and does not compute anew what is there. Put the file aside (mv), and "
        "compute it anew."
    )
    try:
        written = read_json(layout.folder, STATS, dict[str, Any], f"{anew} {compute}")
    except DatasetError as error:
        return [Problem.of(error)]
    problems = []
    for name, right in statistics.to_json().items():
        told = {kind: numbers for kind, numbers in _mapping(written.get(name)).items() if kind in kinds}
        missing = [kind for kind in TOLERANCE if kind in kinds and kind not in told]
        if missing and name in scaled:
            what = f"has nothing on {name}" if len(missing) == len(kinds) else f"{name} lacks {', '.join(missing)}"
            problems.append(Problem(STATS, what, compute, untidy=not lerobots))
        differences = _differences(name, told, right) if statistics.is_whole(name) else ()
        problems += [Problem(STATS, what, f"{anew} {compute}", untidy=name not in scaled) for what in differences]
    return problems


def episodes_statistics(folder: Path, version: str | None) -> tuple[dict[int, Mapping[str, Any]] | None, list[Problem]]:
    """Return the statistics that ``meta/episodes_stats.jsonl`` has, by episode, and what is wrong with the file.

    Args:
        folder: The data set.
        version: Its version; v2.0 knows no such file.
    """
    if version == "v2.0" and not (folder / EPISODES_STATS).exists():
        return None, []
    try:
        return {line.index: line.stats for line in read_lines(folder, EPISODES_STATS, EpisodeStatistics)}, []
    except DatasetError as error:
        return None, [Problem(error.file, error.what, ONLY_LEROBOT, untidy=True)]


def is_of_rows(
    episode: int, told: Mapping[str, Any] | None, columns: Mapping[str, np.ndarray[Any, Any]]
) -> list[Problem]:
    """Compare the statistics of an episode with its rows.

    Args:
        episode: Its index.
        told: Its line's statistics, None where it has no line.
        columns: Name to values, (rows,) or (rows, D).
    """
    if told is None:
        return [Problem(EPISODES_STATS, f"has no line for episode {episode}", ONLY_LEROBOT, untidy=True)]
    numbers = {
        name: values for name, values in columns.items() if name in told and values.dtype != bool and len(values)
    }
    return [
        Problem(EPISODES_STATS, f"episode {episode}: {what}", ONLY_LEROBOT, untidy=True)
        for name, right in episode_statistics(numbers).items()
        for what in _differences(name, told[name], right)
    ]


def _differences(name: str, told: Any, right: Mapping[str, Any]) -> Iterator[str]:
    """Say which statistics of a column are not the right ones."""
    low, high = np.asarray(right["min"], np.float64), np.asarray(right["max"], np.float64)
    span = np.maximum(high - low, np.maximum(np.abs(high), 1e-6) * 1e-3)
    for kind, number in _mapping(told).items():
        if kind not in right:
            continue
        numbers, wanted = _numbers(number), np.asarray(right[kind], np.float64)
        if numbers.shape != wanted.shape:
            yield f"{kind} of {name} has {len(numbers)} numbers, the rows have {len(wanted)}"
            continue
        off = ~(np.abs(numbers - wanted) <= TOLERANCE.get(kind, 0) * span[: len(wanted)])
        if off.any():
            at = int(np.argmax(off))
            yield f"{kind} of {name} is {numbers[at]:.6g} at {at}, the rows say {wanted[at]:.6g}"


def _mapping(told: Any) -> Mapping[str, Any]:
    return told if isinstance(told, dict) else {}


def _numbers(told: Any) -> np.ndarray[Any, Any]:
    """Return numbers as a vector, an empty one for what is none."""
    try:
        return np.asarray(told, np.float64).ravel()
    except (TypeError, ValueError, OverflowError):
        return np.zeros(0)
