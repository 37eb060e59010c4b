"""HostCopy: the frames of one moment, all keys of a modality, in one block of host memory."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

__all__ = ["HostCopy"]


class HostCopy:
    """Copies the frames of a modality's keys to the host, into a block of memory that nothing else ever writes to.

    From a GPU the block is page-locked, which the copy engine fills at the full speed of the bus, and each key's copy
    runs while the next key is still drawn. PyTorch keeps the blocks that were let go and gives them out again, so that
    only the first few cost an allocation.

    Args:
        shapes: Key to the shape of its frames, in the order in which they are read.
        dtype: Of all of them.
        device: Where they come from.
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], dtype: torch.dtype, device: torch.device) -> None:
        self._shapes = dict(shapes)
        self._dtype = dtype
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None  # type: ignore[no-untyped-call]

    def __call__(self, read: Callable[[str], torch.Tensor]) -> dict[str, np.ndarray[Any, Any]]:
        """Return a copy of each key's frames.

        Args:
            read: Takes a key, returns its frames, which may be a view of a buffer of the simulator.
        """
        sizes = [math.prod(shape) for shape in self._shapes.values()]
        block = torch.empty(sum(sizes), dtype=self._dtype, pin_memory=self._stream is not None)
        parts = torch.split(block, sizes)
        copies = {key: part.view(shape) for (key, shape), part in zip(self._shapes.items(), parts, strict=True)}
        if self._stream is None:
            for key, copy in copies.items():
                copy.copy_(read(key))
        else:
            self._copy_from_gpu(read, copies, self._stream)
        return {key: copy.numpy() for key, copy in copies.items()}

    @staticmethod
    def _copy_from_gpu(
        read: Callable[[str], torch.Tensor], copies: Mapping[str, torch.Tensor], stream: torch.cuda.Stream
    ) -> None:
        in_use = []  # what is let go while another stream reads it would be given out again
        for key, copy in copies.items():
            frames = read(key)
            in_use.append(frames)
            stream.wait_stream(torch.cuda.current_stream(frames.device))
            with torch.cuda.stream(stream):
                copy.copy_(frames, non_blocking=True)
        stream.synchronize()
