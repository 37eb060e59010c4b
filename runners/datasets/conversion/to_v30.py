"""``convert_by_lerobot``: v2.1 to v3.0 by LeRobot's own converter, in the Python that has it.

That works in place, takes whatever lies in ``data/``, and asks a server for what it does not find. So it is given a
folder of links to the files that the lists name, and no network.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from groot_wrappers.errors import ContractError, Gr00tError
from runners.datasets import paths
from runners.datasets.conversion.new_folder import Room
from runners.datasets.files import write_json, write_lines
from runners.datasets.layouts import Layout
from runners.datasets.reading import DatasetError, checked, inside, path_of, read_json, read_lines
from runners.datasets.schema import EpisodeStatistics, RecordedEpisode

__all__ = ["convert_by_lerobot"]

NOT_THERE = 77
"""Exit code of the program where LeRobot, or what it needs, cannot be imported."""

PROGRAM = f"""
import logging, sys
logging.disable(logging.WARNING)  # each file of each camera, and fields that v3.0 does not know
try:
    from lerobot.scripts.convert_dataset_v21_to_v30 import convert_dataset
except ImportError as error:
    print(error, file=sys.stderr)
    sys.exit({NOT_THERE})
convert_dataset("local/data", root=sys.argv[1], push_to_hub=False)
"""


def convert_by_lerobot(source: Layout, episodes: Sequence[RecordedEpisode], room: Room, python: Path) -> None:
    """Convert a data set into ``room.result``; LeRobot's own bars are shown.

    Args:
        source: The data set.
        episodes: Its episodes.
        room: Where there is place for links and what LeRobot needs besides.
        python: A Python that has LeRobot.

    Raises:
        Gr00tError: LeRobot is not there, does not take such a data set, or fails.
    """
    _require_convertible(source, episodes)
    if shutil.which(python) is None:
        raise _no_lerobot(python, "there is no such program")
    links = room.folder / "data"
    _lay_out(source, episodes, links)
    quiet = {} if sys.stderr.isatty() else {"TQDM_MININTERVAL": "10"}
    alone = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(room.folder / "hub"), "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
    done = subprocess.run(
        [python, "-P", "-W", "ignore", "-c", PROGRAM, links.absolute()],
        env=os.environ | alone | quiet | {"TMPDIR": str(room.folder.absolute()), "PYTHONPATH": ""},
        stdin=subprocess.DEVNULL,
        pass_fds=[room.lock],  # so that nobody clears the room while it writes, should this process be killed
        check=False,
    )
    if done.returncode == NOT_THERE:
        raise _no_lerobot(python, "it cannot import it, as is told above")
    if done.returncode:
        raise Gr00tError(
            f"LeRobot's converter ended with {done.returncode}; above is what it said. `groot-dataset check "
            f"{source.folder}` tells whether the data set is whole. Nothing was changed."
        )
    links.rename(room.result)  # where LeRobot puts what it made, in place of what it was given


def _no_lerobot(python: Path, why: str) -> ContractError:
    return ContractError(
        f"v3.0 is made by LeRobot's own converter, and {python} was asked for it, but {why}. `make learned-env` makes "
        ".learned, which has LeRobot 0.6.1 (6 GB of disk); another Python that has it is named by "
        "--lerobot-python PYTHON."
    )


def _require_convertible(source: Layout, episodes: Sequence[RecordedEpisode]) -> None:
    """Refuse what LeRobot's converter would take and make something else of."""
    version, fps = source.info.file.codebase_version, source.info.fps
    if version != "v2.1":
        remedy = "LeRobot 0.3.3 makes v2.1 of v2.0: lerobot.datasets.v21.convert_dataset_v20_to_v21."
        raise DatasetError(paths.INFO, f"codebase_version is {version!r:.40}, but v2.1 alone is converted", remedy)
    if fps != round(fps):
        remedy = "v3.0 takes whole numbers; record at another control rate, or train on v2.1."
        raise DatasetError(paths.INFO, f"has {fps:g} frames a second", remedy)
    if [episode.index for episode in episodes] != list(range(len(episodes))):
        remedy = "LeRobot numbers them from 0 without gaps. Number the episodes, their files and rows anew."
        raise DatasetError(source.episodes_file, "has gaps in the numbers of the episodes", remedy)


def _lay_out(source: Layout, episodes: Sequence[RecordedEpisode], links: Path) -> None:
    """Make the folder that is converted: lists of what is there, and links to rows and videos."""
    folder, info = source.folder, source.info
    (links / paths.INFO).parent.mkdir(parents=True)
    defaults = {"total_chunks": 0, "total_videos": 0, "video_path": None}  # which the converter looks for
    write_json(links / paths.INFO, defaults | read_json(folder, paths.INFO, dict[str, Any]))
    for file in (paths.EPISODES, paths.TASKS):
        write_lines(links / file, read_lines(folder, file, dict[str, Any]))
    write_lines(links / paths.EPISODES_STATS, _statistics(folder, {episode.index for episode in episodes}))
    for episode in episodes:
        _link(folder, source.rows_file(episode.index), links / paths.data_path(episode.index))
        fields = {"episode_chunk": episode.index // paths.CHUNK_SIZE, "episode_index": episode.index}
        for camera in info.cameras:
            place = path_of(paths.VIDEO_PATH, **fields, video_key=camera)
            _link(folder, source.video_file(episode.index, camera), links / place)


def _statistics(folder: Path, listed: set[int]) -> Iterator[dict[str, Any]]:
    """Yield the statistics of the listed episodes: a kill may leave one more, which would count for all frames."""
    remedy = "Write the statistics that the rows have, as LeRobot does."
    for row in read_lines(folder, paths.EPISODES_STATS, dict[str, Any]):
        line = checked(row, EpisodeStatistics, paths.EPISODES_STATS, "a line", remedy)
        if line.index in listed:
            listed.discard(line.index)
            yield row
    if listed:
        raise DatasetError(paths.EPISODES_STATS, f"has no line for episode {min(listed)}", remedy)


def _link(folder: Path, file: Path, link: Path) -> None:
    """Put a file of the data set there too; it is copied where the disk is another."""
    link.parent.mkdir(parents=True, exist_ok=True)
    path = inside(folder, file).resolve()
    try:
        link.hardlink_to(path)
    except OSError:
        shutil.copyfile(path, link)
