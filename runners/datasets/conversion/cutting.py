"""``cut_video``: the frames of one episode out of a video of several, bit for bit: the packets, never encoded anew."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import av

from runners.datasets.frames import VIDEO_ERRORS, opened
from runners.datasets.layouts.shared_files import SharedFiles
from runners.datasets.reading import COPY_AGAIN, DatasetError
from runners.datasets.schema import RecordedEpisode

__all__ = ["cut_video"]

WITH_KEY_FRAMES = (
    "LeRobot begins each episode with a key frame. Encode the video anew with nothing else in it: ffmpeg -i OLD.mp4 "
    "-c:v libx264 -crf 15 -g 1 NEW.mp4."
)


def cut_video(source: SharedFiles, episode: RecordedEpisode, camera: str, output: Path) -> None:
    """Write the frames of an episode into a video of their own.

    Args:
        source: The data set.
        episode: Which.
        camera: Name of the video feature.
        output: The new video, an MP4.

    Raises:
        DatasetError: The video is damaged, has not a frame for each row, or not a key frame where the episode begins.
    """
    file = source.video_file(episode.index, camera)
    begin, fps = source.places[episode.index].videos[camera].from_timestamp, source.info.fps
    try:
        with opened(source.folder, file, begin) as (container, stream), av.open(str(output), "w") as made:
            packets = _packets_from(container, stream, begin - 0.5 / fps)
            first = next(packets, None)
            if first is None or not first.is_keyframe:
                what = f"has no key frame at {begin:.3f} s, where episode {episode.index} begins"
                raise DatasetError(file, what, WITH_KEY_FRAMES)
            target = made.add_stream_from_template(stream)
            target.time_base, zero = stream.time_base, first.pts
            times = []
            for packet in (first, *islice(packets, episode.length - 1)):
                packet.pts, packet.dts, packet.stream = packet.pts - zero, packet.dts - zero, target
                times.append(float(packet.pts * packet.time_base))
                made.mux(packet)
    except VIDEO_ERRORS as error:
        raise DatasetError(file, f"is damaged in episode {episode.index}: {error}", COPY_AGAIN) from error
    late = [row for row, time in enumerate(sorted(times)) if abs(time - row / fps) > 0.5 / fps]
    if len(times) != episode.length or late:
        what = f"has not a frame for each of the {episode.length} rows of episode {episode.index}"
        raise DatasetError(file, what, f"{COPY_AGAIN} `groot-dataset check` tells which is missing.")


def _packets_from(container: Any, stream: Any, begin_s: float) -> Iterator[Any]:
    """Yield the packets from a moment on; those before it belong to the key frame that was sought."""
    for packet in container.demux(stream):
        if packet.pts is not None and packet.pts * packet.time_base >= begin_s:
            yield packet
