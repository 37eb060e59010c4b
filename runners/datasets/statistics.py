"""Statistics of a data set: of each episode as LeRobot has them, and of all frames as GR00T normalises by.

* ``PixelCounter``: mean, deviation and range of pixels, without keeping a frame.
* ``episode_statistics``: a line of ``episodes_stats.jsonl``.
* ``dataset_statistics``: ``stats.json``.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["PixelCounter", "dataset_statistics", "episode_statistics"]

MAX_FRAMES = 200_000
"""Frames that quantiles, mean and deviation are taken of; of a larger data set, that many with equal gaps."""

LARGE_PIXELS, SMALL_PIXELS = 300, 150
"""As LeRobot does: frames of the first size are thinned out to about the second."""

type Array = np.ndarray[Any, Any]


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
        rows = values.reshape(len(values), -1).astype(np.float64)
        told[name] = {
            "min": rows.min(axis=0).tolist(),
            "max": rows.max(axis=0).tolist(),
            "mean": rows.mean(axis=0).tolist(),
            "std": rows.std(axis=0).tolist(),
            "count": [len(rows)],
        }
    return told


def dataset_statistics(files: Sequence[Path], frames: int, columns: Sequence[str]) -> dict[str, Any]:
    """Return mean, std, min, max, q01 and q99 of columns over all episodes.

    Args:
        files: The parquet file of each episode.
        frames: In all of them.
        columns: Names.
    """
    gap = max(1, -(-frames // MAX_FRAMES))
    kept: dict[str, list[Array]] = {column: [] for column in columns}
    lowest: dict[str, Array] = {}
    highest: dict[str, Array] = {}
    passed = 0
    for file in files:
        length = 0
        for column, values in _read(file, columns).items():
            rows = values.reshape(len(values), -1)
            length = len(rows)
            kept[column].append(rows[-passed % gap :: gap])
            lowest[column] = np.minimum(lowest.get(column, np.inf), rows.min(axis=0))
            highest[column] = np.maximum(highest.get(column, -np.inf), rows.max(axis=0))
        passed += length
    told = {}
    for column in columns:
        rows = np.concatenate(kept.pop(column))
        q01, q99 = np.quantile(rows, [0.01, 0.99], axis=0)
        told[column] = {
            "mean": rows.mean(axis=0, dtype=np.float64).tolist(),
            "std": rows.std(axis=0, dtype=np.float64).tolist(),
            "min": lowest[column].tolist(),
            "max": highest[column].tolist(),
            "q01": q01.tolist(),
            "q99": q99.tolist(),
        }
    return told


def _read(file: Path, columns: Iterable[str]) -> dict[str, Array]:
    """Read columns of numbers as they were written, without pandas: (frames,), or (frames, D) for a vector."""
    table = pq.ParquetFile(file).read(columns=list(columns))
    read = {}
    for name in table.column_names:
        column = table[name].combine_chunks()
        if pa.types.is_fixed_size_list(column.type):
            read[name] = np.from_dlpack(column.flatten()).reshape(len(column), -1)
        else:
            read[name] = np.from_dlpack(column)
    return read
