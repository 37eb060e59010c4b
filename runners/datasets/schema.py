"""What the JSON files of a data set may hold: types, and bounds that no robot's data reach.

Whatever is read is checked against these once, so that nobody after that has to ask whether a shape is a list of small
numbers. Fields that are not named here are not looked at.

Classes:
    InfoFile, Feature: ``meta/info.json``.
    RecordedEpisode: a line of ``meta/episodes.jsonl``.
    TaskLine: a line of ``meta/tasks.jsonl``.
    ModalityFile, Slice, Source: ``meta/modality.json``.
    EpisodeStatistics: a line of ``meta/episodes_stats.jsonl``.
"""

import math
from typing import Annotated, Any

from msgspec import Meta, Struct
from msgspec.structs import force_setattr

__all__ = [
    "MAX_EPISODE_ROWS",
    "MAX_WIDTH",
    "EpisodeStatistics",
    "Feature",
    "InfoFile",
    "ModalityFile",
    "RecordedEpisode",
    "Slice",
    "Source",
    "TaskLine",
]

MAX_WIDTH = 4096
"""Most numbers that a row holds in one column."""

MAX_EPISODE_ROWS = 1_000_000
"""Most control steps of an episode: nine hours at 30 a second."""

SEEDS = range(2**32)
"""What every generator takes as a seed."""

Index = Annotated[int, Meta(ge=0, le=10_000_000)]
Bound = Annotated[int, Meta(ge=0, le=MAX_WIDTH)]
Sizes = Annotated[tuple[Annotated[int, Meta(ge=1, le=2**15)], ...], Meta(min_length=1, max_length=4)]


class Feature(Struct, frozen=True):
    """What is kept under the name of a column or a video.

    Args:
        dtype: Of numpy, or ``video``, ``image``, ``string``.
        shape: Of a frame's part.
    """

    dtype: str
    shape: Sizes

    def __post_init__(self) -> None:
        if self.dtype in ("video", "image"):
            if len(self.shape) != 3:
                raise ValueError(f"shape {list(self.shape)} is none of height, width and channels")
        elif self.width > MAX_WIDTH:
            raise ValueError(f"shape {list(self.shape)} is {self.width} numbers, but no robot has {MAX_WIDTH}")

    @property
    def width(self) -> int:
        """Numbers of a row."""
        return math.prod(self.shape)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of a picture; LeRobot takes the channels before or after them."""
        first, second, third = self.shape
        return (second, third) if first <= 4 < third else (first, second)

    @property
    def is_numbers(self) -> bool:
        """Whether its column holds a number a row, or a vector of them."""
        return self.dtype not in ("video", "image", "string") and len(self.shape) == 1


class InfoFile(Struct):
    """``meta/info.json``; its counts are compared with what there is, and nothing is done with them."""

    fps: Annotated[float, Meta(ge=1e-3, lt=10_000)]
    chunks_size: Annotated[int, Meta(ge=1, le=10_000_000)]
    features: dict[str, Any]
    codebase_version: str | None = None
    data_path: str | None = None
    video_path: str | None = None
    robot_type: Any = None
    total_episodes: Any = None
    total_frames: Any = None
    total_tasks: Any = None
    total_videos: Any = None
    total_chunks: Any = None


class RecordedEpisode(Struct, frozen=True, rename={"index": "episode_index"}):
    """A line of ``meta/episodes.jsonl``. What only this project's recorder writes is None in any other form.

    Args:
        index: ``episode_index``, from 0.
        length: Control steps, which are rows and video frames.
        tasks: Its instructions.
        seed: Seed of its start.
        success: Whether it succeeded; None too where there was nothing to judge by.
        plan_index: Which episode of its run it is.
    """

    index: Index
    length: Annotated[int, Meta(ge=1, le=MAX_EPISODE_ROWS)]
    tasks: Annotated[tuple[str, ...], Meta(min_length=1)]
    seed: Any = None
    success: Any = None
    plan_index: Any = None

    def __post_init__(self) -> None:
        if not _is_whole(self.seed) or self.seed not in SEEDS:
            force_setattr(self, "seed", None)
        if not _is_whole(self.plan_index):
            force_setattr(self, "plan_index", None)
        if not isinstance(self.success, bool):
            force_setattr(self, "success", None)


class TaskLine(Struct):
    """A line of ``meta/tasks.jsonl``: an instruction and its number."""

    task_index: Index
    task: str


class Slice(Struct):
    """A key of ``state`` or ``action`` in ``meta/modality.json``: the numbers [start, end) of a column."""

    start: Bound
    end: Bound
    original_key: str | None = None

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError(f"it is the numbers [{self.start}, {self.end}), but start is less than end")


class Source(Struct):
    """A key of ``video`` or ``annotation`` in ``meta/modality.json``."""

    original_key: str | None = None


class ModalityFile(Struct):
    """``meta/modality.json``: an entry for each key."""

    state: dict[str, Any] | None = None
    action: dict[str, Any] | None = None
    video: dict[str, Any] | None = None
    annotation: dict[str, Any] | None = None


class EpisodeStatistics(Struct, rename={"index": "episode_index"}):
    """A line of ``meta/episodes_stats.jsonl``."""

    index: Index
    stats: dict[str, Any]


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
