"""Whether an episode's videos can be decoded, and have the frame of each row, at its time and in the right size."""

import math
from fractions import Fraction
from pathlib import Path

import av

from runners.datasets.checks.problem import Problem
from runners.datasets.metadata import Info, RecordedEpisode
from runners.datasets.reading import DatasetError, inside

__all__ = ["check_video"]

MAX_PIXELS = 2**26
"""Most pixels of a frame that is decoded."""

RECORD_ANEW = "Copy the video again; if the disk has no better copy, record the episode again."


def check_video(folder: Path, info: Info, episode: RecordedEpisode, camera: str) -> list[Problem]:
    """Decode a video of an episode to its end.

    Args:
        folder: The data set.
        info: ``meta/info.json``, which says what the videos are.
        episode: Which.
        camera: Name of the video feature.
    """
    try:
        file = info.video_file(episode.index, camera)
        path = inside(folder, file)
    except DatasetError as error:
        return [Problem.of(error)]
    times: list[float] = []
    wrong: list[str] = []
    try:
        with av.open(str(path), options={"enable_drefs": "0"}) as container:
            if not container.streams.video:
                return [Problem(file, "holds no video", RECORD_ANEW)]
            stream = container.streams.video[0]
            size, expected = [stream.height, stream.width], list(info.features[camera]["shape"])
            if stream.height * stream.width > MAX_PIXELS:
                return [Problem(file, f"has frames of {size[0]} x {size[1]}", "No camera of a policy is so large.")]
            if sorted([*size, 3]) != sorted(expected):
                wrong.append(f"has frames of {size[0]} x {size[1]}, but meta/info.json says {expected}")
            rate = stream.average_rate or Fraction(0)
            if not math.isclose(rate, info.fps, rel_tol=1e-3):
                wrong.append(f"has {float(rate):.4g} frames a second, but meta/info.json says {info.fps:g}")
            stream.codec_context.options = {"err_detect": "explode"}  # else the decoder paints over what it cannot read
            for frame in container.decode(stream):
                times.append(float(frame.time or 0))
                if len(times) > episode.length:
                    break
    except (av.FFmpegError, OSError, ValueError) as error:
        wrong.append(f"is damaged after {len(times)} frames: {error}")
    else:
        if len(times) != episode.length:
            more = "more than " if len(times) > episode.length else ""
            found = episode.length if more else len(times)
            wrong.append(f"has {more}{found} frames, but meta/episodes.jsonl says {episode.length} rows")
        late = [row for row, time in enumerate(times) if abs(time - row / info.fps) > 0.5 / info.fps]
        if late:
            wrong.append(f"frame {late[0]} is at {times[late[0]]:.3f} s, but its row is at {late[0] / info.fps:.3f} s")
    return [Problem(file, what, RECORD_ANEW) for what in wrong]
