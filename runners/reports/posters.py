"""The last frame of a video as a picture inside a page, so that nothing is black before a video is loaded.

* ``poster_of``: reads one.
"""

import base64
import logging
from collections import deque
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from runners.utils.jpeg import as_jpeg

__all__ = ["MOST_BYTES", "poster_of"]

LARGEST = (400, 300)
"""Width and height that a picture fits into: a card's, on most screens."""

MOST_BYTES = 30_000
"""Of a picture; one that takes more is made smaller."""

NEAR_END_S = 0.5

_log = logging.getLogger(__name__)


def poster_of(video: Path) -> str | None:
    """Return the last frame of a video as the address of a JPEG that is the address's own content.

    Args:
        video: An MP4 file.

    Returns:
        None where there is no such file, or none that can be decoded.
    """
    try:
        frame = _last_frame(video)
    except (OSError, av.FFmpegError) as error:
        _log.warning("%s shows no picture on the page: %s", video, error)
        return None
    return None if frame is None else f"data:image/jpeg;base64,{base64.b64encode(_bounded_jpeg(frame)).decode()}"


def _last_frame(video: Path) -> np.ndarray[Any, Any] | None:
    """Return the last frame, uint8 (H, W, 3), decoded from the last key frame on; None where there is no frame."""
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        if stream.duration is not None and stream.time_base is not None:
            end = (stream.start_time or 0) + stream.duration - round(NEAR_END_S / stream.time_base)
            container.seek(max(0, end), stream=stream)
        frames = deque(container.decode(stream), maxlen=1)
        return frames[0].to_ndarray(format="rgb24") if frames else None


def _bounded_jpeg(frame: np.ndarray[Any, Any]) -> bytes:
    picture = Image.fromarray(frame)
    width, height = LARGEST
    while True:
        picture.thumbnail((width, height))
        content = as_jpeg(np.asarray(picture))
        if len(content) <= MOST_BYTES:
            return content
        width, height = width // 2, height // 2
