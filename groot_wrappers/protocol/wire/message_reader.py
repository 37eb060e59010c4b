"""Reads the message in a frame that nobody trusts: plain values, arrays, and modality configs.

* ``read_message``: the message, its dialect, and whether it holds more than bools and numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from groot_wrappers.errors import ContractError, ProtocolError
from groot_wrappers.modality import ModalityConfig
from groot_wrappers.protocol.wire import msgpack_reader
from groot_wrappers.protocol.wire.array_views import array_in_fields, array_in_npy, scalar_in_fields
from groot_wrappers.protocol.wire.envelopes import Dialect, NotNumbersError
from groot_wrappers.protocol.wire.texts import TEXT_KINDS, texts_of

__all__ = ["MARKERS", "read_message"]

T = TypeVar("T")

_CONFIG_MARKERS = {dialect.config_marker: dialect for dialect in Dialect}
MARKERS = {b"nd", "__ndarray_class__", *_CONFIG_MARKERS}
"""Keys of the maps that mean more than a map."""


def read_message(frame: memoryview) -> tuple[Any, Dialect | None, NotNumbersError | None]:
    """Return the message in a frame, whose arrays lie on the frame where alignment allows it.

    Args:
        frame: read-only.

    Returns:
        The message; the dialect of its arrays and modality configs, None where nothing tells it; and of an array of
        something else than bools and numbers, what it is.

    Raises:
        ProtocolError: the frame is junk, says one thing and holds another, or mixes dialects.
    """
    reading = _Reading(frame)
    return msgpack_reader.read(frame, reading.map), reading.dialect, reading.not_numbers


class _Reading:
    """Turns the maps that mean more into what they mean, and notes the dialect."""

    def __init__(self, frame: memoryview) -> None:
        self.dialect: Dialect | None = None
        self.not_numbers: NotNumbersError | None = None
        self._frame = frame

    def map(self, fields: dict[str | bytes, Any]) -> Any:
        if b"nd" in fields:
            self._note(Dialect.msgpack_numpy)
            if fields[b"nd"] is True:
                return self._array(array_in_fields, fields)
            if fields[b"nd"] is False:
                return self._array(scalar_in_fields, fields)
            raise ProtocolError("the message holds an array envelope whose 'nd' is neither true nor false")
        if "__ndarray_class__" in fields:
            self._note(Dialect.npy)
            if not isinstance(fields.get("as_npy"), slice):
                raise ProtocolError("the message holds an array envelope without 'as_npy' bytes")
            return self._array(array_in_npy, fields["as_npy"])
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

    def _array(self, read: Callable[[memoryview, T], np.ndarray | np.generic], fields: T) -> Any:
        """Return an array of numbers; for one of text its texts, and for any other why it is not read."""
        try:
            array = read(self._frame, fields)
        except NotNumbersError as error:
            self.not_numbers = error
            return str(error)
        if isinstance(array, np.ndarray) and array.dtype.kind in TEXT_KINDS:
            self.not_numbers = NotNumbersError(f"an array of dtype {array.dtype} holds text where numbers are wanted")
            return texts_of(array)
        return array

    def _note(self, dialect: Dialect) -> None:
        if self.dialect not in (None, dialect):
            raise ProtocolError("the message mixes the dialects 'npy' and 'msgpack_numpy'; it must keep to one")
        self.dialect = dialect
