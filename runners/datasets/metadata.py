"""What the files in ``meta/`` of a LeRobot v2.1 data set say, as GR00T reads them.

* ``Info``: ``meta/info.json``.
* ``read_episodes``: ``meta/episodes.jsonl``; ``count_episodes`` where it may not be there.
* ``read_tasks``: ``meta/tasks.jsonl``.
* ``Modality``, ``Part``: ``meta/modality.json``, and some numbers of a vector column under the name of a key.

Each reader takes the data set's folder and raises a ``DatasetError`` at the first thing that is wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from groot_wrappers.errors import ContractError
from runners.datasets.paths import EPISODES, INFO, MODALITY, TASKS
from runners.datasets.reading import DatasetError, checked, episode_file, read_json, read_lines
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
    "require_episodes",
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
    "v3": "Convert it with Isaac-GR00T's scripts/lerobot_conversion/convert_v3_to_v2.py, as LeRobot's own "
    "convert_dataset_v21_to_v30 goes the other way only.",
}
"""What makes a data set that GR00T reads out of one of another version."""


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
        if isinstance(version, str) and not version.startswith("v2."):
            remedy = CONVERSIONS.get(version[:2], "LeRobot has scripts that convert between its versions.")
            raise OtherVersionError(INFO, f"codebase_version is {version!r:.40}, but GR00T reads v2.0 and v2.1", remedy)
        file = read_json(folder, INFO, InfoFile)
        remedy = "Write the dtype and shape of its numbers, as LeRobot v2.1 does."
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
    def cameras(self) -> list[str]:
        """Names of the video features."""
        return [name for name, feature in self.features.items() if feature.dtype == "video"]

    def rows_file(self, episode: int) -> Path:
        """Return the parquet file of an episode, relative to the folder."""
        return episode_file(self.file.data_path, episode, self.file.chunks_size)

    def video_file(self, episode: int, feature: str) -> Path:
        """Return the video file of an episode and a video feature, relative to the folder."""
        return episode_file(self.file.video_path, episode, self.file.chunks_size, feature)


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


def require_episodes(folder: Path) -> list[RecordedEpisode]:
    """Return the episodes of a data set that is to be played or shown.

    Raises:
        Gr00tError: As ``read_episodes``, or there is none.
    """
    if not (folder / EPISODES).exists():
        read_json(folder, INFO, dict[str, Any], NO_DATA_SET)  # says that there is no data set at all
    episodes = read_episodes(folder)
    if not episodes:
        raise ContractError(
            f"{folder} holds no episode, so that there is nothing to play or to show. Record some: groot-play "
            '"recorder=[lerobot]"; recorder.lerobot.episodes=all keeps those too that do not succeed.'
        )
    return episodes


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
