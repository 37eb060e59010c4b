"""EpisodeRecording: the frames of an episode that runs, of which no reader knows yet.

Classes:
    Frame: what one control step leaves.
    EpisodeRecording: encodes pixels as they come and keeps numbers, until the episode is finished or thrown away.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from runners.datasets.features import Features, pixel_format
from runners.datasets.paths import video_column
from runners.datasets.statistics import PixelCounter
from runners.utils.mp4 import Mp4Writer

__all__ = ["EpisodeRecording", "Frame"]

ENCODING = {"preset": "ultrafast", "crf": "15", "g": "2"}
"""Of libx264: quick to encode and to decode rather than small; every second frame is a key frame, as LeRobot has it,
for trainings that read frames at random."""

Array: TypeAlias = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Frame:
    """What one control step leaves: state and pixels are those before the action.

    Args:
        state: State key to float32 (D,).
        video: Video key to uint8 (H, W, 3).
        action: Action key to float32 (D,).
        reward: What the step brought; None where the features hold no rewards.
        success: Whether the step ended the episode with success; None where the features hold no such thing.
    """

    state: Mapping[str, Array]
    video: Mapping[str, Array]
    action: Mapping[str, Array]
    reward: float | None = None
    success: bool | None = None


class EpisodeRecording:
    """Takes the frames of one episode. Pixels are encoded at once, into files of its own; numbers are kept.

    Args:
        folder: A folder that is its own.
        features: What each frame holds.
    """

    def __init__(self, folder: Path, features: Features) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True)
        self.pixels = {key: PixelCounter() for key in features.video}
        self._features = features
        self._rows: dict[str, list[Array]] = {"observation.state": [], "action": []}
        self._brought: dict[str, list[float | bool | None]] = {"next.reward": [], "next.success": []}
        self._videos = {
            key: Mp4Writer(self.video(key), size, features.fps, ENCODING, pixel_format(*size))
            for key, size in features.video.items()
        }

    @property
    def length(self) -> int:
        """Frames so far."""
        return len(self._rows["action"])

    def video(self, key: str) -> Path:
        """Return the file of a camera."""
        return self.folder / f"{video_column(key)}.mp4"

    def add(self, frame: Frame) -> None:
        """Take a frame."""
        self._rows["observation.state"].append(_row(frame.state, self._features.state))
        self._rows["action"].append(_row(frame.action, self._features.action))
        self._brought["next.reward"].append(frame.reward)
        self._brought["next.success"].append(frame.success)
        for key, video in self._videos.items():
            pixels = np.ascontiguousarray(frame.video[key])
            video.write(pixels)
            self.pixels[key].add(pixels)

    def close(self) -> None:
        """Finish the videos; they can be played after this only."""
        for video in self._videos.values():
            video.close()
        self._videos = {}

    def columns(self) -> dict[str, Array]:
        """Return the numbers of all frames: (frames, D), and (frames,) where D is 1."""
        columns = {name: np.stack(rows) for name, rows in self._rows.items()}
        columns = {name: values[:, 0] if values.shape[1:] == (1,) else values for name, values in columns.items()}
        columns["next.done"] = np.arange(self.length) == self.length - 1
        if self._features.has_rewards:
            columns["next.reward"] = np.array(self._brought["next.reward"], np.float32)
        if self._features.has_success:
            columns["next.success"] = np.array(self._brought["next.success"], bool)
        return columns


def _row(values: Mapping[str, Array], widths: Mapping[str, int]) -> Array:
    """Put the keys side by side, float32 (D,), in the order of the features."""
    return np.concatenate([np.asarray(values[key], np.float32).reshape(width) for key, width in widths.items()])
