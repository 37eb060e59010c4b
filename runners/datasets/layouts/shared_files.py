"""``SharedFiles``: v3.0, where a parquet file and a video hold many episodes, and a table says from where to where.

Classes:
    SharedFiles: the layout.
    Place: where rows and frames of an episode are.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import numpy as np
from msgspec import Meta, Struct

from runners.datasets.frames import decoded
from runners.datasets.layouts.layout import OpenVideo
from runners.datasets.layouts.tables import read_table_rows
from runners.datasets.metadata import Info
from runners.datasets.paths import EPISODES_TABLES, TASKS_TABLE
from runners.datasets.reading import COPY_AGAIN, DatasetError, checked, path_of
from runners.datasets.rows import EpisodeRows, Most
from runners.datasets.schema import RecordedEpisode, TaskLine

__all__ = ["FRAME_TOLERANCE_S", "Place", "SharedFiles", "is_of_places", "is_of_statistics"]

FRAME_TOLERANCE_S = 1e-4
"""By how much a frame may miss the time of its row: LeRobot's training ends with an error where one does by more."""

OF_A_FILE = Most(
    2**23, 2**27, "file of several episodes", "Part it into files of 100 MB, as LeRobot does, or convert it again."
)

UNNAMED_INDEX = "__index_level_0__"
"""What the column of instructions is called where LeRobot left it without a name."""

Array: TypeAlias = np.ndarray[Any, Any]
Index = Annotated[int, Meta(ge=0, le=10_000_000)]
Row = Annotated[int, Meta(ge=0, le=2**40)]
Seconds = Annotated[float, Meta(ge=0, le=1e7)]


class RowsPlace(Struct, frozen=True, rename={"chunk": "data/chunk_index", "number": "data/file_index"}):
    """Where the rows of an episode are, as the table says.

    Args:
        chunk, number: Those of the file.
        dataset_from_index, dataset_to_index: The rows [from, to), counted over all episodes.
    """

    chunk: Index
    number: Index
    dataset_from_index: Row
    dataset_to_index: Row


class VideoPlace(Struct, frozen=True):
    """Where the frames of an episode are, as the table says.

    Args:
        chunk_index, file_index: Those of the file.
        from_timestamp, to_timestamp: Seconds in the file.
    """

    chunk_index: Index
    file_index: Index
    from_timestamp: Seconds
    to_timestamp: Seconds


@dataclass(frozen=True)
class Place:
    """Where an episode is.

    Args:
        episode: What the table says of it.
        rows: Where its rows are.
        videos: Where its frames are, by camera.
    """

    episode: RecordedEpisode
    rows: RowsPlace
    videos: Mapping[str, VideoPlace]


def is_of_places(column: str) -> bool:
    """Say whether a column of the table tells where an episode's files are."""
    return column.startswith(("data/", "videos/", "meta/")) or column in ("dataset_from_index", "dataset_to_index")


def is_of_statistics(column: str) -> bool:
    """Say whether a column of the table holds statistics."""
    return column.startswith("stats/")


class SharedFiles:
    """Layout (``runners.datasets.layouts.layout.Layout``) of files that many episodes share.

    The columns of the parquet file that was read last are kept, for the next episode in it.
    """

    episodes_file = EPISODES_TABLES
    tasks_file = TASKS_TABLE
    frame_tolerance_s = FRAME_TOLERANCE_S

    def __init__(self, folder: Path, info: Info) -> None:
        self.folder, self.info = folder, info
        self._columns: tuple[Path, dict[str, Array]] = (Path(), {})

    @cached_property
    def places(self) -> dict[int, Place]:
        """Where each episode is, in the order of the table.

        Raises:
            DatasetError: The table is missing or damaged, or an index comes twice.
        """
        places: dict[int, Place] = {}
        for row in self.table(lambda name: not is_of_statistics(name)):
            place = self._place(row)
            index = place.episode.index
            if index in places:
                raise DatasetError(EPISODES_TABLES, f"episode_index {index} comes twice", COPY_AGAIN)
            places[index] = place
        return places

    def table(self, wanted: Callable[[str], bool]) -> Iterator[dict[str, Any]]:
        """Yield the rows of ``meta/episodes/``, with the columns that are wanted, as ``read_table_rows`` does."""
        files = sorted((self.folder / EPISODES_TABLES).glob("*/*.parquet"))
        if not files:
            raise DatasetError(EPISODES_TABLES, "holds no parquet file", COPY_AGAIN)
        for file in files:
            yield from read_table_rows(self.folder, file.relative_to(self.folder), wanted)

    def episodes(self) -> list[RecordedEpisode]:
        """Return the rows of ``meta/episodes/``."""
        return [place.episode for place in self.places.values()]

    def tasks(self) -> dict[int, str]:
        """Return the rows of ``meta/tasks.parquet``."""
        tasks: dict[int, str] = {}
        for row in read_table_rows(self.folder, TASKS_TABLE, lambda _: True):
            told = {"task_index": row.get("task_index"), "task": row.get("task", row.get(UNNAMED_INDEX))}
            line = checked(told, TaskLine, TASKS_TABLE, "a row", COPY_AGAIN)
            if line.task_index in tasks:
                raise DatasetError(TASKS_TABLE, f"task_index {line.task_index} comes twice", COPY_AGAIN)
            tasks[line.task_index] = line.task
        return tasks

    def rows_file(self, episode: int) -> Path:
        """Return the parquet file that holds the rows of an episode, relative to the folder."""
        rows = self.places[episode].rows
        return path_of(self.info.file.data_path, chunk_index=rows.chunk, file_index=rows.number)

    def video_file(self, episode: int, camera: str) -> Path:
        """Return the video that holds the frames of an episode, relative to the folder."""
        video = self.places[episode].videos[camera]
        fields = {"chunk_index": video.chunk_index, "file_index": video.file_index}
        return path_of(self.info.file.video_path, **fields, video_key=camera)

    @contextmanager
    def rows(self, episode: int) -> Iterator["SharedRows"]:
        """Open the rows of an episode."""
        place, file = self.places[episode].rows, self.rows_file(episode)
        if self._columns[0] != file:
            self._columns = (file, {})
        kept = self._columns[1]
        left = OF_A_FILE.numbers - sum(values.size for values in kept.values())
        with EpisodeRows(self.folder, file, replace(OF_A_FILE, numbers=left)) as whole:
            first = self._first_rows[place.chunk, place.number]
            span = range(place.dataset_from_index - first, place.dataset_to_index - first)
            if span.stop > whole.count:
                what = f"has {whole.count} rows, but episode {episode} is the rows [{span.start}, {span.stop}) of it"
                raise DatasetError(file, what, COPY_AGAIN)
            yield SharedRows(whole, span, kept)

    @contextmanager
    def frames(self, episode: int, camera: str, **codec: str) -> Iterator[OpenVideo]:
        """Open the frames of an episode."""
        place = self.places[episode].videos[camera]
        begin, half = place.from_timestamp, 0.5 / self.info.fps
        with decoded(self.folder, self.video_file(episode, camera), begin, **codec) as (stream, frames):

            def of_episode() -> Iterator[tuple[float, Any]]:
                for frame in frames:
                    time = float(frame.time or 0)
                    if time >= place.to_timestamp - half:
                        return
                    if time >= begin - half:
                        yield time - begin, frame

            yield stream, of_episode()

    @cached_property
    def _first_rows(self) -> dict[tuple[int, int], int]:
        """The row, counted over all episodes, that is the first of each file."""
        first: dict[tuple[int, int], int] = {}
        for place in self.places.values():
            file = (place.rows.chunk, place.rows.number)
            first[file] = min(first.get(file, place.rows.dataset_from_index), place.rows.dataset_from_index)
        return first

    def _place(self, row: Mapping[str, Any]) -> Place:
        def told(kind: Any, content: Mapping[str, Any], what: str) -> Any:
            return checked(content, kind, EPISODES_TABLES, what, COPY_AGAIN)

        episode = told(RecordedEpisode, row, "a row")
        rows = told(RowsPlace, row, f"the row of episode {episode.index}")
        if rows.dataset_to_index - rows.dataset_from_index != episode.length:
            what = (
                f"episode {episode.index} is {episode.length} rows long, but the rows "
                f"[{rows.dataset_from_index}, {rows.dataset_to_index}) are its"
            )
            raise DatasetError(EPISODES_TABLES, what, COPY_AGAIN)
        videos = {}
        for camera in self.info.cameras:
            prefix = f"videos/{camera}/"
            content = {name.removeprefix(prefix): value for name, value in row.items() if name.startswith(prefix)}
            videos[camera] = told(VideoPlace, content, f"where episode {episode.index} of {camera!r:.80} is")
        return Place(episode, rows, videos)


class SharedRows:
    """The rows of one episode (``runners.datasets.layouts.layout.Rows``) out of a file of several.

    Args:
        whole: All rows of the file.
        span: Which of them are the episode's.
        kept: Columns of the file that were read already, and those that this one reads.
    """

    def __init__(self, whole: EpisodeRows, span: range, kept: dict[str, Array]) -> None:
        self._whole, self._span, self._kept = whole, span, kept
        self.file, self.names, self.count = whole.file, whole.names, len(span)

    def kind(self, name: str) -> tuple[str, int | None]:
        """Return what a column declares, as ``EpisodeRows`` does."""
        return self._whole.kind(name)

    def column(self, name: str) -> Array:
        """Return the episode's part of a column, as ``EpisodeRows`` does."""
        if name not in self._kept:
            self._kept[name] = self._whole.column(name)
        return self._kept[name][self._span.start : self._span.stop]
