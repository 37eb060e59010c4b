"""The checks of a data set: what a training would stumble over, or silently learn from.

* ``check_dataset``: all of them, which returns what is wrong.
* ``Problem``: one thing that is wrong, in which file, and what mends it.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from runners.datasets.checks.columns import RowsOf, check_columns
from runners.datasets.checks.limits import Reach
from runners.datasets.checks.metadata import check_metadata
from runners.datasets.checks.modality import check_modality, missing_modality
from runners.datasets.checks.problem import Problem
from runners.datasets.checks.statistics import check_statistics, episodes_statistics, is_of_rows
from runners.datasets.checks.videos import check_video
from runners.datasets.layouts import Layout, open_layout
from runners.datasets.metadata import VECTORS, Info, Modality, OtherVersionError, read_episodes, read_tasks
from runners.datasets.paths import INFO, MODALITY
from runners.datasets.reading import DatasetError
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

    def read(reader: Callable[[], T]) -> T | None:
        try:
            return reader()
        except DatasetError as error:
            problems.append(Problem.of(error))
            return None

    try:
        layout = open_layout(folder)
    except OtherVersionError as error:  # which lays out all the other files otherwise
        return [Problem.of(error)]
    except DatasetError as error:
        problems.append(Problem.of(error))
        if not (folder / INFO).exists():
            return problems
        layout = None
    # Where info.json is damaged, what is wrong with the other files of v2.1 is told all the same.
    episodes = read(layout.episodes if layout else partial(read_episodes, folder))
    tasks = read(layout.tasks if layout else partial(read_tasks, folder))
    if layout is None or episodes is None or tasks is None:
        problems.append(Problem(Path("data"), "was not looked at", MEND_FIRST))
        return problems
    problems += check_metadata(layout, episodes, tasks)
    modality, found = _read_modality(layout)
    problems += found
    return problems + _check_episodes(layout, episodes, progress, tasks=tasks, modality=modality)


def _read_modality(layout: Layout) -> tuple[Modality | None, list[Problem]]:
    """Return ``meta/modality.json``, and what is wrong with it; LeRobot, whose v3.0 is, looks at no such file."""
    shared = layout.info.has_shared_files
    if not (layout.folder / MODALITY).exists():
        return None, [] if shared else [missing_modality(layout.info)]
    try:
        modality = Modality.read(layout.folder)
    except DatasetError as error:
        return None, [Problem.of(error, untidy=shared)]
    return modality, [replace(each, untidy=each.untidy or shared) for each in check_modality(layout.info, modality)]


def _check_episodes(
    layout: Layout,
    episodes: list[RecordedEpisode],
    progress: Callable[[list[RecordedEpisode]], Iterable[RecordedEpisode]],
    *,
    tasks: dict[int, str],
    modality: Modality | None,
) -> list[Problem]:
    """Check rows, videos and statistics, an episode after the other."""
    info, shared = layout.info, layout.info.has_shared_files
    scaled, learned = _scaled_and_learned(info, modality)
    reach = Reach()
    statistics = ColumnStatistics(
        sum(episode.length for episode in episodes),
        sum(feature.width for feature in info.features.values() if feature.is_numbers),
    )
    of_episodes, wrong_file = (None, []) if shared else episodes_statistics(layout.folder, info.file.codebase_version)
    problems: list[Problem] = []
    wrong_statistics: list[Problem] = []
    first_row = 0  # counted over all episodes
    for episode in progress(episodes):
        if (found := len(problems) + len(wrong_statistics)) > MOST_PROBLEMS:
            what = f"was looked at up to episode {episode.index} only: there are {found} things already"
            problems.append(Problem(Path("data"), what, MEND_FIRST))
            break
        wrong: list[Problem] = []
        try:
            with layout.rows(episode.index) as rows:
                wrong, columns = check_columns(rows, layout, tasks, RowsOf(episode, first_row, learned))
            statistics.add({name: values for name, values in columns.items() if values.dtype != bool})
            if "action" in columns:
                reach.add(episode.index, columns["action"])
            if of_episodes is not None:
                wrong_statistics += is_of_rows(episode.index, of_episodes.get(episode.index), columns)
        except DatasetError as error:
            wrong.append(Problem.of(error))
        for camera in info.cameras:
            wrong += check_video(layout, episode, camera)
        problems += [problem.of_episode(episode.index) for problem in wrong] if shared else wrong
        first_row += episode.length
    problems += reach.check(layout)
    problems += check_statistics(layout, statistics, scaled)
    return [*problems, *wrong_file, *wrong_statistics]


def _scaled_and_learned(info: Info, modality: Modality | None) -> tuple[set[str], set[str]]:
    """Return the columns that the training scales by their statistics, and those that it reads."""
    if info.has_shared_files:  # LeRobot scales each vector of state and action, and loads what is named
        numbers = {name for name, feature in info.features.items() if feature.is_numbers}
        return {name for name in numbers if name == "action" or name.startswith("observation.")}, set(info.features)
    parts = [] if modality is None else [*modality.state.values(), *modality.action.values()]
    scaled = {part.column for part in parts} or set(VECTORS.values())
    return scaled, scaled if modality is None else scaled | set(modality.annotation.values())
