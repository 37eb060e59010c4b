"""``Problem``: one thing that is wrong with a data set."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from runners.datasets.reading import DatasetError

__all__ = ["Problem"]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a data set.

    Args:
        file: Where, relative to the data set's folder.
        what: What is there, and what was expected.
        remedy: What mends it; the same text for the same kind of problem.
        untidy: Whether the training reads the data set all the same, and learns what was recorded.
    """

    file: Path
    what: str
    remedy: str
    untidy: bool = False

    @classmethod
    def of(cls, error: DatasetError, *, untidy: bool = False) -> Self:
        """Return what an error of reading tells."""
        return cls(error.file, error.what, error.remedy, untidy)

    def of_episode(self, index: int) -> "Problem":
        """Return it with the episode named, for a file that several share."""
        return replace(self, what=f"episode {index}: {self.what}")
