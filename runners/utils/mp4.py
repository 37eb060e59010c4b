"""Mp4Writer: one H.264 video, written frame by frame."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

__all__ = ["Mp4Writer"]


class Mp4Writer:
    """Encodes frames as they come.

    Args:
        path: File to write.
        size: (H, W); even numbers, unless ``pixel_format`` takes others.
        fps: Frames per second.
        options: Of libx264.
        pixel_format: ``yuv420p`` is what browsers play.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        fps: float,
        options: Mapping[str, str],
        pixel_format: str = "yuv420p",
    ) -> None:
        self._container = av.open(str(path), "w", options={"movflags": "faststart"})
        rate = Fraction(fps).limit_denominator(1000)
        self._stream = self._container.add_stream("libx264", rate=rate, options=dict(options))
        self._stream.height, self._stream.width = size
        self._stream.pix_fmt = pixel_format
        # One thread each: several videos are written side by side, beside the simulator.
        self._stream.thread_count = 1

    def write(self, frame: np.ndarray[Any, Any]) -> None:
        """Encode a frame, uint8 (H, W, 3)."""
        self._container.mux(self._stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))

    def close(self) -> None:
        """Write what is buffered; the file is playable after this only."""
        self._container.mux(self._stream.encode())
        self._container.close()
