"""``read_table_rows``: the rows of a parquet file in ``meta/`` of a v3.0 data set, bounded before they are unpacked."""

import mmap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from runners.datasets.pages import require_honest_pages
from runners.datasets.reading import COPY_AGAIN, DatasetError, inside

__all__ = ["read_table_rows"]

MAX_ROWS = 1_000_000
"""Most episodes, or instructions, that a file lists."""

MAX_VALUES = 2**27
"""Most values of the columns that are read: 150 statistics of 10 numbers, of 89,000 episodes."""

MAX_BYTES = 2**30
"""Most bytes that those columns unpack to."""

MAX_TEXT = 256 * 2**20
"""Most characters in all of a file, each text counted as often as it stands there."""

ROWS_AT_ONCE = 100

DAMAGED = (pa.ArrowException, OSError, ValueError, IndexError)
"""What a damaged file raises."""


def read_table_rows(folder: Path, file: Path, wanted: Callable[[str], bool]) -> Iterator[dict[str, Any]]:
    """Read some columns of a table, a row after the other.

    Args:
        folder: Of the data set.
        file: The parquet file, relative to it.
        wanted: Says of a column's name whether it is read.

    Yields:
        The row's name and value of each column: numbers, texts, lists of them, None.

    Raises:
        DatasetError: The file is missing, damaged, or far too large.
    """
    path = inside(folder, file)
    try:
        footer = pq.read_metadata(path)
        leaves = [
            leaf for leaf in range(footer.num_columns) if footer.schema.column(leaf).physical_type == "BYTE_ARRAY"
        ]
        # As places in a list of different texts: a file of some bytes may say one text a thousand million times.
        texts = [footer.schema.column(leaf).path for leaf in leaves]
        with pq.ParquetFile(path, metadata=footer, read_dictionary=texts) as parquet:
            names = [name for name in parquet.schema_arrow.names if wanted(name)]
            _require_bounded(path, file, footer, names)
            left = MAX_TEXT
            for batch in parquet.iter_batches(ROWS_AT_ONCE, columns=names, use_threads=False):
                left -= sum(_characters(column) for column in batch.columns)
                if left < 0:
                    _refuse(file, f"holds texts of more than {MAX_TEXT} characters")
                yield from batch.to_pylist()
    except DAMAGED as error:
        told = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DatasetError(file, f"is damaged: {told:.200}", COPY_AGAIN) from error


def _require_bounded(path: Path, file: Path, footer: pq.FileMetaData, names: list[str]) -> None:
    """Refuse a table whose columns unpack to more than any, by what the pages themselves say."""
    values = unpacked = 0
    with path.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for group in range(footer.num_row_groups):
            for leaf in range(footer.num_columns):
                chunk = footer.row_group(group).column(leaf)
                if any(chunk.path_in_schema == name or chunk.path_in_schema.startswith(f"{name}.") for name in names):
                    values += chunk.num_values
                    unpacked += require_honest_pages(content, chunk)
    if footer.num_rows > MAX_ROWS or values > MAX_VALUES or unpacked > MAX_BYTES:
        _refuse(file, f"unpacks to {footer.num_rows} rows of {values} values in {unpacked} bytes")


def _refuse(file: Path, what: str) -> None:
    raise DatasetError(file, f"{what}, more than any list of episodes", "Part the data set into several.")


def _characters(column: pa.Array) -> int:
    """Return the length of all texts in a column, whose values may be lists."""
    while isinstance(column, (pa.ListArray, pa.LargeListArray, pa.FixedSizeListArray)):
        column = column.flatten()
    if not isinstance(column, pa.DictionaryArray):
        return 0
    return int(pc.sum(pc.take(pc.binary_length(column.dictionary), column.indices)).as_py() or 0)
