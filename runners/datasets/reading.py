"""Reading the files of a LeRobot v2.1 data set: bounded, and never outside its folder, whatever they say.

A data set may come from anywhere. JSON and parquet hold data only, paths are checked before they are opened, and what
is larger than any episode is refused before it is read.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from groot_wrappers.errors import Gr00tError
from runners.datasets import layout

__all__ = [
    "RECORD_ANEW",
    "DatasetError",
    "column",
    "episode_file",
    "inside",
    "read_json",
    "read_json_lines",
    "read_rows",
]

MAX_META_BYTES = 256 * 2**20
"""Largest file of ``meta/`` that is read; a million episodes are about half of it."""

MAX_EPISODE_ROWS = 1_000_000
"""Most control steps of an episode: nine hours at 30 a second."""

MAX_EPISODE_BYTES = 2 * 2**30
"""Most bytes that the rows of one episode may take once they are unpacked."""

RECORD_ANEW = "Record the episode again."

_FIELD = re.compile(r"\{(?:episode_chunk|episode_index|video_key)(?::0?\d{0,2}d)?\}")


class DatasetError(Gr00tError):
    """A file of a data set is missing, cannot be read, or does not hold what it should.

    Args:
        file: The file, relative to the data set's folder.
        what: What is wrong with it.
        remedy: What mends it.
    """

    def __init__(self, file: Path, what: str, remedy: str) -> None:
        super().__init__(f"{file}: {what}. {remedy}")
        self.file, self.what, self.remedy = file, what, remedy


def read_json(folder: Path, file: Path) -> dict[str, Any]:
    """Read a file of one JSON object.

    Raises:
        DatasetError: It is missing, too large, or no JSON object.
    """
    return _object(_text(folder, file), file, "")


def read_json_lines(folder: Path, file: Path) -> list[dict[str, Any]]:
    """Read a file of one JSON object a line; empty lines are left out.

    Raises:
        DatasetError: It is missing or too large, or a line is no JSON object.
    """
    lines = _text(folder, file).split("\n")
    return [_object(line, file, f"line {number} ") for number, line in enumerate(lines, start=1) if line.strip()]


def episode_file(pattern: object, index: int, chunk_size: int, video_key: str = "") -> Path:
    """Return the path of an episode's file, relative to the data set's folder.

    Args:
        pattern: ``data_path`` or ``video_path`` of ``meta/info.json``.
        index: Of the episode.
        chunk_size: Episodes in a folder.
        video_key: Name of the video feature, for ``video_path``.

    Raises:
        DatasetError: The pattern is none, or leads out of the folder.
    """
    if not isinstance(pattern, str) or re.search(r"[{}]", _FIELD.sub("", pattern)):
        raise DatasetError(
            layout.INFO,
            f"a path pattern is {pattern!r:.120}",
            "Patterns hold {episode_chunk:03d}, {episode_index:06d} and {video_key} only, as LeRobot v2.1 writes them.",
        )
    path = pattern.format(episode_chunk=index // chunk_size, episode_index=index, video_key=video_key)
    if path.startswith("/") or "\\" in path or "\0" in path or ".." in path.split("/"):
        raise DatasetError(
            layout.INFO,
            f"the path {path!r:.120} leads out of the data set",
            "Do not use this data set unless you know who made it; paths of LeRobot v2.1 stay in its folder.",
        )
    return Path(path)


def inside(folder: Path, file: Path) -> Path:
    """Return where a file of the data set lies.

    Raises:
        DatasetError: It is missing, no file, or a link that leads out of the folder.
    """
    path = folder / file
    if not path.resolve().is_relative_to(folder.resolve()):
        raise DatasetError(file, "is a link that leads out of the data set", "Put the file itself there.")
    if not path.is_file():
        raise DatasetError(file, "is missing", "Copy the data set again, or record it again.")
    return path


def read_rows(folder: Path, file: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read the rows of an episode.

    Args:
        folder: Of the data set.
        file: The parquet file, relative to it.
        columns: Names of those wanted; None for all.

    Raises:
        DatasetError: The file is missing, damaged or far too large, or lacks a column.
    """
    path = inside(folder, file)
    try:
        with pq.ParquetFile(path) as parquet:
            meta = parquet.metadata
            unpacked = sum(meta.row_group(group).total_byte_size for group in range(meta.num_row_groups))
            if meta.num_rows > MAX_EPISODE_ROWS or unpacked > MAX_EPISODE_BYTES:
                raise DatasetError(
                    file,
                    f"holds {meta.num_rows} rows, {unpacked} bytes unpacked, more than any episode",
                    f"An episode has at most {MAX_EPISODE_ROWS} rows and {MAX_EPISODE_BYTES} bytes.",
                )
            missing = [name for name in columns or () if name not in parquet.schema_arrow.names]
            if missing:
                raise DatasetError(
                    file,
                    f"has no column {', '.join(missing)}, only {', '.join(parquet.schema_arrow.names)}",
                    "meta/info.json and meta/modality.json name the columns; record the data set again.",
                )
            return parquet.read(columns=None if columns is None else list(columns))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DatasetError(
            file,
            f"is damaged: {str(error).strip().splitlines()[0]:.200}",
            "Copy the data set again; if the disk has no better copy, record the episode again.",
        ) from error


def column(rows: pa.Table, name: str, file: Path) -> np.ndarray[Any, Any]:
    """Return a column of numbers, (rows,) for scalars, (rows, D) for vectors.

    Raises:
        DatasetError: It holds something else, gaps, or vectors that differ in length.
    """
    values = rows.column(name).combine_chunks()
    numbers, shape = values, [len(values)]
    if any(is_kind(values.type) for is_kind in (pa.types.is_fixed_size_list, pa.types.is_list, pa.types.is_large_list)):
        numbers = values.flatten()
        widths = np.unique(values.value_lengths().fill_null(-1).to_numpy(zero_copy_only=False)).tolist() or [0]
        if len(widths) > 1:
            raise DatasetError(file, f"the column {name} holds vectors of {widths!r:.80} numbers", RECORD_ANEW)
        shape.append(widths[0])
    if values.null_count or numbers.null_count or not _is_number(numbers.type):
        gaps = values.null_count + numbers.null_count
        raise DatasetError(file, f"the column {name} holds {numbers.type} with {gaps} gaps, not numbers", RECORD_ANEW)
    return np.asarray(numbers.to_numpy(zero_copy_only=False)).reshape(shape)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))


def _text(folder: Path, file: Path) -> str:
    if not folder.is_dir():
        raise DatasetError(folder, "is no folder", "Name the folder of a data set, which holds meta/info.json.")
    path = inside(folder, file)
    if path.stat().st_size > MAX_META_BYTES:
        raise DatasetError(file, f"is larger than {MAX_META_BYTES} bytes", "Parts of it are not what they should be.")
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(file, f"cannot be read: {error}", "Copy the data set again.") from error


def _object(text: str, file: Path, where: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DatasetError(
            file, f"{where}is no JSON ({error})", "Mend the line, or copy the data set again."
        ) from error
    if not isinstance(value, Mapping):
        raise DatasetError(file, f"{where}is no JSON object", "Mend it, or copy the data set again.")
    return dict(value)
