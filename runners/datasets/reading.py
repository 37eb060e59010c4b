"""Reading the files of a LeRobot data set: bounded, and never outside its folder, whatever they say.

A data set may come from anywhere. JSON and parquet hold data only, paths are checked before they are opened, and what
is larger than any episode is refused before it is read. Rows are read by ``runners.datasets.rows``.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import msgspec

from groot_wrappers.errors import Gr00tError
from runners.datasets import paths
from runners.utils.json_files import parse_json

__all__ = ["COPY_AGAIN", "RECORD_ANEW", "DatasetError", "checked", "inside", "path_of", "read_json", "read_lines"]

T = TypeVar("T")

MAX_JSON_BYTES = 8 * 2**20
"""Largest JSON text, a file or a line, that is read: 100 bytes of it may take a thousand as objects."""

MAX_LINES_BYTES = 256 * 2**20
"""Largest file of lines; a million episodes are about half of it."""

RECORD_ANEW = "Record the episode again."
COPY_AGAIN = "Copy the data set again, or record it again."

_FIELD = r"\{{(?:{})(?::0?\d{{0,2}}d)?\}}"


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


def read_json(folder: Path, file: Path, kind: type[T], remedy: str = COPY_AGAIN) -> T:
    """Read a file of one JSON object.

    Args:
        folder: Of the data set.
        file: Relative to it.
        kind: What it holds, as msgspec takes it.
        remedy: What mends a file that is not there, or holds something else.

    Raises:
        DatasetError: It is missing, too large, no JSON, or of another type.
    """
    with _opened(folder, file, MAX_JSON_BYTES, remedy) as opened:
        return _parsed(opened.read(), kind, file, "", remedy)


def read_lines(folder: Path, file: Path, kind: type[T]) -> Iterator[T]:
    """Read a file of one JSON object a line, as it is asked for; empty lines are left out.

    Raises:
        DatasetError: It is missing or too large, or a line is no JSON or of another type.
    """
    with _opened(folder, file, MAX_LINES_BYTES) as lines:
        for number, line in enumerate(iter(lambda: lines.readline(MAX_JSON_BYTES), b""), start=1):
            if len(line) == MAX_JSON_BYTES:
                raise DatasetError(file, f"line {number} holds {MAX_JSON_BYTES} bytes or more", COPY_AGAIN)
            if line.strip():
                yield _parsed(line, kind, file, f"line {number} ", "Mend the line, or copy the data set again.")


def checked(value: Any, kind: type[T], file: Path, name: str, remedy: str) -> T:
    """Return a part of what a file holds, checked against a type.

    Raises:
        DatasetError: It is of another; the message names the part.
    """
    try:
        return msgspec.convert(value, kind)
    except ValueError as error:
        raise DatasetError(file, f"{name} is {value!r:.120}: {error}", remedy) from error


def path_of(pattern: str | None, **fields: int | str) -> Path:
    """Return the path of a file of one or more episodes, relative to the data set's folder.

    Args:
        pattern: ``data_path`` or ``video_path`` of ``meta/info.json``.
        fields: What its version of the format has in patterns, with the values for this file.

    Raises:
        DatasetError: The pattern is none, or leads out of the folder.
    """
    if pattern is None or re.search(r"[{}]", re.sub(_FIELD.format("|".join(fields)), "", pattern)):
        raise DatasetError(
            paths.INFO,
            f"a path pattern is {pattern!r:.120}",
            f"Those of its version hold {', '.join(f'{{{field}}}' for field in fields)} only, as LeRobot writes them.",
        )
    path = pattern.format(**fields)
    if path.startswith("/") or "\\" in path or "\0" in path or ".." in path.split("/"):
        raise DatasetError(
            paths.INFO,
            f"the path {path!r:.120} leads out of the data set",
            "Do not use this data set unless you know who made it; paths of LeRobot stay in its folder.",
        )
    return Path(path)


def inside(folder: Path, file: Path, remedy: str = COPY_AGAIN) -> Path:
    """Return where a file of the data set lies.

    Raises:
        DatasetError: There is no folder, or the file is missing, none, or a link that leads out of the folder.
    """
    if not folder.is_dir():
        remedy = "Name the folder of a data set, which holds meta/info.json; a run that records no episode leaves none."
        raise DatasetError(folder, "is no folder", remedy)
    path = folder / file
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            raise DatasetError(file, "is a link that leads out of the data set", "Put the file itself there.")
        if not path.is_file():
            raise DatasetError(file, "is missing", remedy)
    except (OSError, ValueError) as error:  # a name that no file system takes
        raise DatasetError(file, f"cannot be there: {error}", remedy) from error
    return path


@contextmanager
def _opened(folder: Path, file: Path, most: int, remedy: str = COPY_AGAIN) -> Iterator[BinaryIO]:
    """Open a file of at most so many bytes; what the disk refuses is told as damage of the file."""
    path = inside(folder, file, remedy)
    try:
        size = path.stat().st_size
        if size > most:
            raise DatasetError(file, f"holds {size} bytes, more than any file of that name", remedy)
        with path.open("rb") as opened:
            yield opened
    except OSError as error:
        raise DatasetError(file, f"cannot be read: {error.strerror}", remedy) from error


def _parsed(text: bytes, kind: type[T], file: Path, where: str, remedy: str) -> T:
    try:
        return parse_json(text, kind)
    except msgspec.ValidationError as error:
        raise DatasetError(file, f"{where}is not what it should be: {error}", remedy) from error
    except ValueError as error:
        raise DatasetError(file, f"{where}is no JSON ({error})", remedy) from error
