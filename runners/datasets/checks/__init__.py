"""The checks of a data set: what GR00T's training would stumble over, or silently learn from.

* ``check_dataset``: all of them, which returns what is wrong.
* ``Problem``: one thing that is wrong, in which file, and what mends it.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

from runners.datasets.checks.columns import RowsOf, check_columns, check_limits
from runners.datasets.checks.metadata import check_metadata, check_modality
from runners.datasets.checks.problem import Problem
from runners.datasets.checks.statistics import Numbers, check_statistics
from runners.datasets.checks.videos import check_video
from runners.datasets.metadata import Info, Modality, RecordedEpisode, read_tasks
from runners.datasets.reading import DatasetError, read_rows

__all__ = ["Problem", "check_dataset"]


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

    def read[T](reader: Callable[[Path], T]) -> T | None:
        try:
            return reader(folder)
        except DatasetError as error:
            problems.append(Problem.of(error))
            return None

    info, episodes, tasks = read(Info.read), read(RecordedEpisode.read), read(read_tasks)
    modality = read(Modality.read)
    if info is None or episodes is None or tasks is None:
        problems.append(Problem(Path("data"), "was not looked at", "Mend the files above, and check again."))
        return problems
    problems += check_metadata(folder, info, episodes, tasks)
    if modality is not None:
        problems += check_modality(info, modality)
    numbers = Numbers(info)
    first_row = 0  # counted over all episodes
    for episode in progress(episodes):
        try:
            file = info.rows_file(episode.index)
            rows = read_rows(folder, file)
            found, columns = check_columns(rows, file, info, tasks, RowsOf(episode, first_row))
            problems += found
            numbers.add(episode.index, columns)
        except DatasetError as error:
            problems.append(Problem.of(error))
        for camera in info.cameras:
            problems += check_video(folder, info, episode, camera)
        first_row += episode.length
    problems += check_limits(info, numbers.action)
    problems += check_statistics(folder, numbers)
    return problems
