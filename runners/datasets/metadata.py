"""What the files in ``meta/`` of a LeRobot data set say, as GR00T reads them.

* ``Info``: ``meta/info.json``.
* ``read_episodes``: ``meta/episodes.jsonl`` of v2.1; ``count_episodes`` where it may not be there.
* ``read_tasks``: ``meta/tasks.jsonl`` of v2.1.
* ``Modality``, ``Part``: ``meta/modality.json``, and some numbers of a vector column under the name of a key.

Each reader takes the data set's folder and raises a ``DatasetError`` at the first thing that is wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from runners.datasets.paths import EPISODES, INFO, MODALITY, TASKS
from runners.datasets.reading import DatasetError, checked, path_of, read_json, read_lines
from runners.datasets.schema import Feature, InfoFile, ModalityFile, RecordedEpisode, Slice, Source, TaskLine

__all__ = [
    "VECTORS",
    "Info",
    "Modality",
    "OtherVersionError",
    "Part",
    "count_episodes",
    "read_episodes",
    "read_tasks",
]

T = TypeVar("T")

VECTORS = {"state": "observation.state", "action": "action"}
"""The column that a modality's numbers are taken from where ``meta/modality.json`` names none."""

NO_DATA_SET = (
    'This folder holds no data set. Name one, or record one: groot-play "recorder=[lerobot]"; a run that records no '
    "episode leaves none."
)

CONVERSIONS = {
    "v1": "Convert it with LeRobot 0.3.3: lerobot.datasets.v2.convert_dataset_v1_to_v2.",
}
"""What makes a data set that is read here out of one of another version."""

SHARED_FILES = "v3.0"
"""The version whose files hold many episodes each; in v2.0 and v2.1, each episode has files of its own."""


class OtherVersionError(DatasetError):
    """The data set has a version that lays out all its files otherwise."""


@dataclass(frozen=True)
class Info:
    """``meta/info.json``.

    Args:
        file: All that it says.
        features: Column or video name to what is kept under it.
    """

    file: InfoFile
    features: Mapping[str, Feature]

    @classmethod
    def read(cls, folder: Path) -> Self:  # noqa: D102  # the module tells
        version = read_json(folder, INFO, dict[str, Any], NO_DATA_SET).get("codebase_version")
        if isinstance(version, str) and not version.startswith("v2.") and version != SHARED_FILES:
            remedy = CONVERSIONS.get(version[:2], "LeRobot has scripts that convert between its versions.")
            what = f"codebase_version is {version!r:.40}, but v2.0, v2.1 and {SHARED_FILES} are read here"
            raise OtherVersionError(INFO, what, remedy)
        file = read_json(folder, INFO, InfoFile)
        remedy = "Write the dtype and shape of its numbers, as LeRobot does."
        return cls(
            file,
            {
                name: checked(entry, Feature, INFO, f"the feature {name!r:.80}", remedy)
                for name, entry in file.features.items()
            },
        )

    @property
    def fps(self) -> float:
        """Control steps, rows and frames a second."""
        return self.file.fps

    @property
    def has_shared_files(self) -> bool:
        """Whether its files hold many episodes each, as those of v3.0 do."""
        return self.file.codebase_version == SHARED_FILES

    @property
    def trainer(self) -> str:
        """Whose training reads its version."""
        return "LeRobot" if self.has_shared_files else "GR00T"

    @property
    def cameras(self) -> list[str]:
        """Names of the video features."""
        return [name for name, feature in self.features.items() if feature.dtype == "video"]

    def rows_file(self, episode: int) -> Path:
        """Return the parquet file of an episode of v2.1, relative to the folder."""
        return path_of(self.file.data_path, **self._fields(episode))

    def video_file(self, episode: int, feature: str) -> Path:
        """Return the video file of an episode of v2.1 and a video feature, relative to the folder."""
        return path_of(self.file.video_path, **self._fields(episode), video_key=feature)

    def _fields(self, episode: int) -> dict[str, int]:
        return {"episode_chunk": episode // self.file.chunks_size, "episode_index": episode}


def read_episodes(folder: Path) -> list[RecordedEpisode]:
    """Read all episodes, in the order of their lines. GR00T finds an episode's files by its index, so gaps may be.

    Raises:
        DatasetError: The list is missing or damaged, or an index comes twice.
    """
    episodes: dict[int, RecordedEpisode] = {}
    for episode in read_lines(folder, EPISODES, RecordedEpisode):
        if episode.index in episodes:
            raise DatasetError(
                EPISODES, f"episode_index {episode.index} comes twice", "Number the episodes and their files anew."
            )
        episodes[episode.index] = episode
    return list(episodes.values())


def count_episodes(folder: Path) -> int:
    """Return how many episodes a folder's data set holds; 0 for one that cannot be read, or is not there."""
    try:
        return len(read_episodes(folder))
    except DatasetError:
        return 0


def read_tasks(folder: Path) -> dict[int, str]:
    """Read ``meta/tasks.jsonl``: the instruction of each ``task_index``.

    Raises:
        DatasetError: It is missing, or an index comes twice.
    """
    tasks: dict[int, str] = {}
    for line in read_lines(folder, TASKS, TaskLine):
        if line.task_index in tasks:
            raise DatasetError(
                TASKS, f"task_index {line.task_index} comes twice", "Each instruction has an index of its own."
            )
        tasks[line.task_index] = line.task
    return tasks


@dataclass(frozen=True)
class Part:
    """Some numbers of a vector column: one key of ``state`` or ``action``.

    Args:
        column: The column of the rows.
        start, end: The numbers [start, end) of it.
    """

    column: str
    start: int
    end: int


@dataclass(frozen=True)
class Modality:
    """``meta/modality.json``: what stands behind each key that GR00T knows.

    Args:
        state, action: Key to the numbers behind it.
        video: Key to the video feature behind it.
        annotation: Language key, with its prefix ``annotation.``, to the column of task indices behind it.
    """

    state: Mapping[str, Part]
    action: Mapping[str, Part]
    video: Mapping[str, str]
    annotation: Mapping[str, str]

    @classmethod
    def read(cls, folder: Path) -> Self:  # noqa: D102  # the module tells
        remedy = "GR00T reads no data set without it, nor is one replayed: `groot-dataset check` says how to write it."
        file = read_json(folder, MODALITY, ModalityFile, remedy)

        def entries(kind: str, made_of: type[T]) -> Mapping[str, T]:
            found = getattr(file, kind) or {}
            remedy = f"Write each key of {kind} as GR00T's documentation of its data sets does."
            return {
                key: checked(entry, made_of, MODALITY, f"{kind}.{key!r:.80}", remedy) for key, entry in found.items()
            }

        def parts(kind: str) -> Mapping[str, Part]:
            return {
                key: Part(entry.original_key or VECTORS[kind], entry.start, entry.end)
                for key, entry in entries(kind, Slice).items()
            }

        def columns(kind: str, prefix: str) -> Mapping[str, str]:
            return {key: entry.original_key or f"{prefix}{key}" for key, entry in entries(kind, Source).items()}

        annotation = columns("annotation", "annotation.")
        return cls(
            parts("state"),
            parts("action"),
            columns("video", "observation.images."),
            {f"annotation.{key}": column for key, column in annotation.items()},
        )
