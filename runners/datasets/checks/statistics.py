"""Whether ``meta/stats.json`` and ``meta/episodes_stats.jsonl`` are those of the rows: GR00T scales by them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from runners.datasets.checks.problem import Problem
from runners.datasets.layout import EPISODES_STATS, STATS
from runners.datasets.metadata import Info
from runners.datasets.reading import DatasetError, read_json, read_json_lines

__all__ = ["Numbers", "check_statistics"]

COMPUTE_ANEW = "Compute it anew: remove the file, and GR00T's gr00t/data/stats.py writes it."
TOLERANCE = {"min": 1e-6, "max": 1e-6, "mean": 5e-3, "std": 5e-3, "q01": 2e-2, "q99": 2e-2}
"""Largest difference, as a share of the number's range: of a large data set, a part is enough for the last four."""


class Numbers:
    """The columns of all episodes.

    Args:
        info: ``meta/info.json``.
    """

    def __init__(self, info: Info) -> None:
        self._info = info
        self.columns: dict[str, dict[int, np.ndarray[Any, Any]]] = {}

    def add(self, episode: int, columns: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Keep the columns of an episode."""
        for name, values in columns.items():
            if values.dtype != bool:
                self.columns.setdefault(name, {})[episode] = values.reshape(len(values), -1)

    @property
    def action(self) -> Mapping[int, np.ndarray[Any, Any]]:
        """The action by episode, (rows, D)."""
        return self.columns.get("action", {})


def check_statistics(folder: Path, numbers: Numbers) -> list[Problem]:
    """Compare both files with what the rows say."""
    problems: list[Problem] = []
    try:
        written = read_json(folder, STATS)
        for name in ("observation.state", "action"):
            if name in numbers.columns and name not in written:
                problems.append(Problem(STATS, f"has nothing on {name}", COMPUTE_ANEW))
        for name, told in written.items():
            if name in numbers.columns:
                values = np.concatenate(list(numbers.columns[name].values()))
                problems += [Problem(STATS, what, COMPUTE_ANEW) for what in _differences(name, told, values)]
    except DatasetError as error:
        problems.append(Problem(error.file, error.what, COMPUTE_ANEW))
    try:
        rows = read_json_lines(folder, EPISODES_STATS)
    except DatasetError as error:
        return [*problems, Problem.of(error)]
    by_episode = {row.get("episode_index"): row.get("stats") for row in rows}
    for episode in sorted({index for columns in numbers.columns.values() for index in columns}):
        stats = by_episode.get(episode)
        if not isinstance(stats, dict):
            problems.append(Problem(EPISODES_STATS, f"has no line for episode {episode}", "Write its statistics."))
            continue
        for name, told in stats.items():
            if episode in numbers.columns.get(name, {}):
                problems += [
                    Problem(EPISODES_STATS, f"episode {episode}: {what}", "Write the statistics that its rows have.")
                    for what in _differences(name, told, numbers.columns[name][episode])
                ]
    return problems


def _differences(name: str, told: Any, values: np.ndarray[Any, Any]) -> list[str]:
    """Say which statistics of a column are not those of its values, (rows, D)."""
    if not isinstance(told, dict):
        return [f"{name} has no statistics"]
    values = values.astype(np.float64)
    right = {
        "min": values.min(axis=0),
        "max": values.max(axis=0),
        "mean": values.mean(axis=0),
        "std": values.std(axis=0),
        "q01": np.quantile(values, 0.01, axis=0),
        "q99": np.quantile(values, 0.99, axis=0),
    }
    span = np.maximum(right["max"] - right["min"], np.maximum(np.abs(right["max"]), 1e-6) * 1e-3)
    differing = []
    for kind in [kind for kind in right if kind in told]:
        try:
            number = np.asarray(told[kind], np.float64).ravel()
        except (TypeError, ValueError):
            number = np.zeros(0)
        if number.shape != right[kind].shape:
            differing.append(f"{kind} of {name} has {len(number)} numbers, the rows have {len(right[kind])}")
            continue
        off = ~(np.abs(number - right[kind]) <= TOLERANCE[kind] * span)
        if off.any():
            at = int(np.argmax(off))
            differing.append(f"{kind} of {name} is {number[at]:.6g} at {at}, the rows say {right[kind][at]:.6g}")
    if "count" in told and told["count"] not in ([len(values)], len(values)):
        differing.append(f"count of {name} is {told['count']!r:.40}, there are {len(values)} rows")
    missing = [kind for kind in ("min", "max", "mean", "std") if kind not in told]
    return differing + ([f"{name} lacks {', '.join(missing)}"] if missing else [])
