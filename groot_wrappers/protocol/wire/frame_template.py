"""What a frame says but for the values of its arrays: it is read once, however often it comes with other values.

* ``Layout``: what a frame says, and where the values of its arrays lie.
* ``layout_of``: the layout of a frame, which may be known from one before.

The requests of a run differ in their arrays' values alone: keys, texts, dtypes and shapes stay. What a frame says is a
function of all of its bytes but these values; so a frame whose other bytes are those of a known one says the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from groot_wrappers.errors import ContractError, ProtocolError
from groot_wrappers.modality import ModalityConfig
from groot_wrappers.protocol.wire import msgpack_reader
from groot_wrappers.protocol.wire.array_views import ArrayPlace, place_in_fields, place_in_npy, scalar_from_fields
from groot_wrappers.protocol.wire.envelopes import Dialect, NotNumbersError
from groot_wrappers.protocol.wire.texts import TEXT_KINDS, texts_of

__all__ = ["MARKERS", "Layout", "layout_of"]

_CONFIG_MARKERS = {dialect.config_marker: dialect for dialect in Dialect}
MARKERS = {b"nd", "__ndarray_class__", *_CONFIG_MARKERS}
"""Keys of the maps that mean more than a map."""

_MAX_KNOWN = 8  # requests and replies of a few servers and batch sizes
_MAX_TEXT = 1 << 16  # bytes around the arrays of a layout that is kept: what is kept stays small, whoever sends it


class Layout:
    """What a frame says, and where the values of its arrays lie.

    Attributes:
        dialect: of its arrays and modality configs; None where nothing tells it.
        text: size of all that is not values of arrays, in bytes.
        arrays: whether it has any.
        not_numbers: of an array of something else than bools and numbers, what it is; None where there is none.
    """

    def __init__(
        self,
        frame: memoryview,
        message: Any,
        places: Sequence[ArrayPlace],
        dialect: Dialect | None,
        not_numbers: NotNumbersError | None,
    ) -> None:
        self.dialect = dialect
        self.not_numbers = not_numbers
        self._message = message
        begins = [0, *(place.end for place in places)]
        ends = [*(place.begin for place in places), len(frame)]
        self._size = len(frame)
        self._around = [
            (begin, end, frame[begin:end].tobytes()) for begin, end in zip(begins, ends, strict=True) if begin < end
        ]
        self.text = sum(len(text) for _, _, text in self._around)
        self.arrays = len(places)

    def is_of(self, frame: memoryview) -> bool:
        """Whether a frame says the same, but for the values of its arrays."""
        return len(frame) == self._size and all(frame[begin:end].tobytes() == text for begin, end, text in self._around)

    def message(self, frame: memoryview) -> Any:
        """Return the message in a frame of this layout; its arrays lie on the frame where alignment allows it."""
        return _filled(self._message, frame)


_known: dict[int, Layout] = {}


def layout_of(frame: memoryview) -> Layout:
    """Return the layout of a frame.

    Raises:
        ProtocolError: the frame is junk, says one thing and holds another, or mixes dialects.
    """
    known = _known.get(len(frame))
    if known is not None and known.is_of(frame):
        return known
    reading = _Reading(frame)
    message = msgpack_reader.read(frame, reading.map)
    places = sorted(reading.places, key=lambda place: place.begin)
    layout = Layout(frame, message, places, reading.dialect, reading.not_numbers)
    if layout.arrays and layout.text <= _MAX_TEXT:
        if len(_known) >= _MAX_KNOWN:
            _known.clear()
        _known[len(frame)] = layout
    return layout


def _filled(value: Any, frame: memoryview) -> Any:
    """Return a value of a layout with the arrays of a frame; lists and dicts are new."""
    kind = type(value)
    if kind is dict:
        return {key: _filled(item, frame) for key, item in value.items()}
    if kind is list:
        return [_filled(item, frame) for item in value]
    return value.over(frame) if kind is ArrayPlace else value


class _Reading:
    """Turns the maps that mean more into what they mean, and notes the dialect and the arrays."""

    def __init__(self, frame: memoryview) -> None:
        self.dialect: Dialect | None = None
        self.places: list[ArrayPlace] = []
        self.not_numbers: NotNumbersError | None = None
        self._frame = frame

    def map(self, fields: dict[str | bytes, Any]) -> Any:
        if b"nd" in fields:
            self._note(Dialect.msgpack_numpy)
            if fields[b"nd"] is True:
                return self._array(place_in_fields, fields)
            if fields[b"nd"] is False:
                return self._array(scalar_from_fields, fields)
            raise ProtocolError("the message holds an array envelope whose 'nd' is neither true nor false")
        if "__ndarray_class__" in fields:
            self._note(Dialect.npy)
            if not isinstance(fields.get("as_npy"), slice):
                raise ProtocolError("the message holds an array envelope without 'as_npy' bytes")
            return self._array(place_in_npy, fields["as_npy"])
        for marker, dialect in _CONFIG_MARKERS.items():
            if marker in fields:
                self._note(dialect)
                config = fields.get("as_json")
                if isinstance(config, str):  # as N1.5 has it, which who wants the configs is to tell
                    return config
                try:
                    return ModalityConfig.from_json(config)
                except ContractError as error:
                    raise ProtocolError(f"the message holds a modality config that cannot be read: {error}") from error
        return {key: bytes(self._frame[value]) if isinstance(value, slice) else value for key, value in fields.items()}

    def _array[T](self, read: Callable[[memoryview, T], ArrayPlace | np.generic], fields: T) -> Any:
        """Return the place of an array of numbers; for one of text its texts, and for any other why it is not read."""
        try:
            array = read(self._frame, fields)
        except NotNumbersError as error:
            self.not_numbers = error
            return str(error)
        if isinstance(array, ArrayPlace):
            if array.dtype.kind in TEXT_KINDS:
                self.not_numbers = NotNumbersError(
                    f"an array of dtype {array.dtype} holds text where numbers are wanted"
                )
                return texts_of(array.over(self._frame))
            self.places.append(array)
        return array

    def _note(self, dialect: Dialect) -> None:
        if self.dialect not in (None, dialect):
            raise ProtocolError("the message mixes the dialects 'npy' and 'msgpack_numpy'; it must keep to one")
        self.dialect = dialect
