"""Whether an episode's videos can be decoded, and have the frame of each row, at its time and in the right size."""

import math
from fractions import Fraction
from pathlib import Path

from runners.datasets.checks.problem import Problem
from runners.datasets.frames import VIDEO_ERRORS, decoded
from runners.datasets.metadata import Info
from runners.datasets.reading import DatasetError
from runners.datasets.schema import RecordedEpisode

__all__ = ["check_video"]

RECORD_ANEW = "Copy the video again; if the disk has no better copy, record the episode again."
AS_THEY_ARE = "GR00T takes the frames as they are, by their number. Write into meta/info.json what they are."


def check_video(folder: Path, info: Info, episode: RecordedEpisode, camera: str) -> list[Problem]:
    """Decode a video of an episode to its end.

    Args:
        folder: The data set.
        info: ``meta/info.json``, which says what the videos are.
        episode: Which.
        camera: Name of the video feature.
    """
    problems: list[Problem] = []
    times: list[float] = []
    try:
        file = info.video_file(episode.index, camera)
        # Without err_detect, the decoder paints over what it cannot read.
        with decoded(folder, file, err_detect="explode") as (stream, frames):
            size, expected = (stream.height, stream.width), info.features[camera].size
            if size != expected:
                what = f"has frames of {size[0]} x {size[1]}, but meta/info.json says {expected[0]} x {expected[1]}"
                problems.append(Problem(file, what, AS_THEY_ARE, untidy=True))
            rate = stream.average_rate or Fraction(0)
            if not math.isclose(rate, info.fps, rel_tol=1e-3):
                what = f"has {float(rate):.4g} frames a second, but meta/info.json says {info.fps:g}"
                problems.append(Problem(file, what, AS_THEY_ARE, untidy=True))
            for frame in frames:
                times.append(float(frame.time or 0))
                if len(times) > episode.length:
                    break
    except DatasetError as error:
        return [Problem.of(error)]
    except VIDEO_ERRORS as error:
        problems.append(Problem(file, f"is damaged after {len(times)} frames: {error}", RECORD_ANEW))
    else:
        if len(times) != episode.length:
            more = "more than " if len(times) > episode.length else ""
            found = episode.length if more else len(times)
            what = f"has {more}{found} frames, but meta/episodes.jsonl says {episode.length} rows"
            problems.append(Problem(file, what, RECORD_ANEW))
        late = [row for row, time in enumerate(times) if abs(time - row / info.fps) > 0.5 / info.fps]
        if late:
            what = f"frame {late[0]} is at {times[late[0]]:.3f} s, but its row is at {late[0] / info.fps:.3f} s"
            problems.append(Problem(file, what, RECORD_ANEW))
    return problems
