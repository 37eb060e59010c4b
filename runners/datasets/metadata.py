"""What the files in ``meta/`` of a LeRobot v2.1 data set say, as GR00T reads them.

Classes:
    Info: ``meta/info.json``.
    RecordedEpisode: a line of ``meta/episodes.jsonl``.
    Part: some numbers of a vector column, under the name that GR00T knows them by.
    Modality: ``meta/modality.json``.

Each has ``read``, which takes the data set's folder and raises a ``DatasetError`` at the first thing that is wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from runners.datasets.layout import EPISODES, INFO, MODALITY, TASKS, video_column
from runners.datasets.reading import DatasetError, episode_file, read_json, read_json_lines

__all__ = ["Info", "Modality", "Part", "RecordedEpisode", "read_tasks"]

VECTORS = {"state": "observation.state", "action": "action"}
"""The column that a modality's numbers are taken from where ``meta/modality.json`` names none."""


@dataclass(frozen=True)
class Info:
    """``meta/info.json``.

    Args:
        fps: Control steps, rows and frames a second.
        chunk_size: Episodes in a folder of ``data/`` and ``videos/``.
        features: Column or video name to what is kept under it: ``dtype``, ``shape`` and more.
        raw: All of the file.
    """

    fps: float
    chunk_size: int
    features: Mapping[str, Mapping[str, Any]]
    raw: Mapping[str, Any]

    @classmethod
    def read(cls, folder: Path) -> Self:  # noqa: D102  # the module tells
        raw = read_json(folder, INFO)
        version = _typed(raw, "codebase_version", str, INFO)
        if not version.startswith("v2."):
            raise DatasetError(
                INFO,
                f"codebase_version is {version!r:.40}, but GR00T reads v2.0 and v2.1",
                "Convert it: LeRobot has scripts that convert between its versions.",
            )
        fps = _typed(raw, "fps", (int, float), INFO)
        chunk_size = _typed(raw, "chunks_size", int, INFO)
        features = _typed(raw, "features", dict, INFO)
        if chunk_size < 1 or not 0 < fps < 10_000:
            raise DatasetError(INFO, f"chunks_size is {chunk_size} and fps is {fps}", "Both are positive numbers.")
        for name, feature in features.items():
            if not isinstance(feature, Mapping) or not {"dtype", "shape"} <= set(feature):
                raise DatasetError(INFO, f"the feature {name} has no dtype and shape", "Write them beside its name.")
        return cls(fps, chunk_size, features, raw)

    @property
    def cameras(self) -> list[str]:
        """Names of the video features."""
        return [name for name, feature in self.features.items() if feature["dtype"] == "video"]

    def rows_file(self, episode: int) -> Path:
        """Return the parquet file of an episode, relative to the folder."""
        return episode_file(self.raw.get("data_path"), episode, self.chunk_size)

    def video_file(self, episode: int, feature: str) -> Path:
        """Return the video file of an episode and a video feature, relative to the folder."""
        return episode_file(self.raw.get("video_path"), episode, self.chunk_size, feature)


@dataclass(frozen=True)
class RecordedEpisode:
    """A line of ``meta/episodes.jsonl``.

    Args:
        index: ``episode_index``, from 0.
        length: Control steps, which are rows and video frames.
        tasks: Its instructions.
        seed: Seed of its start, None where whoever recorded it kept none.
        success: Whether it succeeded, None where that was not kept, or there was nothing to judge by.
    """

    index: int
    length: int
    tasks: tuple[str, ...]
    seed: int | None = None
    success: bool | None = None

    @classmethod
    def read(cls, folder: Path) -> list[Self]:
        """Read all episodes; they are numbered from 0 without gaps, as LeRobot takes an episode by its line."""
        episodes = []
        for position, row in enumerate(read_json_lines(folder, EPISODES)):
            index = _typed(row, "episode_index", int, EPISODES)
            length = _typed(row, "length", int, EPISODES)
            tasks = _typed(row, "tasks", list, EPISODES)
            if index != position:
                raise DatasetError(
                    EPISODES,
                    f"the episode on line {position + 1} has episode_index {index}, but {position} comes there",
                    "Episodes are numbered from 0 without gaps, in order: number them, their files and rows anew.",
                )
            if length < 1 or not tasks or not all(isinstance(task, str) for task in tasks):
                raise DatasetError(
                    EPISODES,
                    f"episode {index} has length {length} and tasks {tasks!r:.80}",
                    "An episode has at least one row, and a list of at least one text.",
                )
            seed, success = row.get("seed"), row.get("success")
            kept = seed if isinstance(seed, int) and not isinstance(seed, bool) else None
            episodes.append(cls(index, length, tuple(tasks), kept, success if isinstance(success, bool) else None))
        return episodes


def read_tasks(folder: Path) -> dict[int, str]:
    """Read ``meta/tasks.jsonl``: the instruction of each ``task_index``.

    Raises:
        DatasetError: It is missing, or an index comes twice.
    """
    tasks: dict[int, str] = {}
    for row in read_json_lines(folder, TASKS):
        index = _typed(row, "task_index", int, TASKS)
        if index in tasks:
            raise DatasetError(TASKS, f"task_index {index} comes twice", "Each instruction has an index of its own.")
        tasks[index] = _typed(row, "task", str, TASKS)
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
        raw = read_json(folder, MODALITY)
        entries: dict[str, dict[str, Any]] = {}
        for kind in ("state", "action", "video", "annotation"):
            entries[kind] = raw.get(kind) or {}
            if not isinstance(entries[kind], dict) or not all(isinstance(e, dict) for e in entries[kind].values()):
                raise DatasetError(MODALITY, f"{kind} does not hold an entry for each key", f"Write {kind}: {{...}}.")
        parts: dict[str, dict[str, Part]] = {"state": {}, "action": {}}
        for kind, found in parts.items():
            for key, entry in entries[kind].items():
                start, end = _typed(entry, "start", int, MODALITY), _typed(entry, "end", int, MODALITY)
                if not 0 <= start < end:
                    raise DatasetError(
                        MODALITY,
                        f"{kind}.{key} is the numbers [{start}, {end})",
                        "start is at least 0 and less than end, which is not included.",
                    )
                found[key] = Part(_column(entry, VECTORS[kind]), start, end)
        return cls(
            parts["state"],
            parts["action"],
            {key: _column(entry, video_column(key)) for key, entry in entries["video"].items()},
            {f"annotation.{key}": _column(entry, f"annotation.{key}") for key, entry in entries["annotation"].items()},
        )


def _column(entry: Mapping[str, Any], default: str) -> str:
    return default if entry.get("original_key") is None else str(_typed(entry, "original_key", str, MODALITY))


def _typed(row: Mapping[str, Any], key: str, kind: type | tuple[type, ...], file: Path) -> Any:
    """Return a value of the type that it must have."""
    value = row.get(key)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise DatasetError(file, f"{key} is {value!r:.60} in {dict(row)!r:.120}", f"Write {key} as LeRobot v2.1 does.")
    return value
