"""Whether what came out is what went in.

* ``require_same_numbers``: every number of every row, bit for bit.
* ``require_same_frames``: a frame at the time of each row, where a video holds several episodes.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from groot_wrappers.errors import Gr00tError
from runners.datasets.frames import opened
from runners.datasets.layouts import Layout
from runners.datasets.layouts.shared_files import SharedFiles
from runners.datasets.schema import RecordedEpisode

__all__ = ["require_same_frames", "require_same_numbers"]

CHECK = "Nothing was kept of it. `groot-dataset check` tells whether the data set itself is whole."


def require_same_numbers(source: Layout, made: Layout, episodes: Iterable[RecordedEpisode]) -> None:
    """Compare the rows of all episodes, and what the lists say of them.

    Raises:
        Gr00tError: Something differs.
    """
    if source.episodes() != made.episodes() or source.tasks() != made.tasks():
        raise Gr00tError(f"The episodes or instructions of what was made of {source.folder} are others. {CHECK}")
    for episode in episodes:
        with source.rows(episode.index) as before, made.rows(episode.index) as after:
            for name in before.names:
                one, other = before.column(name), after.column(name)
                if one.dtype != other.dtype or one.shape != other.shape or one.tobytes() != other.tobytes():
                    raise Gr00tError(
                        f"{name} of episode {episode.index} was {one.dtype} {one.shape} in {before.file}, and became "
                        f"other numbers, {other.dtype} {other.shape}, in {after.file}. {CHECK}"
                    )


def require_same_frames(made: SharedFiles) -> None:
    """Compare the times of all frames with those of the rows, from the packets of the videos.

    Raises:
        Gr00tError: A frame is missing, or is not where LeRobot looks for it.
    """
    times: dict[Path, np.ndarray] = {}
    for index, place in made.places.items():
        for camera, video in place.videos.items():
            file = made.video_file(index, camera)
            if file not in times:
                times[file] = _times(made.folder, file)
            half = 0.5 / made.info.fps
            low, high = np.searchsorted(times[file], [video.from_timestamp - half, video.to_timestamp - half])
            wanted = video.from_timestamp + np.arange(place.episode.length) / made.info.fps
            found = times[file][low:high]
            if len(found) != len(wanted) or np.abs(found - wanted).max() > made.frame_tolerance_s:
                raise Gr00tError(
                    f"{file} has {len(found)} frames for the {len(wanted)} rows of episode {index}, or not at their "
                    f"times. {CHECK}"
                )


def _times(folder: Path, file: Path) -> np.ndarray:
    with opened(folder, file) as (container, stream):
        return np.sort([float(p.pts * p.time_base) for p in container.demux(stream) if p.pts is not None])
