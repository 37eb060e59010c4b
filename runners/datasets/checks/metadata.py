"""Whether the files in ``meta/`` agree with each other, and with what lies on the disk."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from runners.datasets.checks.problem import Problem
from runners.datasets.layout import EPISODES, INFO, MODALITY, TASKS
from runners.datasets.metadata import Info, Modality, Part, RecordedEpisode
from runners.datasets.reading import DatasetError

__all__ = ["check_metadata", "check_modality"]

COUNT_ANEW = "Count anew, and write the number."


def check_metadata(
    folder: Path, info: Info, episodes: Sequence[RecordedEpisode], tasks: Mapping[int, str]
) -> list[Problem]:
    """Check counts, tasks and files against ``meta/episodes.jsonl``."""
    problems = []
    counts = {
        "total_episodes": len(episodes),
        "total_frames": sum(episode.length for episode in episodes),
        "total_tasks": len(tasks),
        "total_videos": len(episodes) * len(info.cameras),
        "total_chunks": math.ceil(len(episodes) / info.chunk_size),
    }
    for key, count in counts.items():
        if info.raw.get(key) != count:
            problems.append(Problem(INFO, f"{key} is {info.raw.get(key)!r:.40}, but there are {count}", COUNT_ANEW))
    if not episodes:
        problems.append(Problem(EPISODES, "names no episode", 'Record some: groot-play "recorder=[lerobot]".'))
    if sorted(tasks) != list(range(len(tasks))):
        problems.append(Problem(TASKS, f"its indices are {sorted(tasks)!r:.80}", "Number them from 0 without gaps."))
    unknown = {task for episode in episodes for task in episode.tasks} - set(tasks.values())
    for task in sorted(unknown):
        problems.append(
            Problem(TASKS, f"lacks the task {task!r:.120} of {EPISODES}", "Add a line with its task_index and text.")
        )
    return problems + _files(folder, info, episodes)


def _files(folder: Path, info: Info, episodes: Sequence[RecordedEpisode]) -> list[Problem]:
    """Name the files that no episode has."""
    try:
        named = {info.rows_file(episode.index) for episode in episodes}
        named |= {info.video_file(episode.index, camera) for episode in episodes for camera in info.cameras}
    except DatasetError as error:
        return [Problem.of(error)]
    lying = {
        path.relative_to(folder)
        for part, ending in (("data", "parquet"), ("videos", "mp4"))
        for path in (folder / part).rglob(f"*.{ending}")
    }
    return [
        Problem(file, f"belongs to no episode of {EPISODES}", "Remove it, or add its episode.")
        for file in sorted(lying - named)
    ]


def check_modality(info: Info, modality: Modality) -> list[Problem]:
    """Check that the keys of ``meta/modality.json`` stand for something, and that no number is left without a key."""
    wrong = _slices("state", modality.state, info) + _slices("action", modality.action, info)
    for key, camera in modality.video.items():
        if camera not in info.cameras:
            wrong.append((f"video.{key} is {camera}, which is no video of {INFO}", "Name a video."))
    for key, column in modality.annotation.items():
        if column not in info.features:
            wrong.append((f"{key} is {column}, which is no feature of {INFO}", "Name a column of task indices."))
    return [Problem(MODALITY, what, remedy) for what, remedy in wrong]


def _slices(kind: str, parts: Mapping[str, Part], info: Info) -> list[tuple[str, str]]:
    """Say which slices of state or action do not share out their columns, and what mends it."""
    if not parts:
        return [(f"names no key of {kind}", "GR00T learns from the named keys only.")]
    wrong = []
    for column in sorted({part.column for part in parts.values()}):
        if column not in info.features:
            wrong.append((f"{kind} names {column}, which is no feature of {INFO}", "Name a feature."))
            continue
        width = math.prod(info.features[column]["shape"])
        owners: list[list[str]] = [[] for _ in range(width)]
        for key, part in parts.items():
            if part.column == column:
                if part.end > width:
                    what = f"{kind}.{key} is the numbers [{part.start}, {part.end}), but {column} has {width}"
                    wrong.append((what, "Slices end within the vector."))
                for owner in owners[part.start : part.end]:
                    owner.append(key)
        nobodys = [number for number, keys in enumerate(owners) if not keys]
        if nobodys:
            what = f"no key of {kind} has the numbers {nobodys!r:.80} of {column}"
            wrong.append((what, "Slices cover the vector, or GR00T never learns the rest."))
        for keys in sorted({tuple(keys) for keys in owners if len(keys) > 1}):
            wrong.append((f"{' and '.join(keys)} of {kind} share numbers of {column}", "Each number has one key."))
    return wrong
