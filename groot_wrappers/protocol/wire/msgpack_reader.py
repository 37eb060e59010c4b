"""Reads one msgpack frame from bytes that nobody trusts, leaving its large parts where they lie.

* ``read``: the frame as plain values, with a hook for the maps that mean more.

``msgpack.unpackb`` copies every bin out of the frame, allows 1024 levels, and lets a frame of nothing but empty lists
grow seventyfold in memory. A message of this protocol has few items, of which a few are very large.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from groot_wrappers.errors import ProtocolError

__all__ = ["MAX_DEPTH", "MAX_ITEMS", "read"]

MAX_DEPTH = 32
MAX_ITEMS = 1 << 17

_SCALARS = {
    0xC0: None,
    0xC2: False,
    0xC3: True,
    **{tag: tag for tag in range(0x80)},
    **{tag: tag - 0x100 for tag in range(0xE0, 0x100)},
}
"""Values that are their tag."""
_NUMBERS = {
    0xCA: struct.Struct(">f"),
    0xCB: struct.Struct(">d"),
    0xCC: struct.Struct(">B"),
    0xCD: struct.Struct(">H"),
    0xCE: struct.Struct(">I"),
    0xCF: struct.Struct(">Q"),
    0xD0: struct.Struct(">b"),
    0xD1: struct.Struct(">h"),
    0xD2: struct.Struct(">i"),
    0xD3: struct.Struct(">q"),
}
_LENGTHS = {1: struct.Struct(">B"), 2: struct.Struct(">H"), 4: struct.Struct(">I")}
_SIZED = {
    0xC4: ("bin", _LENGTHS[1]),
    0xC5: ("bin", _LENGTHS[2]),
    0xC6: ("bin", _LENGTHS[4]),
    0xD9: ("str", _LENGTHS[1]),
    0xDA: ("str", _LENGTHS[2]),
    0xDB: ("str", _LENGTHS[4]),
    0xDC: ("list", _LENGTHS[2]),
    0xDD: ("list", _LENGTHS[4]),
    0xDE: ("map", _LENGTHS[2]),
    0xDF: ("map", _LENGTHS[4]),
}
"""Kind, and the length that follows the tag."""


def read(frame: memoryview, on_map: Callable[[dict[str | bytes, Any]], Any]) -> Any:
    """Return the value of a msgpack frame.

    Args:
        frame: the whole frame, of bytes.
        on_map: called with each map, innermost first; what it returns takes the map's place. Keys are str or bytes;
            a bin value is the slice of the frame where it lies, which the hook turns into what it is to be.

    Raises:
        ProtocolError: it is not msgpack, is cut short or goes on after its end, holds extension types, repeated or
            odd keys, or is nested or numerous beyond ``MAX_DEPTH`` and ``MAX_ITEMS``.
    """
    reader = _Reader(frame, on_map)
    value = reader.value(MAX_DEPTH)
    if reader.at != len(reader.data):
        raise ProtocolError(f"the message goes on for {len(reader.data) - reader.at} bytes after its end")
    return bytes(frame[value]) if isinstance(value, slice) else value


class _Reader:
    """A place in a frame that moves forward."""

    def __init__(self, data: memoryview, on_map: Callable[[dict[str | bytes, Any]], Any]) -> None:
        self.data = data
        self.at = 0
        self._end = len(self.data)
        self._on_map = on_map
        self._items_left = MAX_ITEMS

    def value(self, depth: int) -> Any:
        """Read the value at this place; a bin is a slice."""
        if self.at >= self._end:
            raise ProtocolError("the message is cut short: 1 bytes wanted, 0 left")
        tag = self.data[self.at]
        self.at += 1
        if 0xA0 <= tag <= 0xBF:  # most values are short texts
            return self._text(tag & 0x1F)
        if tag in _SCALARS:
            return _SCALARS[tag]
        if tag in _NUMBERS:
            return self._number(_NUMBERS[tag])
        kind, size = self._head(tag)
        if kind == "str":
            return self._text(size)
        if kind == "bin":
            return self._take(size)
        if depth == 0:
            raise ProtocolError(f"the message is nested deeper than {MAX_DEPTH} levels")
        self._items_left -= size
        if self._items_left < 0:
            raise ProtocolError(f"the message holds more than {MAX_ITEMS} values")
        return self._list(size, depth - 1) if kind == "list" else self._on_map(self._map(size, depth - 1))

    def _head(self, tag: int) -> tuple[str, int]:
        """Return the kind of a sized value that is no short str, and its size in bytes, items or pairs."""
        if tag <= 0x8F:
            return "map", tag & 0x0F
        if tag <= 0x9F:
            return "list", tag & 0x0F
        if tag not in _SIZED:
            raise ProtocolError(f"the message holds the msgpack tag 0x{tag:02x}, which this protocol never uses")
        kind, length = _SIZED[tag]
        return kind, self._number(length)

    def _number(self, form: struct.Struct) -> Any:
        return form.unpack_from(self.data, self._take(form.size).start)[0]

    def _text(self, size: int) -> str:
        try:
            return self.data[self._take(size)].tobytes().decode()
        except UnicodeDecodeError as error:
            raise ProtocolError("the message holds text that is not UTF-8") from error

    def _list(self, size: int, depth: int) -> list[Any]:
        items = []
        for _ in range(size):
            item = self.value(depth)
            items.append(bytes(self.data[item]) if isinstance(item, slice) else item)
        return items

    def _map(self, size: int, depth: int) -> dict[str | bytes, Any]:
        pairs: dict[str | bytes, Any] = {}
        for _ in range(size):
            key = self.value(0)
            if isinstance(key, slice):
                key = bytes(self.data[key])
            if not isinstance(key, str | bytes) or key in pairs:
                raise ProtocolError("the message holds a map with a key that is not text, or one that is there twice")
            pairs[key] = self.value(depth)
        return pairs

    def _take(self, size: int) -> slice:
        """Move forward, over so many bytes."""
        begin, end = self.at, self.at + size
        if end > self._end:
            raise ProtocolError(f"the message is cut short: {size} bytes wanted, {self._end - begin} left")
        self.at = end
        return slice(begin, end)
