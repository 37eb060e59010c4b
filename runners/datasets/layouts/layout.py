"""What is asked of a data set, whatever its version.

Classes:
    Layout: where the files are, and what is read from them.
    Rows: those of one episode.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import av
import numpy as np

from runners.datasets.metadata import Info
from runners.datasets.schema import RecordedEpisode

__all__ = ["Layout", "OpenVideo", "Rows"]

OpenVideo: TypeAlias = tuple[Any, Iterator[tuple[float, av.VideoFrame]]]
"""A stream, and the frames of an episode in it, each with its seconds from the episode's begin."""


class Rows(Protocol):
    """The rows of one episode, as ``runners.datasets.rows.EpisodeRows`` has them."""

    @property
    def file(self) -> Path:
        """Where they are, relative to the data set's folder."""

    @property
    def count(self) -> int:
        """How many there are."""

    @property
    def names(self) -> list[str]:
        """The columns."""

    def kind(self, name: str) -> tuple[str, int | None]:
        """Return numpy's name of a column's numbers, and how many a row holds."""

    def column(self, name: str) -> np.ndarray[Any, Any]:
        """Return a column, (rows,) for scalars, (rows, D) for vectors."""


class Layout(Protocol):
    """A data set. All that it reads raises a ``DatasetError`` where a file is missing, damaged or says nonsense."""

    @property
    def folder(self) -> Path:
        """Its folder."""

    @property
    def info(self) -> Info:
        """What ``meta/info.json`` says."""

    @property
    def episodes_file(self) -> Path:
        """Where the episodes are listed, relative to the folder."""

    @property
    def tasks_file(self) -> Path:
        """Where the instructions are listed, relative to the folder."""

    @property
    def frame_tolerance_s(self) -> float:
        """By how much a frame's time may differ from its row's before a training takes another, or none."""

    def episodes(self) -> list[RecordedEpisode]:
        """Return all episodes, in the order of the list."""

    def tasks(self) -> dict[int, str]:
        """Return the instruction of each ``task_index``, in the order of the list."""

    def rows_file(self, episode: int) -> Path:
        """Return the parquet file with the rows of an episode, relative to the folder."""

    def video_file(self, episode: int, camera: str) -> Path:
        """Return the video with the frames of an episode, relative to the folder."""

    def rows(self, episode: int) -> AbstractContextManager[Rows]:
        """Open the rows of an episode."""

    def frames(self, episode: int, camera: str, **codec: str) -> AbstractContextManager[OpenVideo]:
        """Open the frames of an episode and a video feature, with options of the decoder."""
