"""Whether the files in ``meta/`` agree with each other, and with what lies on the disk."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from runners.datasets.checks.problem import Problem
from runners.datasets.metadata import Info
from runners.datasets.paths import EPISODES, INFO, TASKS, episode_files
from runners.datasets.reading import DatasetError
from runners.datasets.schema import RecordedEpisode

__all__ = ["check_metadata"]

MOST_TOLD = 100
"""Problems of a kind that are told; there may be as many as files, or lines."""

COUNT_ANEW = "GR00T does not look at the counts. Count anew, and write the number."


def check_metadata(
    folder: Path, info: Info, episodes: Sequence[RecordedEpisode], tasks: Mapping[int, str]
) -> list[Problem]:
    """Check counts, tasks and files against ``meta/episodes.jsonl``."""
    problems = []
    if not episodes:
        what = "names no episode: there is nothing to learn from, and nothing to play"
        problems.append(Problem(EPISODES, what, 'Record some: groot-play "recorder=[lerobot]".'))

    def untidy(file: Path, what: str, remedy: str) -> None:
        problems.append(Problem(file, what, remedy, untidy=True))

    if info.file.codebase_version is None:
        untidy(INFO, "has no codebase_version", 'LeRobot wants one. Write "codebase_version": "v2.1".')
    counts = {
        "total_episodes": len(episodes),
        "total_frames": sum(episode.length for episode in episodes),
        "total_tasks": len(tasks),
        "total_videos": len(episodes) * len(info.cameras),
        "total_chunks": math.ceil(len(episodes) / info.file.chunks_size),
    }
    for key, count in counts.items():
        told = getattr(info.file, key)
        if told != count:
            untidy(INFO, f"{key} is {told!r:.40}, but there are {count}", COUNT_ANEW)
    for place, episode in enumerate(episodes):
        if episode.index != place:
            untidy(
                EPISODES,
                f"the episode on line {place + 1} has episode_index {episode.index}, but {place} comes there",
                "GR00T finds the files by the index; LeRobot, and a run that goes on, want no gap. Number the "
                "episodes, their files and rows anew.",
            )
            break
    if sorted(tasks) != list(range(len(tasks))):
        untidy(
            TASKS, f"its indices are {sorted(tasks)!r:.80}", "Number them from 0 without gaps, and the rows with them."
        )
    unknown = {task for episode in episodes for task in episode.tasks} - set(tasks.values())
    for task in sorted(unknown)[:MOST_TOLD]:
        remedy = "GR00T takes the text from either list. Add a line with its task_index and text."
        untidy(TASKS, f"lacks the task {task!r:.120} of {EPISODES}", remedy)
    return problems + _files(folder, info, episodes)


def _files(folder: Path, info: Info, episodes: Sequence[RecordedEpisode]) -> list[Problem]:
    """Name the files that no episode has."""
    unnamed = set(episode_files(folder))
    try:
        for episode in episodes:
            if not unnamed:
                break
            unnamed.discard(info.rows_file(episode.index))
            unnamed.difference_update(info.video_file(episode.index, camera) for camera in info.cameras)
    except DatasetError as error:
        return [Problem.of(error)]
    remedy = "GR00T leaves it out, but its statistics do not. Remove it, or add its episode."
    return [
        Problem(file, f"belongs to no episode of {EPISODES}", remedy, untidy=True)
        for file in sorted(unnamed)[:MOST_TOLD]
    ]
