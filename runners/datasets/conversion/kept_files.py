"""``copy_kept_files``: what lies beside the lists, and is the same in each version: GR00T's files, and people's own."""

import shutil
from pathlib import Path

from runners.datasets import paths
from runners.datasets.reading import inside

__all__ = ["copy_kept_files"]

OF_ONE_VERSION = {paths.INFO, paths.EPISODES, paths.TASKS, paths.STATS, paths.EPISODES_STATS, paths.TASKS_TABLE}


def copy_kept_files(folder: Path, output: Path) -> None:
    """Copy the files of the folder itself and of ``meta/`` that are of no version, such as ``meta/modality.json``.

    Raises:
        DatasetError: One of them is a link that leads out of the data set.
    """
    for place in (Path(), paths.INFO.parent):
        for path in sorted((folder / place).iterdir()):
            file = place / path.name
            if not path.name.startswith(".") and not path.is_dir() and file not in OF_ONE_VERSION:
                shutil.copyfile(inside(folder, file), output / file)
