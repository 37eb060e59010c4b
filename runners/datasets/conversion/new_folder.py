"""``new_folder``: a folder that has its name once it is whole, and never before."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from groot_wrappers.errors import ContractError
from runners.datasets.files import flush

__all__ = ["Room", "new_folder"]


@dataclass(frozen=True)
class Room:
    """Where a folder is filled.

    Args:
        folder: Takes whatever is needed for it, and is removed at the end.
        result: What gets the name; it is not there yet.
        lock: File descriptor that keeps other processes out; a child that is handed it keeps them out too.
    """

    folder: Path
    result: Path
    lock: int


@contextmanager
def new_folder(path: Path) -> Iterator[Room]:
    """Fill a folder within the block. A kill leaves ``.NAME.unfinished`` beside it, which the next one clears.

    Raises:
        ContractError: It is there already, or another process fills it.
    """
    _require_free(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = path.with_name(f".{path.name}.unfinished")
    folder.mkdir(exist_ok=True)
    lock = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ContractError(
                f"Another process makes {path} at this moment. Wait until it has ended, or name another folder."
            ) from None
        try:
            _clear(folder)
            room = Room(folder, folder / "result", lock)
            yield room
            for file in room.result.rglob("*"):
                if file.is_file():
                    flush(file)
            _require_free(path)
            room.result.rename(path)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


def _require_free(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise ContractError(f"{path} is there already, and nothing is converted in place. Name a folder that is not.")


def _clear(folder: Path) -> None:
    for left in folder.iterdir():
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
        else:
            left.unlink()
