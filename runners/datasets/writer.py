"""DatasetWriter: adds finished episodes to a LeRobot v2.1 data set, which can be read after any kill.

An episode is written in this order, each file complete before it gets its name: videos; lists of instructions and of
statistics; numbers; the list of episodes, which makes it one of them; the totals. A kill in between leaves files that
no list names. GR00T never looks at them, and the next writer of the data set removes them. The first episode brings the
rest of the data set with it: where none was finished, there is none.
"""

import shutil
from itertools import count, islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

import msgspec
import numpy as np

from runners.datasets import paths
from runners.datasets.features import Features
from runners.datasets.files import (
    append_line,
    copy_with_line,
    flush,
    move_into_place,
    write_json,
    write_lines,
    write_rows,
)
from runners.datasets.reading import read_lines
from runners.datasets.recording import EpisodeRecording
from runners.datasets.resuming import read_to_go_on
from runners.datasets.schema import RecordedEpisode
from runners.datasets.statistics import dataset_statistics, episode_statistics
from runners.utils.atomic_files import write_whole

__all__ = ["DatasetWriter"]

STALE_SHARE = 0.1
"""Share of episodes that may be missing from ``stats.json`` while a data set grows, so that its cost stays linear. It
is exact again when the writer closes."""

Array: TypeAlias = np.ndarray[Any, Any]


class DatasetWriter:
    """Writes a data set, or goes on with one.

    Args:
        folder: The data set's folder.
        features: What each frame holds; of a data set that is there, the same.
        modality_config: Text of ``modality_config.py``, which GR00T's fine-tuning imports; none is written without.
        episodes: Those of the data set so far.

    Raises:
        ContractError: The folder holds a data set of other features, or one that is damaged.
    """

    def __init__(self, folder: Path, features: Features, modality_config: str | None = None) -> None:
        self.folder, self.features = folder, features
        self._modality_config = modality_config
        self._unfinished = folder / ".unfinished"
        self._numbers = count()
        self._so_far = read_to_go_on(folder, features)
        self.episodes = [] if self._so_far is None else self._so_far.episodes
        self._tasks = {} if self._so_far is None else self._so_far.tasks
        self._frames = sum(episode.length for episode in self.episodes)
        self._in_stats = 0
        self._is_mended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def begin(self) -> EpisodeRecording:
        """Begin an episode; several may run side by side."""
        self._mend()
        return EpisodeRecording(self._unfinished / str(next(self._numbers)), self.features)

    def discard(self, recording: EpisodeRecording) -> None:
        """Throw an episode away."""
        recording.close()
        shutil.rmtree(recording.folder)

    def finish(self, recording: EpisodeRecording, task: str, **facts: Any) -> None:
        """Make an episode part of the data set; when this returns, no kill takes it away.

        Args:
            recording: With one frame or more.
            task: What the policy was told.
            facts: What else the list of episodes is to say of it.
        """
        recording.close()
        index, length = len(self.episodes), recording.length
        task_index = self._tasks.get(task, len(self._tasks))
        columns = recording.columns() | self._index_columns(index, length, task_index)
        numbers = recording.folder / "numbers.parquet"
        write_rows(numbers, columns)
        flush(numbers)
        frames = self._frames + length
        stats_are_due = index + 1 > self._in_stats * (1 + STALE_SHARE)
        stats = self._statistics([numbers.relative_to(self.folder)], frames) if stats_are_due else None

        self._begin_lists()
        for key in self.features.video:
            move_into_place(recording.video(key), self.folder / paths.video_path(index, key))
        if task not in self._tasks:
            append_line(self.folder / paths.TASKS, {"task_index": task_index, "task": task})
            self._tasks[task] = task_index
        images = {paths.video_column(key): pixels.to_json() for key, pixels in recording.pixels.items()}
        told = {"episode_index": index, "stats": episode_statistics(columns) | images}
        append_line(self.folder / paths.EPISODES_STATS, told)
        if stats is not None:
            write_json(self.folder / paths.STATS, stats)
            self._in_stats = index + 1
        row = {"episode_index": index, "tasks": [task], "length": length, **facts}
        longer_list = copy_with_line(self.folder / paths.EPISODES, row)
        data = self.folder / paths.data_path(index)
        data.parent.mkdir(parents=True, exist_ok=True)
        numbers.replace(data)  # LeRobot loads all that lies in data/: these two belong together
        longer_list.replace(self.folder / paths.EPISODES)
        self.episodes.append(msgspec.convert(row, RecordedEpisode))
        self._frames = frames
        self._write_info()
        shutil.rmtree(recording.folder)

    def close(self) -> None:
        """Bring the statistics up to date, and throw away what is unfinished."""
        self._mend()
        if self._in_stats < len(self.episodes):
            write_json(self.folder / paths.STATS, self._statistics([], self._frames))
            self._in_stats = len(self.episodes)
        shutil.rmtree(self._unfinished, ignore_errors=True)
        if not self.episodes:
            self._remove_empty()

    def _begin_lists(self) -> None:
        """Write what a data set has before its first episode; it is one once its ``info.json`` is there."""
        if (self.folder / paths.INFO).exists():
            return
        (self.folder / paths.INFO).parent.mkdir(parents=True, exist_ok=True)
        for empty in (paths.EPISODES, paths.TASKS, paths.EPISODES_STATS):
            write_lines(self.folder / empty, [])
        write_json(self.folder / paths.MODALITY, self.features.to_modality())
        if self._modality_config is not None:
            write_whole(self.folder / paths.MODALITY_CONFIG, self._modality_config)
        self._write_info()

    def _remove_empty(self) -> None:
        """Take away a data set of no episode, which a full disk may have left half-made."""
        for path in (*paths.OF_ALL_EPISODES, *paths.episode_paths(0, self.features.video)):
            (self.folder / path).unlink(missing_ok=True)
        below = sorted((path for path in self.folder.rglob("*") if path.is_dir()), reverse=True)
        for folder in [*below, self.folder]:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()

    def _index_columns(self, episode: int, length: int, task: int) -> dict[str, Array]:
        frames = np.arange(length)
        return {
            "timestamp": (frames / self.features.fps).astype(np.float32),
            "frame_index": frames,
            "episode_index": np.full(length, episode),
            "index": self._frames + frames,
            **dict.fromkeys(("task_index", *self.features.annotations.values()), np.full(length, task)),
        }

    def _statistics(self, more: list[Path], frames: int) -> dict[str, Any]:
        files = [paths.data_path(episode.index) for episode in self.episodes]
        return dataset_statistics(self.folder, [*files, *more], frames, self.features.float_columns)

    def _write_info(self) -> None:
        totals = {"episodes": len(self.episodes), "frames": self._frames, "tasks": len(self._tasks)}
        write_json(self.folder / paths.INFO, self.features.to_info(**totals))

    def _mend(self) -> None:
        """Take away what a kill left of the next episode, once it is sure that the data set is gone on with."""
        if self._is_mended:
            return
        self._is_mended = True
        shutil.rmtree(self._unfinished, ignore_errors=True)
        if self._so_far is None:
            return
        following = len(self.episodes)
        for path in paths.episode_paths(following, self.features.video):
            (self.folder / path).unlink(missing_ok=True)
        if self._so_far.statistics > following:
            lines = read_lines(self.folder, paths.EPISODES_STATS, dict[str, Any])
            write_lines(self.folder / paths.EPISODES_STATS, list(islice(lines, following)))
        self._write_info()
