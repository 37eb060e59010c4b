"""Whether the files in ``meta/`` agree with each other, and with what lies on the disk."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from runners.datasets.checks.problem import Problem
from runners.datasets.layouts import Layout
from runners.datasets.paths import INFO, episode_files
from runners.datasets.reading import DatasetError
from runners.datasets.schema import RecordedEpisode

__all__ = ["check_metadata"]

MOST_TOLD = 100
"""Problems of a kind that are told; there may be as many as files, or lines."""


def check_metadata(layout: Layout, episodes: Sequence[RecordedEpisode], tasks: Mapping[int, str]) -> list[Problem]:
    """Check counts, tasks and files against the list of episodes."""
    problems = []
    info, shared = layout.info, layout.info.has_shared_files
    if not episodes:
        what = "names no episode: there is nothing to learn from, and nothing to play"
        problems.append(Problem(layout.episodes_file, what, 'Record some: groot-play "recorder=[lerobot]".'))

    def tell(file: Path, what: str, remedy: str, *, untidy: bool = True) -> None:
        problems.append(Problem(file, what, remedy, untidy))

    if info.file.codebase_version is None:
        tell(INFO, "has no codebase_version", 'LeRobot wants one. Write "codebase_version": "v2.1".')
    counts = {
        "total_episodes": len(episodes),
        "total_frames": sum(episode.length for episode in episodes),
        "total_tasks": len(tasks),
    }
    if not shared:
        counts["total_videos"] = len(episodes) * len(info.cameras)
        counts["total_chunks"] = math.ceil(len(episodes) / info.file.chunks_size)
    used = "LeRobot goes by the counts." if shared else "GR00T does not look at the counts."
    for key, count in counts.items():
        told = getattr(info.file, key)
        if told != count:
            what = f"{key} is {told!r:.40}, but there are {count}"
            tell(INFO, what, f"{used} Count anew, and write the number.", untidy=not shared)
    finds = "LeRobot finds them by their place in the list."
    if not shared:
        finds = "GR00T finds the files by the index; LeRobot, and a run that goes on, want no gap."
    for place, episode in enumerate(episodes):
        if episode.index != place:
            tell(
                layout.episodes_file,
                f"the episode on line {place + 1} has episode_index {episode.index}, but {place} comes there",
                f"{finds} Number the episodes, their files and rows anew.",
                untidy=not shared,
            )
            break
    if (list(tasks) if shared else sorted(tasks)) != list(range(len(tasks))):  # LeRobot finds them by their place
        what = f"its indices are {list(tasks)!r:.80}"
        tell(layout.tasks_file, what, "Number them from 0 without gaps, and the rows with them.", untidy=not shared)
    unknown = {task for episode in episodes for task in episode.tasks} - set(tasks.values())
    for task in sorted(unknown)[:MOST_TOLD]:
        takes = "LeRobot takes the text from the first." if shared else "GR00T takes the text from either list."
        what = f"lacks the task {task!r:.120} of {layout.episodes_file}"
        tell(layout.tasks_file, what, f"{takes} Add a line with its task_index and text.")
    return problems + _files(layout, episodes)


def _files(layout: Layout, episodes: Sequence[RecordedEpisode]) -> list[Problem]:
    """Name the files that no episode has."""
    info, shared = layout.info, layout.info.has_shared_files
    unnamed = set(episode_files(layout.folder))
    try:
        for episode in episodes:
            if not unnamed:
                break
            unnamed.discard(layout.rows_file(episode.index))
            unnamed.difference_update(layout.video_file(episode.index, camera) for camera in info.cameras)
    except DatasetError as error:
        return [Problem.of(error)]
    leaves = "LeRobot loads all that lies in data/." if shared else "GR00T leaves it out, but its statistics do not."
    return [
        Problem(
            file,
            f"belongs to no episode of {layout.episodes_file}",
            f"{leaves} Remove it, or add its episode.",
            untidy=not (shared and file.parts[0] == "data"),
        )
        for file in sorted(unnamed)[:MOST_TOLD]
    ]
