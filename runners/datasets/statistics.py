"""Statistics of a data set: of each episode as LeRobot has them, and of all frames as GR00T normalises by.

* ``PixelCounter``: mean, deviation and range of pixels, without keeping a frame.
* ``episode_statistics``: a line of ``episodes_stats.jsonl``.
* ``ColumnStatistics``: those of many episodes.
* ``dataset_statistics``: ``stats.json``.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from runners.datasets.rows import EpisodeRows

__all__ = ["ColumnStatistics", "PixelCounter", "dataset_statistics", "episode_statistics"]

MAX_FRAMES = 200_000
"""Frames that quantiles, mean and deviation are taken of; of a larger data set, that many with equal gaps."""

MAX_NUMBERS = 2**23
"""Most numbers that are kept for them, over all columns: 80,000 frames of 100 numbers."""

LARGE_PIXELS, SMALL_PIXELS = 300, 150
"""As LeRobot does: frames of the first size are thinned out to about the second."""

Array: TypeAlias = np.ndarray[Any, Any]


class PixelCounter:
    """Counts the levels of each channel, from which LeRobot's statistics of an episode's images follow."""

    def __init__(self) -> None:
        self._counts = np.zeros((3, 256), np.int64)
        self._frames = 0

    def add(self, frame: Array) -> None:
        """Count a frame, uint8 (H, W, 3)."""
        longer = max(frame.shape[:2])
        gap = longer // SMALL_PIXELS if longer >= LARGE_PIXELS else 1
        for channel in range(3):
            self._counts[channel] += np.bincount(frame[::gap, ::gap, channel].ravel(), minlength=256)
        self._frames += 1

    def to_json(self) -> dict[str, Any]:
        """Return min, max, mean, std of each channel in [0, 1], shape (3, 1, 1), and the number of frames."""
        levels = np.arange(256) / 255
        shares = self._counts / self._counts.sum(axis=1, keepdims=True)
        mean = shares @ levels
        deviation = np.sqrt(np.maximum(shares @ levels**2 - mean**2, 0.0))
        lowest = np.array([levels[counts > 0].min() for counts in self._counts])
        highest = np.array([levels[counts > 0].max() for counts in self._counts])
        found = {"min": lowest, "max": highest, "mean": mean, "std": deviation}
        return {name: values.reshape(3, 1, 1).tolist() for name, values in found.items()} | {"count": [self._frames]}


def episode_statistics(columns: Mapping[str, Array]) -> dict[str, Any]:
    """Return min, max, mean, std and count of each column.

    Args:
        columns: Name to values, (frames,) or (frames, D).
    """
    told = {}
    for name, values in columns.items():
        rows = values.reshape(len(values), -1).astype(np.float64, copy=False)
        told[name] = {
            "min": rows.min(axis=0).tolist(),
            "max": rows.max(axis=0).tolist(),
            "mean": rows.mean(axis=0).tolist(),
            "std": rows.std(axis=0).tolist(),
            "count": [len(rows)],
        }
    return told


class ColumnStatistics:
    """Mean, deviation, range and quantiles of columns over many episodes, of which no more is kept than is needed.

    Args:
        frames: In all episodes.
        width: Numbers that a frame holds over all columns.
    """

    def __init__(self, frames: int, width: int) -> None:
        self.frames, self._rows = frames, dict[str, int]()
        self._gap = max(1, -(-frames // min(MAX_FRAMES, max(1, MAX_NUMBERS // max(1, width)))))
        self._passed = 0
        self._kept: dict[str, list[Array]] = {}
        self._lowest: dict[str, Array] = {}
        self._highest: dict[str, Array] = {}

    def add(self, columns: Mapping[str, Array]) -> None:
        """Take the frames of an episode: name to values, (frames,) or (frames, D)."""
        length = 0
        for name, values in columns.items():
            rows = values.reshape(len(values), -1)
            length = len(rows)
            if not length:
                continue
            self._kept.setdefault(name, []).append(rows[-self._passed % self._gap :: self._gap].copy())
            self._lowest[name] = np.minimum(self._lowest.get(name, np.inf), rows.min(axis=0))
            self._highest[name] = np.maximum(self._highest.get(name, -np.inf), rows.max(axis=0))
            self._rows[name] = self._rows.get(name, 0) + length
        self._passed += length

    def is_whole(self, name: str) -> bool:
        """Say whether a column's numbers of all frames were taken."""
        return self._rows.get(name) == self.frames

    def to_json(self) -> dict[str, Any]:
        """Return mean, std, min, max, q01 and q99 of each column."""
        told = {}
        for name, parts in self._kept.items():
            rows = np.concatenate(parts)
            q01, q99 = np.quantile(rows, [0.01, 0.99], axis=0)
            told[name] = {
                "mean": rows.mean(axis=0, dtype=np.float64).tolist(),
                "std": rows.std(axis=0, dtype=np.float64).tolist(),
                "min": self._lowest[name].tolist(),
                "max": self._highest[name].tolist(),
                "q01": q01.tolist(),
                "q99": q99.tolist(),
            }
        return told


def dataset_statistics(folder: Path, files: Iterable[Path], frames: int, widths: Mapping[str, int]) -> dict[str, Any]:
    """Return mean, std, min, max, q01 and q99 of columns over all episodes.

    Args:
        folder: Of the data set.
        files: The parquet file of each episode, relative to it.
        frames: In all of them.
        widths: Name of each column to the numbers of a frame.

    Raises:
        DatasetError: A file cannot be read.
    """
    statistics = ColumnStatistics(frames, sum(widths.values()))
    for file in files:
        with EpisodeRows(folder, file) as rows:
            statistics.add({name: rows.column(name) for name in widths})
    return statistics.to_json()
