"""JSON files that other hands may have touched: checked for type as well as syntax, and never larger than is sensible.

* ``read_json``: what a file holds.
* ``parse_json``: what a text holds.
* ``JsonFileError``: why there is none.
"""

import json
from pathlib import Path
from typing import TypeVar

import msgspec

from groot_wrappers.errors import Gr00tError

__all__ = ["JsonFileError", "parse_json", "read_json"]

T = TypeVar("T")

MAX_BYTES = 64 * 2**20
"""Of one file: a plan of 500,000 episodes."""


class JsonFileError(Gr00tError):
    """A file is not there, cannot be read, or does not hold what it should."""


def read_json(path: Path, kind: type[T]) -> T:
    """Return what a JSON file holds, checked against a type.

    Args:
        path: The file.
        kind: As ``msgspec`` takes it; fields that it does not name are not looked at.

    Raises:
        JsonFileError: It is missing, too large, no JSON, or of another type; the message names the file and the place.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise JsonFileError(f"{path} holds {size} bytes, more than any file of that name")
        return parse_json(path.read_bytes(), kind)
    except FileNotFoundError as error:
        raise JsonFileError(f"{path} is not there") from error
    except OSError as error:
        raise JsonFileError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise JsonFileError(f"{path} is not what it should be: {error}") from error


def parse_json(text: bytes, kind: type[T]) -> T:
    """Return what a JSON text holds, checked against a type.

    Settings may hold infinities, which Python writes and reads as ``Infinity``, and msgspec's own parser does not.

    Raises:
        ValueError: It is no JSON, or of another type.
    """
    try:
        return msgspec.convert(json.loads(text), kind)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
