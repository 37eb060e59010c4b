"""Memory for the frames that one connection sends, used again as long as they are of one size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import zmq

__all__ = ["Outbox", "Piece"]

_PAGE = 4096

type Piece = bytes | bytearray | memoryview
"""A part of a frame, byte by byte."""


class Outbox:
    """Puts the pieces of a frame together in the memory that ZeroMQ sends it from.

    The requests of a run are of one size. New memory for each comes from the system page by page, and goes back by a
    thread of pyzmq that gets in the way of the next request.
    """

    def __init__(self) -> None:
        self._memory = memoryview(b"")
        self._frame = zmq.Frame()

    def fill(self, pieces: Sequence[Piece]) -> zmq.Frame:
        """Return the frame of these pieces.

        The one before must be out, which a reply to it shows: its memory may be that of this one.
        """
        size = sum(map(len, pieces))
        if size < zmq.COPY_THRESHOLD:
            return zmq.Frame(b"".join(pieces))
        if size != len(self._memory):
            self._memory = _memory_of(size)
            self._frame = zmq.Frame(self._memory, copy=False)
        memory, begin = self._memory, 0
        for piece in pieces:
            end = begin + len(piece)
            memory[begin:end] = piece
            begin = end
        return self._frame


def _memory_of(size: int) -> memoryview:
    """Return memory of so many bytes that begins in the middle of a page.

    From the beginning of one, where large memory is wont to begin, a frame of 300 kB takes 0.1 ms longer to be sent:
    the kernel copies it to pages, and processors are slow to tell addresses apart whose last 12 bits are the same.
    """
    memory = np.empty(size + _PAGE, np.uint8)
    begin = (_PAGE // 2 - memory.ctypes.data) % _PAGE
    return memory[begin : begin + size].data
