"""``EpisodeRows``: the rows of a file, a column at a time, and never more than it declares.

Dictionaries and run lengths make much of little: a parquet file of 8 kB may hold two thousand million numbers. How many
a column holds is known before it is read; it is read in parts, into memory of the size that is right.
"""

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from runners.datasets.pages import require_honest_pages
from runners.datasets.reading import RECORD_ANEW, DatasetError, inside
from runners.datasets.schema import MAX_EPISODE_ROWS, MAX_WIDTH

__all__ = ["EpisodeRows", "Most"]

MAX_NUMBERS = 2**24
"""Most numbers of an episode, over the columns that are read: an hour and a half of 100 numbers at 30 rows a second."""

MAX_CHUNKS = 100_000
"""Most parts of columns in a file: a writer makes one of each column."""

NUMBERS_AT_ONCE = 2**18
"""Numbers that are unpacked at once."""

Array: TypeAlias = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Most:
    """What a file may hold.

    Args:
        rows: Most rows.
        numbers: Most numbers over the columns that are read.
        whose: What the file is of, for messages.
        remedy: What is to be done about a larger one.
    """

    rows: int
    numbers: int
    whose: str
    remedy: str


OF_AN_EPISODE = Most(MAX_EPISODE_ROWS, MAX_NUMBERS, "episode", "Part it into several episodes.")


class EpisodeRows:
    """The rows of one episode, or of all in a file that several share; a context, within which columns can be read.

    Args:
        folder: Of the data set.
        file: The parquet file, relative to it.
        most: What it may hold, by default as much as an episode.

    Raises:
        DatasetError: The file is missing, damaged or far too large.
    """

    def __init__(self, folder: Path, file: Path, most: Most | None = None) -> None:
        self.file = file
        self._most = most = most or OF_AN_EPISODE
        path = inside(folder, file)
        with self._damage_told():
            self._parquet = pq.ParquetFile(path)
            with path.open("rb") as opened:
                self._content = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
        meta = self._parquet.metadata
        self.count: int = meta.num_rows
        self.names: list[str] = self._parquet.schema_arrow.names
        self._left = most.numbers
        if self.count > most.rows or meta.num_row_groups * meta.num_columns > MAX_CHUNKS:
            self._refuse(f"holds {self.count} rows in {meta.num_row_groups} groups, more than any {most.whose}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self._content.close()
        self._parquet.close()

    def kind(self, name: str) -> tuple[str, int | None]:
        """Return what a column declares: numpy's name of its numbers, and how many a row holds; None if that differs.

        Raises:
            DatasetError: There is no such column, or it holds something else than numbers or vectors of them.
        """
        if name not in self.names:
            raise DatasetError(
                self.file,
                f"has no column {name}, only {', '.join(self.names):.200}",
                "meta/info.json and meta/modality.json name the columns; record the data set again.",
            )
        numbers = self._numbers(name)
        if not (pa.types.is_integer(numbers) or pa.types.is_floating(numbers) or pa.types.is_boolean(numbers)):
            raise DatasetError(self.file, f"the column {name} holds {numbers!s:.80}, not numbers", RECORD_ANEW)
        declared, _ = self._declared(name)
        whole = self.count and declared % self.count == 0
        return str(np.dtype(numbers.to_pandas_dtype())), declared // self.count if whole else None

    def column(self, name: str) -> Array:
        """Return a column of numbers, (rows,) for scalars, (rows, D) for vectors.

        Raises:
            DatasetError: It holds something else, gaps, vectors that differ in length, or more than any episode.
        """
        dtype, width = self.kind(name)
        declared, read = self._declared(name)
        if width is None:
            raise DatasetError(
                self.file, f"the column {name} holds {declared} numbers in {self.count} rows", RECORD_ANEW
            )
        if width > MAX_WIDTH or read > self._left:
            self._refuse(f"unpacks to {read} numbers in {self.count} rows of {name}, more than any {self._most.whose}")
        self._left -= read
        values = np.empty((self.count, width), dtype)
        filled = 0
        with self._damage_told():
            self._require_honest_pages(name)
            size = max(1, NUMBERS_AT_ONCE // width)
            for batch in self._parquet.iter_batches(size, columns=[name], use_threads=False):
                part = self._part(name, batch.column(name), width)
                values[filled : filled + len(part)] = part  # a ValueError where there are more rows than declared
                filled += len(part)
        if filled != self.count:
            raise DatasetError(self.file, f"holds {filled} of its {self.count} rows", RECORD_ANEW)
        return values if _is_list(self._parquet.schema_arrow.field(name).type) else values[:, 0]

    def _part(self, name: str, column: pa.Array, width: int) -> Array:
        """Return some rows of a column, (rows, width)."""
        numbers, gaps = column, column.null_count
        if _is_list(column.type):
            numbers = column.flatten()
            gaps += numbers.null_count
            widths = set(np.unique(column.value_lengths().fill_null(-1)).tolist()) - {width}
            if widths:
                raise DatasetError(
                    self.file,
                    f"the column {name} holds vectors of {sorted(widths | {width})!r:.80} numbers",
                    RECORD_ANEW,
                )
        if gaps:
            raise DatasetError(self.file, f"the column {name} holds {gaps} gaps", RECORD_ANEW)
        return np.asarray(numbers.to_numpy(zero_copy_only=False)).reshape(-1, width)

    def _numbers(self, name: str) -> pa.DataType:
        kind = self._parquet.schema_arrow.field(name).type
        return kind.value_type if _is_list(kind) else kind

    def _declared(self, name: str) -> tuple[int, int]:
        """Return the numbers that a column declares, and those that reading it unpacks."""
        own, others = self._leaves(name)
        meta = self._parquet.metadata

        def declared(leaves: list[int]) -> int:
            return sum(
                meta.row_group(group).column(leaf).num_values for group in range(meta.num_row_groups) for leaf in leaves
            )

        return declared(own), declared(own) + declared(others)

    def _leaves(self, name: str) -> tuple[list[int], list[int]]:
        """Return where a column's numbers are, and where those are that are read with it: names with dots are paths."""
        longer = [other for other in self.names if other.startswith(f"{name}.")]
        schema = self._parquet.schema
        paths = {leaf: schema.column(leaf).path for leaf in range(len(schema))}
        read = [leaf for leaf, path in paths.items() if _is_below(path, name)]
        own = [leaf for leaf in read if not any(_is_below(paths[leaf], other) for other in longer)]
        return own, [leaf for leaf in read if leaf not in own]

    def _require_honest_pages(self, name: str) -> None:
        meta = self._parquet.metadata
        for leaf in (leaf for leaves in self._leaves(name) for leaf in leaves):
            for group in range(meta.num_row_groups):
                require_honest_pages(self._content, meta.row_group(group).column(leaf))

    def _refuse(self, what: str) -> None:
        most = self._most
        bounds = f"Any {most.whose} has at most {most.rows} rows, {MAX_WIDTH} numbers a row and {most.numbers} in all."
        raise DatasetError(self.file, what, f"{bounds} {most.remedy}")

    @contextmanager
    def _damage_told(self) -> Iterator[None]:
        try:
            yield
        except (pa.ArrowException, OSError, ValueError, IndexError) as error:
            raise DatasetError(
                self.file,
                f"is damaged: {(str(error).strip().splitlines() or [type(error).__name__])[0]:.200}",
                "Copy the data set again; if the disk has no better copy, record the episode again.",
            ) from error


def _is_list(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_fixed_size_list(kind) or types.is_list(kind) or types.is_large_list(kind))


def _is_below(path: str, name: str) -> bool:
    return path == name or path.startswith(f"{name}.")
