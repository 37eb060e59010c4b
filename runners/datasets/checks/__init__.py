"""The checks of a data set: what GR00T's training would stumble over, or silently learn from.

* ``check_dataset``: all of them, which returns what is wrong.
* ``Problem``: one thing that is wrong, in which file, and what mends it.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from runners.datasets.checks.columns import RowsOf, check_columns
from runners.datasets.checks.limits import Reach
from runners.datasets.checks.metadata import check_metadata
from runners.datasets.checks.modality import check_modality, missing_modality
from runners.datasets.checks.problem import Problem
from runners.datasets.checks.statistics import check_statistics, episodes_statistics, is_of_rows
from runners.datasets.checks.videos import check_video
from runners.datasets.metadata import VECTORS, Info, Modality, OtherVersionError, read_episodes, read_tasks
from runners.datasets.paths import INFO, MODALITY
from runners.datasets.reading import DatasetError
from runners.datasets.rows import EpisodeRows
from runners.datasets.schema import RecordedEpisode
from runners.datasets.statistics import ColumnStatistics

__all__ = ["Problem", "check_dataset"]

T = TypeVar("T")

MEND_FIRST = "Mend the files above, and check again."

MOST_PROBLEMS = 1000
"""When there are more, the rest of the rows and videos is left out: a list may name a million that are not there."""


def check_dataset(
    folder: Path, progress: Callable[[list[RecordedEpisode]], Iterable[RecordedEpisode]] = lambda episodes: episodes
) -> list[Problem]:
    """Check every file of a data set; each row is read, and each video frame decoded.

    Args:
        folder: The data set.
        progress: Wraps the episodes as they are gone through, for a bar.

    Returns:
        What is wrong, in the order of the files; nothing where all is well.
    """
    problems: list[Problem] = []

    def read(reader: Callable[[Path], T]) -> T | None:
        try:
            return reader(folder)
        except DatasetError as error:
            problems.append(Problem.of(error))
            return None

    try:
        info = Info.read(folder)
    except OtherVersionError as error:  # which lays out all the other files otherwise
        return [Problem.of(error)]
    except DatasetError as error:
        problems.append(Problem.of(error))
        if not (folder / INFO).exists():
            return problems
        info = None
    episodes, tasks = read(read_episodes), read(read_tasks)
    if info is None or episodes is None or tasks is None:
        problems.append(Problem(Path("data"), "was not looked at", MEND_FIRST))
        return problems
    problems += check_metadata(folder, info, episodes, tasks)
    modality = None
    if not (folder / MODALITY).exists():
        problems.append(missing_modality(info))
    elif (modality := read(Modality.read)) is not None:
        problems += check_modality(info, modality)
    frames = sum(episode.length for episode in episodes)
    return problems + _check_episodes(folder, info, progress(episodes), tasks=tasks, modality=modality, frames=frames)


def _check_episodes(
    folder: Path,
    info: Info,
    episodes: Iterable[RecordedEpisode],
    *,
    tasks: dict[int, str],
    modality: Modality | None,
    frames: int,
) -> list[Problem]:
    """Check rows, videos and statistics, an episode after the other."""
    parts = [] if modality is None else [*modality.state.values(), *modality.action.values()]
    scaled = {part.column for part in parts} or set(VECTORS.values())
    learned = scaled if modality is None else scaled | set(modality.annotation.values())
    reach = Reach()
    statistics = ColumnStatistics(
        frames, sum(feature.width for feature in info.features.values() if feature.is_numbers)
    )
    of_episodes, wrong_file = episodes_statistics(folder, info.file.codebase_version)
    problems: list[Problem] = []
    wrong_statistics: list[Problem] = []
    first_row = 0  # counted over all episodes
    for episode in episodes:
        if (found := len(problems) + len(wrong_statistics)) > MOST_PROBLEMS:
            what = f"was looked at up to episode {episode.index} only: there are {found} things already"
            problems.append(Problem(Path("data"), what, MEND_FIRST))
            break
        try:
            with EpisodeRows(folder, info.rows_file(episode.index)) as rows:
                wrong, columns = check_columns(rows, info, tasks, RowsOf(episode, first_row, learned))
            problems += wrong
            statistics.add({name: values for name, values in columns.items() if values.dtype != bool})
            if "action" in columns:
                reach.add(episode.index, columns["action"])
            if of_episodes is not None:
                wrong_statistics += is_of_rows(episode.index, of_episodes.get(episode.index), columns)
        except DatasetError as error:
            problems.append(Problem.of(error))
        for camera in info.cameras:
            problems += check_video(folder, info, episode, camera)
        first_row += episode.length
    problems += reach.check(info)
    problems += check_statistics(folder, statistics, scaled)
    return [*problems, *wrong_file, *wrong_statistics]
