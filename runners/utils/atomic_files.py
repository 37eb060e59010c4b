"""Writing files that are whole at any moment: a kill, a full disk, or a reader in between never meets half of one.

* ``write_whole``: writes a text file.
* ``whole_file``: writes any file, piece by piece.
* ``naming``: lets errors say which file they are about.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ["naming", "whole_file", "write_whole"]


def write_whole(path: Path, text: str) -> None:
    """Write a text file; until all of it is on disk, the earlier one stays."""
    with whole_file(path) as file:
        file.write(text.encode())


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Write a file within the block; until all of it is on disk, the earlier one stays."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    with naming(path):
        try:
            with unfinished.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an OSError of the block name a file: one that comes while a file is written names none by itself."""
    try:
        yield
    except OSError as error:
        error.filename = str(path)
        raise
