"""The way of a camera's picture into the vision tower, for many at once and to the bit.

* ``PictureChain``: letterbox, shrinking or enlarging, centre crop, enlarging, and Pillow's last resize.

Up to the normalisation all of it is arithmetic on whole numbers, but for OpenCV's true area shrink, whose float32 sums
are added up in OpenCV's own order. After Isaac-GR00T N1.6 ``gr00t/model/gr00t_n1d6/image_augmentations.py`` (which
steps in which order), ``Eagle-Block2A-2B-v2/processing_eagle3_vl.py`` (the size that a picture is rounded to), OpenCV's
``modules/imgproc/src/resize.cpp`` and Pillow's ``src/libImaging/Resample.c`` (the arithmetic).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch

from groot_wrappers.gr00t_model.fallback import UnsupportedError

__all__ = ["PictureChain", "area_enlarging_taps", "area_shrinking_taps", "bicubic_taps"]

FACTOR = 28
"""Both sides of what the vision tower sees are multiples of it."""

_CUBIC_BITS = 22
_LINEAR_UNIT = 2048  # 11 bits
_LEAST_PIXELS, _MOST_PIXELS = 4 * FACTOR * FACTOR, 4096 * FACTOR * FACTOR

Step = Callable[[torch.Tensor], torch.Tensor]


def bicubic_taps(size: int, wanted: int) -> tuple[np.ndarray, np.ndarray]:
    """Return Pillow's taps of an 8-bit BICUBIC resize of one side.

    Returns:
        index: int64 (wanted, K), of the pixels that make a pixel.
        weight: int64 (wanted, K), in units of 2**-22.
    """

    def kernel(x: float) -> float:
        x = abs(x)
        if x < 1:
            return (1.5 * x - 2.5) * x * x + 1
        return (((x - 5) * x + 8) * x - 4) * -0.5 if x < 2 else 0.0

    scale = size / wanted
    stretch = max(scale, 1.0)
    rows = []
    for out in range(wanted):
        centre = (out + 0.5) * scale
        first = max(int(centre - 2 * stretch + 0.5), 0)
        last = min(int(centre + 2 * stretch + 0.5), size)
        weights = [kernel((x - centre + 0.5) / stretch) for x in range(first, last)]
        total = sum(weights)
        units = [w / total * (1 << _CUBIC_BITS) for w in weights]
        rows.append((first, [int(u + (0.5 if u >= 0 else -0.5)) for u in units]))
    most = max(len(weights) for _, weights in rows)
    index, weight = np.zeros((wanted, most), np.int64), np.zeros((wanted, most), np.int64)
    for out, (first, units_of) in enumerate(rows):
        index[out, : len(units_of)] = first + np.arange(len(units_of))
        weight[out, : len(units_of)] = units_of
    used = weight.any(0)
    return index[:, used], weight[:, used]


def area_enlarging_taps(size: int, wanted: int) -> tuple[np.ndarray, np.ndarray]:
    """Return OpenCV's two taps of an 8-bit INTER_AREA that enlarges one side; weights in units of 2**-11."""
    inverse = wanted / size
    index, weight = np.zeros((wanted, 2), np.int64), np.zeros((wanted, 2), np.int64)
    for out in range(wanted):
        left = math.floor(out * (1.0 / inverse))
        right = np.float32((out + 1) - (left + 1) * inverse)
        right = np.float32(0) if right <= 0 else np.float32(right - np.float32(math.floor(right)))
        if left >= size - 1:
            left, right = size - 1, np.float32(0)
        index[out] = left, min(left + 1, size - 1)
        weight[out] = [int(np.rint(part * np.float32(_LINEAR_UNIT))) for part in (np.float32(1) - right, right)]
    return index, weight


def area_shrinking_taps(size: int, wanted: int) -> tuple[np.ndarray, np.ndarray]:
    """Return OpenCV's taps of an INTER_AREA that shrinks one side by what is no whole number; float32 weights."""
    scale = 1.0 / (wanted / size)
    rows: list[list[tuple[int, float]]] = []
    for out in range(wanted):
        begin = out * scale
        end = begin + scale
        width = min(scale, size - begin)
        last = min(math.floor(end), size - 1)
        first = min(math.ceil(begin), last)
        taps = [(first - 1, (first - begin) / width)] if first - begin > 1e-3 else []
        taps += [(x, 1.0 / width) for x in range(first, last)]
        if end - last > 1e-3:
            taps.append((last, min(end - last, 1.0, width) / width))
        rows.append(taps)
    most = max(map(len, rows))
    index, weight = np.zeros((wanted, most), np.int64), np.zeros((wanted, most), np.float32)
    for out, taps in enumerate(rows):
        for tap, (x, share) in enumerate(taps):
            index[out, tap], weight[out, tap] = x, share
    return index, weight


class PictureChain:
    """What NVIDIA's processor makes of pictures of one size.

    Args:
        size: (H, W) of the pictures.
        edge: Side of the square that they are brought to: the processor's ``shortest_image_edge``.
        fraction: Of that side, what the centre crop keeps: its ``crop_fraction``.
        device: Where it is computed.
        factor: Of which the sides of the squares that come out are a multiple, in pixels.

    Attributes:
        size: Side of the squares that come out; the same for pictures of all sizes.
        is_whole: Whether all of it is arithmetic on whole numbers, which a compiler cannot round otherwise.
    """

    def __init__(
        self,
        size: tuple[int, int],
        edge: int,
        fraction: float,
        device: torch.device | str,
        *,
        factor: int = FACTOR,
    ) -> None:
        self._device = torch.device(device)
        self.is_whole = True
        height, width = size
        side = max(height, width)
        self._steps: list[Step] = []
        if height != width:
            self._steps.append(self._letterbox(height, width, side))
        self._to_edge(side, edge)
        kept = max(1, int(edge * fraction))
        if kept != edge:
            offset = (edge - kept) // 2
            self._steps.append(lambda x: x[:, offset : offset + kept, offset : offset + kept])
            self._to_edge(kept, edge)
        self.size = max(factor, round(edge / factor) * factor)
        if not _LEAST_PIXELS <= self.size**2 <= _MOST_PIXELS:
            raise UnsupportedError(f"pictures of {self.size} x {self.size} are brought to another size once more")
        if self.size != edge:
            self._steps.append(self._bicubic(edge, self.size))
        levels = torch.arange(256, device=self._device, dtype=torch.float32)
        self._levels = (levels - 127.5) / 127.5

    def resized(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return pictures as the vision tower sees them, before the normalisation.

        Args:
            pictures: uint8 (N, H, W, 3).

        Returns:
            uint8 (N, size, size, 3).
        """
        for step in self._steps:
            pictures = step(pictures)
        return pictures

    def normalised(self, resized: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Return (x - 127.5) / 127.5 of uint8 pictures, computed in float32 and rounded to ``dtype``."""
        return self._levels.to(dtype)[resized.to(torch.int32)]

    def _to_edge(self, side: int, edge: int) -> None:
        if side < edge:
            self._steps.append(self._enlarging(side, edge))
        elif side > edge and side % edge == 0:
            self._steps.append(self._shrinking_evenly(side // edge))
        elif side > edge:
            self.is_whole = False
            self._steps.append(self._shrinking(side, edge))

    def _letterbox(self, height: int, width: int, side: int) -> Step:
        top, left = (side - height) // 2, (side - width) // 2
        around = (0, 0, left, side - width - left, top, side - height - top)
        return lambda x: torch.nn.functional.pad(x, around)

    def _taps(self, index: np.ndarray, weight: np.ndarray) -> list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        """Return, a tap, the indices of a side and its weights along a row and along a column."""
        dtype = torch.float32 if weight.dtype == np.float32 else torch.int32
        return [
            (
                torch.tensor(index[:, tap], device=self._device),
                torch.tensor(weight[:, tap], dtype=dtype, device=self._device)[:, None],
                torch.tensor(weight[:, tap], dtype=dtype, device=self._device)[:, None, None],
            )
            for tap in range(index.shape[1])
        ]

    def _enlarging(self, side: int, wanted: int) -> Step:
        (left, row_left, column_left), (right, row_right, column_right) = self._taps(*area_enlarging_taps(side, wanted))

        def step(x: torch.Tensor) -> torch.Tensor:
            x = x.to(torch.int32)
            x = (x.index_select(2, left) * row_left + x.index_select(2, right) * row_right) >> 4
            above, below = x.index_select(1, left) * column_left, x.index_select(1, right) * column_right
            return (((above >> 16) + (below >> 16) + 2) >> 2).to(torch.uint8)

        return step

    def _shrinking_evenly(self, times: int) -> Step:
        def step(x: torch.Tensor) -> torch.Tensor:
            n, height, width, channels = x.shape
            cells = x.to(torch.int32).reshape(n, height // times, times, width // times, times, channels)
            total = cells.sum((2, 4), dtype=torch.int32)
            if times == 2:
                return ((total + 2) >> 2).to(torch.uint8)
            # A product alone is rounded the same everywhere: no compiler has a sum to fuse it with.
            return torch.round(total.to(torch.float32) * float(np.float32(1.0 / times**2))).to(torch.uint8)

        return step

    def _shrinking(self, side: int, wanted: int) -> Step:
        taps = self._taps(*area_shrinking_taps(side, wanted))

        def step(x: torch.Tensor) -> torch.Tensor:
            x = x.to(torch.float32)
            rows = x.index_select(2, taps[0][0]) * taps[0][1]
            for index, row, _ in taps[1:]:
                rows = rows + x.index_select(2, index) * row
            total = rows.index_select(1, taps[0][0]) * taps[0][2]
            for index, _, column in taps[1:]:
                total = total + rows.index_select(1, index) * column
            return torch.round(total).clamp(0, 255).to(torch.uint8)

        return step

    def _bicubic(self, side: int, wanted: int) -> Step:
        taps = self._taps(*bicubic_taps(side, wanted))

        def step(x: torch.Tensor) -> torch.Tensor:
            for axis in (2, 1):
                whole = x.to(torch.int32)
                total = torch.full_like(whole[:, :1, :1, :1], 1 << (_CUBIC_BITS - 1))
                for index, row, column in taps:
                    total = total + whole.index_select(axis, index) * (row if axis == 2 else column)
                x = (total >> _CUBIC_BITS).clamp(0, 255).to(torch.uint8)
            return x

        return step
