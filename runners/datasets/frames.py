"""The videos of a data set, with frames none of which is larger than any camera's.

* ``opened``: a video, for its packets.
* ``decoded``: its frames.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av

from runners.datasets.reading import DatasetError, inside

__all__ = ["VIDEO_ERRORS", "decoded", "opened"]

MAX_PIXELS = 2**23
"""Most pixels of a frame: 3840 x 2160, and a little more."""

VIDEO_ERRORS = (av.FFmpegError, OSError, ValueError, IndexError)
"""What a damaged video raises while it is opened or decoded."""


@contextmanager
def opened(folder: Path, file: Path, begin_s: float = 0.0) -> Iterator[tuple[Any, Any]]:
    """Open a video; within the context, its container and its stream.

    Args:
        folder: Of the data set.
        file: The video, relative to it.
        begin_s: From which moment on it is read; what follows the key frame before it is read too.

    Raises:
        DatasetError: It is missing, holds no video, or frames that are larger than any camera's.
    """
    # Of another format, a file may be a list of other files, or of addresses; so may a part of this one.
    with av.open(str(inside(folder, file)), format="mp4", options={"enable_drefs": "0"}) as container:
        if not container.streams.video:
            raise DatasetError(file, "holds no video", "Record the episode again.")
        stream = container.streams.video[0]
        if stream.height * stream.width > MAX_PIXELS:
            raise DatasetError(
                file, f"has frames of {stream.height} x {stream.width}", "No camera of a policy is so large."
            )
        if begin_s:
            container.seek(int(begin_s / stream.time_base), stream=stream)
        yield container, stream


@contextmanager
def decoded(
    folder: Path, file: Path, begin_s: float = 0.0, **codec: str
) -> Iterator[tuple[Any, Iterator[av.VideoFrame]]]:
    """Open a video; within the context, its stream and its frames, as they are asked for.

    Args:
        folder: Of the data set.
        file: The video, relative to it.
        begin_s: From which moment on, as ``opened`` takes it.
        codec: Options of the decoder.

    Raises:
        DatasetError: As ``opened``.
    """
    with opened(folder, file, begin_s) as (container, stream):
        stream.codec_context.options = codec | {"max_pixels": str(MAX_PIXELS)}  # a frame may say another size
        yield stream, container.decode(stream)
