"""Features: what each frame of a data set holds, and how LeRobot's and GR00T's metadata say so.

Classes:
    Features: the keys of an embodiment with their widths, and the columns that follow from them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runners.datasets.paths import CHUNK_SIZE, DATA_PATH, VIDEO_PATH, annotation_column, video_column

__all__ = ["DEFAULT_ANNOTATION", "Features"]

PREFIX = "annotation."
DEFAULT_ANNOTATION = f"{PREFIX}human.task_description"
"""Language key for an embodiment whose own is none of GR00T's data sets: GR00T reads ``task`` from the list of
episodes, any other key from the column that ``meta/modality.json`` has under it."""

INDEX_COLUMNS = ("frame_index", "episode_index", "index", "task_index")


@dataclass(frozen=True)
class Features:
    """What each frame holds: state and pixels before the action, the action, and what it brought.

    Args:
        fps: Control steps per second of simulated time.
        state: State key to its width, in the order in which ``observation.state`` holds them.
        action: Action key to its width, in the order in which ``action`` holds them.
        video: Video key to (H, W).
        languages: The server's keys for the instruction, which is the same under all of them.
        robot_type: Whose data it is.
        has_rewards: Whether frames hold ``next.reward``.
        has_success: Whether frames hold ``next.success``.
    """

    fps: float
    state: Mapping[str, int]
    action: Mapping[str, int]
    video: Mapping[str, tuple[int, int]]
    languages: tuple[str, ...] = ("task",)
    robot_type: str = "unknown"
    has_rewards: bool = False
    has_success: bool = False

    @property
    def annotations(self) -> dict[str, str]:
        """Language key to the column that holds the number of the instruction, beside ``task_index``."""
        keys = [key for key in self.languages if key.startswith(PREFIX)] or [DEFAULT_ANNOTATION]
        return {key: annotation_column(key.removeprefix(PREFIX)) for key in keys}

    @property
    def read_languages(self) -> list[str]:
        """The language keys under which GR00T reads the instruction."""
        return [key for key in self.languages if key == "task" or key.startswith(PREFIX)] or list(self.annotations)

    @property
    def float_columns(self) -> dict[str, int]:
        """The columns that GR00T wants statistics of, with their widths."""
        widths = {"observation.state": sum(self.state.values()), "action": sum(self.action.values()), "timestamp": 1}
        return widths | ({"next.reward": 1} if self.has_rewards else {})

    def to_modality(self) -> dict[str, Any]:
        """Return ``meta/modality.json``: which slice of the vectors is which key."""
        return {
            "state": _slices(self.state),
            "action": _slices(self.action),
            "video": {key: {"original_key": video_column(key)} for key in self.video},
            "annotation": {
                key.removeprefix(PREFIX): {} if column == key else {"original_key": column}
                for key, column in self.annotations.items()
            },
        }

    def to_info(self, *, episodes: int, frames: int, tasks: int) -> dict[str, Any]:
        """Return ``meta/info.json``.

        Args:
            episodes: How many there are.
            frames: In all episodes.
            tasks: Different instructions.
        """
        return {
            "codebase_version": "v2.1",
            "robot_type": self.robot_type,
            "total_episodes": episodes,
            "total_frames": frames,
            "total_tasks": tasks,
            "total_videos": episodes * len(self.video),
            "total_chunks": -(-episodes // CHUNK_SIZE),
            "chunks_size": CHUNK_SIZE,
            "fps": self.whole_fps,
            "splits": {"train": f"0:{episodes}"},
            "data_path": DATA_PATH,
            "video_path": VIDEO_PATH,
            "features": self.to_features(),
        }

    def to_features(self) -> dict[str, Any]:
        """Return ``features`` of ``meta/info.json``: type and shape of each column and video."""
        return {
            **{video_column(key): self._video_feature(*size) for key, size in self.video.items()},
            "observation.state": _vector(self.state),
            "action": _vector(self.action),
            "timestamp": _number("float32"),
            **{column: _number("int64") for column in (*INDEX_COLUMNS, *self.annotations.values())},
            "next.done": _number("bool"),
            **({"next.reward": _number("float32")} if self.has_rewards else {}),
            **({"next.success": _number("bool")} if self.has_success else {}),
        }

    @property
    def whole_fps(self) -> int | float:
        """The rate as LeRobot writes it, a whole number where it is one: 1 / 0.0333... is a rounding away from it."""
        return round(self.fps) if abs(self.fps - round(self.fps)) < 1e-6 else self.fps

    def _video_feature(self, height: int, width: int) -> dict[str, Any]:
        info = {
            "video.fps": self.whole_fps,
            "video.height": height,
            "video.width": width,
            "video.channels": 3,
            "video.codec": "h264",
            "video.pix_fmt": pixel_format(height, width),
            "video.is_depth_map": False,
            "has_audio": False,
        }
        return {"dtype": "video", "shape": [height, width, 3], "names": ["height", "width", "channels"], "info": info}


def pixel_format(height: int, width: int) -> str:
    """Return how pixels of this size are encoded: 4:2:0 takes even sizes only."""
    return "yuv444p" if height % 2 or width % 2 else "yuv420p"


def _slices(widths: Mapping[str, int]) -> dict[str, dict[str, int]]:
    slices, start = {}, 0
    for key, width in widths.items():
        slices[key] = {"start": start, "end": start + width}
        start += width
    return slices


def _vector(widths: Mapping[str, int]) -> dict[str, Any]:
    names = [key if width == 1 else f"{key}.{i}" for key, width in widths.items() for i in range(width)]
    return {"dtype": "float32", "shape": [len(names)], "names": names}


def _number(dtype: str) -> dict[str, Any]:
    return {"dtype": dtype, "shape": [1], "names": None}
