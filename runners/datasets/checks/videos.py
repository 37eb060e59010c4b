"""Whether an episode's videos can be decoded, and have the frame of each row, at its time and in the right size."""

import math
from fractions import Fraction

from runners.datasets.checks.problem import Problem
from runners.datasets.frames import VIDEO_ERRORS
from runners.datasets.layouts import Layout
from runners.datasets.reading import DatasetError
from runners.datasets.schema import RecordedEpisode

__all__ = ["check_video"]

RECORD_ANEW = "Copy the video again; if the disk has no better copy, record the episode again."
AS_THEY_ARE = "{} takes the frames as they are. Write into meta/info.json what they are."


def check_video(layout: Layout, episode: RecordedEpisode, camera: str) -> list[Problem]:
    """Decode the frames of an episode to its end.

    Args:
        layout: The data set.
        episode: Which.
        camera: Name of the video feature.
    """
    problems: list[Problem] = []
    times: list[float] = []
    info, as_they_are = layout.info, AS_THEY_ARE.format(layout.info.trainer)
    try:
        file = layout.video_file(episode.index, camera)
        # Without err_detect, the decoder paints over what it cannot read.
        with layout.frames(episode.index, camera, err_detect="explode") as (stream, frames):
            size, expected = (stream.height, stream.width), info.features[camera].size
            if size != expected:
                what = f"has frames of {size[0]} x {size[1]}, but meta/info.json says {expected[0]} x {expected[1]}"
                problems.append(Problem(file, what, as_they_are, untidy=True))
            rate = stream.average_rate or Fraction(0)
            if not math.isclose(rate, info.fps, rel_tol=1e-3):
                what = f"has {float(rate):.4g} frames a second, but meta/info.json says {info.fps:g}"
                problems.append(Problem(file, what, as_they_are, untidy=True))
            for time, _ in frames:
                times.append(time)
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
            what = f"has {more}{found} frames, but {layout.episodes_file} says {episode.length} rows"
            problems.append(Problem(file, what, RECORD_ANEW))
        late = [row for row, time in enumerate(times) if abs(time - row / info.fps) > layout.frame_tolerance_s]
        if late:
            what = f"frame {late[0]} is at {times[late[0]]:.4f} s, but its row is at {late[0] / info.fps:.4f} s"
            problems.append(Problem(file, what, RECORD_ANEW))
    return problems
