"""``EpisodeFiles``: v2.0 and v2.1, where each episode has a parquet file, and a video for each camera."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from runners.datasets.frames import decoded
from runners.datasets.layouts.layout import OpenVideo, Rows
from runners.datasets.metadata import Info, read_episodes, read_tasks
from runners.datasets.paths import EPISODES, TASKS
from runners.datasets.rows import EpisodeRows
from runners.datasets.schema import RecordedEpisode

__all__ = ["EpisodeFiles"]


@dataclass(frozen=True)
class EpisodeFiles:
    """Layout (``runners.datasets.layouts.layout.Layout``) with files of its own for each episode."""

    folder: Path
    info: Info

    episodes_file = EPISODES
    tasks_file = TASKS

    @property
    def frame_tolerance_s(self) -> float:
        """GR00T finds frames by their number, so that times may be off, but for those of another frame."""
        return 0.5 / self.info.fps

    def episodes(self) -> list[RecordedEpisode]:
        """Return the lines of ``meta/episodes.jsonl``."""
        return read_episodes(self.folder)

    def tasks(self) -> dict[int, str]:
        """Return the lines of ``meta/tasks.jsonl``."""
        return read_tasks(self.folder)

    def rows_file(self, episode: int) -> Path:
        """Return the parquet file of an episode, relative to the folder."""
        return self.info.rows_file(episode)

    def video_file(self, episode: int, camera: str) -> Path:
        """Return the video of an episode, relative to the folder."""
        return self.info.video_file(episode, camera)

    def rows(self, episode: int) -> AbstractContextManager[Rows]:
        """Open the parquet file of an episode."""
        return EpisodeRows(self.folder, self.rows_file(episode))

    @contextmanager
    def frames(self, episode: int, camera: str, **codec: str) -> Iterator[OpenVideo]:
        """Open the video of an episode."""
        with decoded(self.folder, self.video_file(episode, camera), 0.0, **codec) as (stream, frames):
            yield stream, ((float(frame.time or 0), frame) for frame in frames)
