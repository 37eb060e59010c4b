"""``read_to_go_on``: what a data set holds, read strictly, so that it can be gone on with and nothing of it is lost.

A writer numbers by position: the next episode gets the number after the last, and what lies under that number is taken
away as the leavings of a kill. So every list must be without a gap, in order, and agree with the others and with the
files. What a kill leaves of one episode, and nothing else, is allowed beside them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groot_wrappers.errors import ContractError
from runners.datasets import paths
from runners.datasets.features import Features
from runners.datasets.metadata import Info, read_episodes, read_tasks
from runners.datasets.reading import DatasetError, read_json, read_lines
from runners.datasets.rows import EpisodeRows
from runners.datasets.schema import EpisodeStatistics, RecordedEpisode

__all__ = ["WrittenSoFar", "read_to_go_on"]

MOST_TOLD = 5


@dataclass(frozen=True)
class WrittenSoFar:
    """What the lists of a data set name.

    Args:
        episodes: In order, from 0.
        tasks: Instruction to its number.
        statistics: Lines of ``meta/episodes_stats.jsonl``, of which a kill may leave one more than episodes.
    """

    episodes: list[RecordedEpisode]
    tasks: dict[str, int]
    statistics: int


def read_to_go_on(folder: Path, features: Features) -> WrittenSoFar | None:
    """Read the data set in a folder, None where there is none.

    Args:
        folder: Its folder.
        features: What is to be written into it.

    Raises:
        ContractError: It holds a data set of other features, or one whose lists and files do not agree; the message
            names what does not, and nothing is changed.
    """
    if not _is_begun(folder):
        return None
    try:
        info = Info.read(folder)
        _require_same_features(folder, info, features)
        episodes, tasks = read_episodes(folder), read_tasks(folder)
        statistics = [line.index for line in read_lines(folder, paths.EPISODES_STATS, EpisodeStatistics)]
    except DatasetError as error:
        problems = [str(error)]
    else:
        problems = [
            *_lists(info, episodes, tasks, statistics),
            *_missing_files(folder, episodes, features),
            *_unnamed_files(folder, len(episodes), features),
        ]
    if problems:
        more = [f"and {len(problems) - MOST_TOLD} more"] if len(problems) > MOST_TOLD else []
        raise ContractError(
            f"{folder} cannot be gone on with, as its files do not agree:"
            + "".join(f"\n- {problem}" for problem in [*problems[:MOST_TOLD], *more])
            + "\nNothing was changed. Put the data set aside (mv) or bring back what is missing, and start again; "
            "`groot-dataset check` tells more.",
            problems,
        )
    return WrittenSoFar(episodes, {task: index for index, task in tasks.items()}, len(statistics))


def _is_begun(folder: Path) -> bool:
    """Say whether a folder holds a data set, or part of one; a kill may come before ``info.json``, with empty lists."""
    listed = folder / paths.EPISODES
    begun = (folder / paths.INFO).exists() or (listed.exists() and listed.stat().st_size > 0)
    return begun or next(paths.episode_files(folder), None) is not None


def _require_same_features(folder: Path, info: Info, features: Features) -> None:
    there: dict[str, Any] = {"codebase_version": info.file.codebase_version, "fps": info.fps}
    there |= {"features": info.file.features, "robot_type": info.file.robot_type}
    there["modality"] = read_json(folder, paths.MODALITY, dict[str, Any])
    wanted: dict[str, Any] = {"codebase_version": "v2.1", "fps": features.whole_fps}
    wanted |= {
        "features": features.to_features(),
        "robot_type": features.robot_type,
        "modality": features.to_modality(),
    }
    if different := [name for name in wanted if there[name] != wanted[name]]:
        raise ContractError(
            f"{folder} holds a data set of another kind: its {' and '.join(different)} differ from what is to "
            "be written. Go on with the same keys and shapes, or name another folder."
        )


def _lists(
    info: Info, episodes: Sequence[RecordedEpisode], tasks: dict[int, str], statistics: Sequence[int]
) -> Iterator[str]:
    """Say where the lists have gaps, are out of order, or do not agree."""
    for file, indices in ((paths.EPISODES, [e.index for e in episodes]), (paths.TASKS, list(tasks))):
        if gap := _gap(indices):
            yield f"{file}: {gap}"
    if gap := _gap(statistics):
        yield f"{paths.EPISODES_STATS}: {gap}"
    elif len(statistics) - len(episodes) not in (0, 1):
        yield f"{paths.EPISODES_STATS}: has {len(statistics)} lines, but {paths.EPISODES} {len(episodes)}"
    counted = info.file.total_episodes
    if counted not in (len(episodes), len(episodes) - 1):  # a kill may come before the new count is written
        yield f"{paths.INFO}: total_episodes is {counted!r:.40}, but {paths.EPISODES} names {len(episodes)}"
    texts = set(tasks.values())
    if len(texts) != len(tasks):
        yield f"{paths.TASKS}: an instruction comes twice"
    for episode in episodes:
        if unknown := [task for task in episode.tasks if task not in texts]:
            yield f"{paths.TASKS}: lacks {unknown[0]!r:.80} of episode {episode.index}"


def _gap(indices: Sequence[int]) -> str | None:
    """Say where indices do not count from 0 on."""
    for place, index in enumerate(indices):
        if index != place:
            return f"number {index} is in the place of {place}"
    return None


def _missing_files(folder: Path, episodes: Sequence[RecordedEpisode], features: Features) -> Iterator[str]:
    """Say which files of listed episodes are missing, damaged, of another length, or hold something else."""
    columns = {name for name, feature in features.to_features().items() if feature["dtype"] != "video"}
    for episode in episodes:
        try:
            with EpisodeRows(folder, paths.data_path(episode.index)) as rows:
                if rows.count != episode.length:
                    yield f"{rows.file}: has {rows.count} rows, but {paths.EPISODES} says {episode.length}"
                if set(rows.names) != columns:
                    yield f"{rows.file}: holds the columns {rows.names!r:.120}, and other ones are to be written"
        except DatasetError as error:
            yield f"{error.file}: {error.what}"
        for key in features.video:
            video = paths.video_path(episode.index, key)
            if not (folder / video).is_file():
                yield f"{video}: is missing"


def _unnamed_files(folder: Path, following: int, features: Features) -> Iterator[str]:
    """Say which files belong to no listed episode, but for those that a kill leaves of the next one."""
    unnamed = set(paths.episode_files(folder))
    for episode in range(following + 1):
        unnamed.difference_update(paths.episode_paths(episode, features.video))
    for path in sorted(unnamed):
        yield f"{path}: belongs to no episode of {paths.EPISODES}"
