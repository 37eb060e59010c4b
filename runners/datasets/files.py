"""Writing the files of a data set so that a kill leaves the old one or the new one, and nothing between."""

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from runners.utils.atomic_files import write_whole

__all__ = ["append_line", "copy_with_line", "flush", "move_into_place", "write_json", "write_lines", "write_rows"]

Array: TypeAlias = np.ndarray[Any, Any]


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file, or write it anew."""
    write_whole(path, json.dumps(content, indent=1) + "\n")


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a file with a JSON object a line, or write it anew."""
    write_whole(path, "".join(json.dumps(row) + "\n" for row in rows))


def write_rows(path: Path, columns: Mapping[str, Array]) -> None:
    """Write a parquet file of columns, (rows,) or (rows, D); vectors are lists of one length."""
    pq.write_table(pa.table({name: _arrow(values) for name, values in columns.items()}), path)


def append_line(path: Path, row: Mapping[str, Any]) -> None:
    """Add a JSON object to a file of lines, by way of a copy: a line that is half there would spoil the file."""
    copy_with_line(path, row).replace(path)


def copy_with_line(path: Path, row: Mapping[str, Any]) -> Path:
    """Return a copy of a file of lines, on the disk, with one more; it becomes the file by ``replace``."""
    copy = path.with_name(f".{path.name}.longer")
    shutil.copyfile(path, copy)
    with copy.open("a") as file:
        file.write(json.dumps(row) + "\n")
    flush(copy)
    return copy


def move_into_place(new: Path, path: Path) -> None:
    """Give a finished file its name, once its content is on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    flush(new)
    new.replace(path)


def flush(path: Path) -> None:
    """Wait until a file's content is on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _arrow(values: Array) -> pa.Array:
    """Return an array for the table: pyarrow's own conversion imports pandas, which takes seconds of the run."""
    if values.ndim == 2:
        return pa.FixedSizeListArray.from_arrays(_arrow(values.ravel()), values.shape[1])
    content = np.packbits(values, bitorder="little") if values.dtype == np.bool_ else np.ascontiguousarray(values)
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [None, pa.py_buffer(content)])
