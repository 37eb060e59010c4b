"""``convert``: from v2.1 to v3.0 by LeRobot's own converter, and back by ours, into a folder of its own."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

from groot_wrappers.errors import ContractError
from runners.datasets.conversion.comparison import require_same_frames, require_same_numbers
from runners.datasets.conversion.kept_files import copy_kept_files
from runners.datasets.conversion.new_folder import new_folder
from runners.datasets.conversion.to_v21 import write_v21
from runners.datasets.conversion.to_v30 import convert_by_lerobot
from runners.datasets.layouts import Layout, open_layout, require_episodes
from runners.datasets.layouts.shared_files import SharedFiles
from runners.datasets.schema import RecordedEpisode

__all__ = ["convert"]

Progress: TypeAlias = Callable[[Sequence[RecordedEpisode], str], Iterable[RecordedEpisode]]


def convert(
    folder: Path, version: str, output: Path, *, lerobot_python: Path, progress: Progress = lambda episodes, _: episodes
) -> Layout:
    """Convert a data set; what came out is read again and compared before it gets its name.

    Args:
        folder: The data set, of which nothing is changed.
        version: ``v2.1`` or ``v3.0``.
        output: A folder that is not there.
        lerobot_python: A Python that has LeRobot, asked for v3.0 alone.
        progress: Wraps the episodes as they are gone through, with what is done to them, for a bar.

    Returns:
        What was made.

    Raises:
        Gr00tError: The data set cannot be read or converted, LeRobot is not there, or the folder is.
    """
    source = open_layout(folder)
    found = source.info.file.codebase_version
    if found == version:
        raise ContractError(f"{folder} is of {version} already, so that there is nothing to convert. Copy it: cp -r.")
    if output.resolve().is_relative_to(folder.resolve()):
        raise ContractError(f"{output} lies in {folder}, which is not changed. Name a folder beside it.")
    episodes = require_episodes(source)
    with new_folder(output) as room:
        if isinstance(source, SharedFiles):
            write_v21(source, room.result, progress(episodes, "Converting"))
        else:
            convert_by_lerobot(source, episodes, room, lerobot_python)
        copy_kept_files(folder, room.result)
        made = open_layout(room.result)
        require_same_numbers(source, made, progress(episodes, "Comparing"))
        if isinstance(made, SharedFiles):
            require_same_frames(made)
    return open_layout(output)
