"""``episodes.jsonl``: a line an attempt, on disk before the next step is played, and readable after any kill.

* ``EpisodeLog``: appends rows; goes on where an earlier start of the run was killed.
* ``read_rows``: reads the rows of any run.
"""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from runners.episodes.row import EpisodeRow
from runners.utils.atomic_files import naming
from runners.utils.json_files import parse_json

__all__ = ["EpisodeLog", "read_rows"]


@dataclass
class EpisodeLog:
    """The rows of a run, each written through to the disk, so that no kill takes it away.

    Args:
        path: The file; the rows that it holds already are kept, but for a last line that a kill left half-written.
        rows: All rows so far.
    """

    path: Path
    rows: list[EpisodeRow] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._file = self.path.open("ab", buffering=0)  # nothing that was refused is tried again on closing
        written = self.path.read_bytes()
        self._file.truncate(written.rfind(b"\n") + 1)
        self.rows, _ = read_rows(self.path)
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self._file.close()

    def append(self, row: EpisodeRow) -> None:
        """Write one row through to the disk.

        Raises:
            OSError: It cannot be written, the disk being full; the file then holds nothing of it.
        """
        rest = json.dumps(row.to_json()).encode() + b"\n"
        written = self._file.seek(0, os.SEEK_END)
        with naming(self.path):
            try:
                while rest:
                    rest = rest[self._file.write(rest) :]
                os.fsync(self._file.fileno())
            except OSError:
                self._file.truncate(written)
                raise
        self.rows.append(row)


def read_rows(path: Path) -> tuple[list[EpisodeRow], list[str]]:
    """Read ``episodes.jsonl``, with notes on the lines that are no rows: a kill may leave half a line."""
    rows: list[EpisodeRow] = []
    notes: list[str] = []
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            rows.append(parse_json(line, EpisodeRow))  # fields that a later version writes are not looked at
        except ValueError:
            half = number == len(lines)
            what = "its last line is half-written, as a kill leaves it" if half else f"its line {number} is no row"
            notes.append(f"{path.name}: {what}; left out")
    return rows, notes
