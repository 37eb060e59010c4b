"""Frames of the GR00T protocol, in both dialects: ``pack`` a message, ``unpack`` a frame.

A message is nested dicts and lists of None, bool, int, float, str, bytes, numpy arrays, numpy scalars and
``ModalityConfig``. Frames are byte for byte those of ``gr00t/policy/server_client.py`` (Isaac-GR00T N1.6 and N1.7).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgpack
import numpy as np

from groot_wrappers.errors import ProtocolError
from groot_wrappers.modality import ModalityConfig
from groot_wrappers.protocol.wire import msgpack_reader
from groot_wrappers.protocol.wire.envelopes import Dialect, array_pieces, scalar_piece
from groot_wrappers.protocol.wire.message_reader import MARKERS, read_message
from groot_wrappers.protocol.wire.send_buffer import Piece

__all__ = ["Dialect", "pack", "pieces_of", "unpack"]

_Place: TypeAlias = str | tuple["_Place", object]
"""Where in a message a value stands: the place of what holds it, and its key or index there."""


_TEXT_BYTES = 1024
"""That most texts are shorter than; msgpack begins with 256 KiB, which to take and give back each time is slow."""


def pack(message: object, dialect: Dialect) -> bytes:
    """Return the frame of a message. Each array is copied once, into the frame.

    Args:
        message: read by key and by index, so a lazy dict works; tuples become lists.
        dialect: of arrays, scalars and modality configs. "npy" has no numpy scalars: they become plain numbers.

    Raises:
        ProtocolError: names the place of a value that cannot be sent.
    """
    return b"".join(pieces_of(message, dialect))


def pieces_of(message: object, dialect: Dialect) -> list[Piece]:
    """Return the frame of a message in pieces, of which the arrays are not copied yet; see ``pack``."""
    packer = _Packer(dialect)
    packer.write(message, "message", msgpack_reader.MAX_DEPTH)
    return [*packer.pieces, packer.text]


def unpack(frame: bytes | memoryview, *, numbers_only: bool = True) -> tuple[Any, Dialect | None]:
    """Return the message in a frame, and the dialect that its arrays or modality configs are in.

    Arrays are read-only and may lie on the frame's own memory. The dialect is None where nothing tells it.

    Args:
        frame: as it came.
        numbers_only: False takes arrays of other things too. Those of text become lists of str; any other is never
            unpickled, and the text that says so stands in its place.

    Raises:
        ProtocolError: the frame is junk, says one thing and holds another, mixes dialects, or holds such an array.
    """
    message, dialect, not_numbers = read_message(memoryview(frame).toreadonly())
    if numbers_only and not_numbers is not None:
        raise ProtocolError(f"the message holds what cannot be read: {not_numbers}")
    return message, dialect


class _Packer:
    """The pieces of one frame, in order, and the text after them."""

    def __init__(self, dialect: Dialect) -> None:
        self.pieces: list[Piece] = []
        self.text = bytearray()
        self._dialect = dialect
        self._packer = msgpack.Packer(buf_size=_TEXT_BYTES)

    def write(self, value: object, where: _Place, depth: int) -> None:
        # The types of most values first: a message holds an instruction for each of many envs.
        if type(value) is str or value is None:
            self._plain(value, where)
        elif type(value) is dict:
            self._map(value, where, depth)
        elif isinstance(value, np.ndarray):
            self._array(value, where)
        elif isinstance(value, list | tuple):
            self._begin(self._packer.pack_array_header(len(value)), where, depth)
            for index, item in enumerate(value):
                self.write(item, (where, index), depth - 1)
        elif isinstance(value, Mapping):
            self._map(value, where, depth)
        elif isinstance(value, np.generic) and not isinstance(value, float | str | bytes):
            # np.float64 is a float and goes as one in both dialects, as in the real serialiser
            self._scalar(value, where)
        elif isinstance(value, ModalityConfig):
            self._plain({self._dialect.config_marker: True, "as_json": value.to_json()}, where)
        elif isinstance(value, int | float | bytes | str):  # bool is an int
            self._plain(value, where)
        else:
            raise ProtocolError(
                f"{_format_place(where)} is a {type(value).__name__}, which cannot be sent; "
                "send a numpy array, str, number, list or dict"
            )

    def _map(self, value: Mapping[Any, object], where: _Place, depth: int) -> None:
        self._begin(self._packer.pack_map_header(len(value)), where, depth)
        for key in value:
            try:
                self.text += _packed_key(key)
            except ProtocolError as error:
                raise ProtocolError(f"{_format_place(where)} has the key {error}") from None
            self.write(value[key], (where, key), depth - 1)

    def _begin(self, header: bytes, where: _Place, depth: int) -> None:
        if depth == 0:
            raise ProtocolError(f"{_format_place(where)} is nested deeper than {msgpack_reader.MAX_DEPTH} levels")
        self.text += header

    def _plain(self, value: object, where: _Place) -> None:
        """Write what msgpack knows by itself."""
        try:
            self.text += self._packer.pack(value)
        except (OverflowError, ValueError) as error:  # an int beyond 64 bits, a lone surrogate
            raise ProtocolError(f"{_format_place(where)} cannot be sent: {error}") from error

    def _array(self, array: np.ndarray, where: _Place) -> None:
        try:
            head, values = array_pieces(array, self._dialect)
        except ProtocolError as error:
            raise ProtocolError(f"{_format_place(where)}: {error}") from None
        self.text += head
        self.pieces += (self.text, values)
        self.text = bytearray()

    def _scalar(self, value: np.generic, where: _Place) -> None:
        try:
            piece = scalar_piece(value)
        except ProtocolError as error:
            raise ProtocolError(f"{_format_place(where)}: {error}") from None
        if self._dialect is Dialect.npy:
            self._plain(value.item(), where)
        else:
            self.text += piece


def _packed_key(key: object) -> bytes:
    """Return the piece of a key.

    Raises:
        ProtocolError: no message has such a key; the text goes on after "has the key".
    """
    if not isinstance(key, str | bytes):
        raise ProtocolError(f"{key!r:.40}; keys of a message are str")
    if key in MARKERS:
        raise ProtocolError(f"{key!r}, which marks what is no dict; rename it")
    try:
        piece: bytes = msgpack.packb(key)
    except ValueError as error:  # a lone surrogate
        raise ProtocolError(f"{key!r:.40}, which cannot be sent: {error}") from error
    return piece


def _format_place(where: _Place) -> str:
    """Return a place as a message names it: ``message.data.state[3]``."""
    if isinstance(where, str):
        return where
    holder, key = where
    return f"{_format_place(holder)}[{key}]" if isinstance(key, int) else f"{_format_place(holder)}.{key!s}"
