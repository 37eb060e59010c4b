"""How an array lies in a message: the envelopes of both dialects, written in pieces.

* ``Dialect``: which of the two.
* ``array_pieces``, ``scalar_piece``: arrays and numpy scalars to send.
* ``checked_dtype``: only bools and numbers, either way; ``NotNumbersError`` tells of others.

An object array would need pickle, and unpickling runs code.
"""

from __future__ import annotations

import io
import math
import struct
from functools import lru_cache
from typing import Any

import msgpack
import numpy as np
from numpy.lib import format as npy_format

from groot_wrappers.errors import ProtocolError
from groot_wrappers.installation.compat import StrEnum

__all__ = ["Dialect", "NotNumbersError", "array_pieces", "checked_dtype", "scalar_piece"]

_KINDS = "biufc"
_NO_BYTES = b"\xc4\x00"  # a msgpack bin of none


class NotNumbersError(ProtocolError):
    """An array holds something else than bools and numbers; the message around it is sound."""


class Dialect(StrEnum):
    """How arrays and modality configs are marked on the wire; it changed inside GR00T N1.7."""

    npy = "npy"
    """N1.6 and the first N1.7: ``{"__ndarray_class__": true, "as_npy": <np.save>}``."""
    msgpack_numpy = "msgpack_numpy"
    """N1.7 since May 2026: ``{b"nd": true, b"type": "<f4", b"kind": b"", b"shape": [...], b"data": ...}``."""

    @property
    def config_marker(self) -> str:
        """Key that marks a ModalityConfig."""
        return "__ModalityConfig_class__" if self is Dialect.npy else "__ModalityConfig__"

    @property
    def description(self) -> str:
        """The dialect and who speaks it, for messages."""
        return f"'{self}' ({'N1.6, first N1.7' if self is Dialect.npy else 'N1.7 since May 2026'})"


def checked_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return ``dtype`` if it can be sent: a bool or a number.

    Raises:
        NotNumbersError: it is anything else.
    """
    if dtype.kind not in _KINDS:
        raise NotNumbersError(f"an array of dtype {dtype} cannot be sent; only bools and numbers can, nothing pickled")
    return dtype


def array_pieces(array: np.ndarray, dialect: Dialect) -> tuple[bytes, memoryview]:
    """Return what comes before the values of an array in a frame, and the values byte by byte as they are sent.

    The second is the memory of ``array`` where that lies so already.

    Raises:
        ProtocolError: such an array cannot be sent.
    """
    flags = array.flags
    if flags.c_contiguous:
        return _HEAD[dialect](array.dtype, array.shape, False), _bytes_of(array)
    if flags.f_contiguous and dialect is Dialect.npy:
        return _HEAD[dialect](array.dtype, array.shape, True), _bytes_of(array.T)
    return _HEAD[dialect](array.dtype, array.shape, False), _bytes_of(np.ascontiguousarray(array))


def _bytes_of(array: np.ndarray) -> memoryview:
    """Return the memory of an array that is contiguous in C order."""
    values: memoryview = array.reshape(-1).view(np.uint8).data
    return values


def scalar_piece(scalar: np.generic) -> bytes:
    """Return a numpy scalar in the dialect "msgpack_numpy"; the other one has none.

    Raises:
        ProtocolError: such a scalar cannot be sent.
    """
    fields = {b"nd": False, b"type": checked_dtype(scalar.dtype).str, b"data": scalar.tobytes()}
    piece: bytes = msgpack.packb(fields)
    return piece


# The shapes of a run repeat, and writing one takes longer than sending a small array.
@lru_cache(maxsize=256)
def _npy_head(dtype: np.dtype[Any], shape: tuple[int, ...], fortran: bool) -> bytes:
    header = io.BytesIO()
    fields = {"descr": checked_dtype(dtype).str, "fortran_order": fortran, "shape": shape}
    npy_format.write_array_header_1_0(header, fields)
    size = len(header.getvalue()) + _size_of(dtype, shape)
    return _open({"__ndarray_class__": True, "as_npy": b""}, size) + header.getvalue()


@lru_cache(maxsize=256)
def _fields_head(dtype: np.dtype[Any], shape: tuple[int, ...], _fortran: bool) -> bytes:
    fields = {b"nd": True, b"type": checked_dtype(dtype).str, b"kind": b"", b"shape": shape, b"data": b""}
    return _open(fields, _size_of(dtype, shape))


_HEAD = {Dialect.npy: _npy_head, Dialect.msgpack_numpy: _fields_head}


def _open(fields: dict[Any, Any], size: int) -> bytes:
    """Return a packed map whose last value, bytes, is still to come: so many of them."""
    packed: bytes = msgpack.packb(fields)
    if size < 1 << 8:
        head = struct.pack(">BB", 0xC4, size)
    elif size < 1 << 16:
        head = struct.pack(">BH", 0xC5, size)
    elif size < 1 << 32:
        head = struct.pack(">BI", 0xC6, size)
    else:
        raise ProtocolError(
            f"an array of {size} bytes cannot be sent; msgpack holds no more than 4 GiB. Lower num_envs"
        )
    return packed.removesuffix(_NO_BYTES) + head


def _size_of(dtype: np.dtype[Any], shape: tuple[int, ...]) -> int:
    return math.prod(shape) * dtype.itemsize
