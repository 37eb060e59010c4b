"""Writing files so that a kill leaves the old one or the new one, and nothing between."""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = [
    "append_line",
    "copy_with_line",
    "flush",
    "move_into_place",
    "read_lines",
    "write_json",
    "write_lines",
    "write_text",
]


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file, or write it anew."""
    write_text(path, json.dumps(content, indent=1) + "\n")


def write_lines(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a file with a JSON object a line, or write it anew."""
    write_text(path, "".join(json.dumps(row) + "\n" for row in rows))


def append_line(path: Path, row: Mapping[str, Any]) -> None:
    """Add a JSON object to a file of lines, by way of a copy: a line that is half there would spoil the file."""
    copy_with_line(path, row).replace(path)


def copy_with_line(path: Path, row: Mapping[str, Any]) -> Path:
    """Return a copy of a file of lines, on the disk, with one more; it becomes the file by ``replace``."""
    new = _beside(path)
    shutil.copyfile(path, new)
    with new.open("a") as file:
        file.write(json.dumps(row) + "\n")
    flush(new)
    return new


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read a file with a JSON object a line."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def write_text(path: Path, text: str) -> None:
    """Write a text file, or write it anew."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = _beside(path)
    new.write_text(text)
    move_into_place(new, path)


def move_into_place(new: Path, path: Path) -> None:
    """Give a finished file its name, once its content is on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    flush(new)
    new.replace(path)


def flush(path: Path) -> None:
    """Wait until a file's content is on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")
