"""How an array lies in a message: the envelopes of both dialects, written in pieces and read without a copy.

* ``Dialect``: which of the two.
* ``array_pieces``, ``scalar_piece``: arrays and numpy scalars to send.
* ``array_from_npy``, ``array_from_fields``, ``scalar_from_fields``: the same from bytes that nobody trusts.

Only bools and numbers are taken, either way: an object array would need pickle, and unpickling runs code.
"""

from __future__ import annotations

import io
import math
import re
import struct
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any

import msgpack
import numpy as np
from numpy.lib import format as npy_format

from groot_wrappers.errors import ProtocolError

__all__ = ["Dialect", "array_from_fields", "array_from_npy", "array_pieces", "scalar_from_fields", "scalar_piece"]

_KINDS = "biufc"
_DTYPE_NAME = re.compile(rf"[<>|=][{_KINDS}][0-9]{{1,2}}")
_MAX_DIMS = 32
_NO_BYTES = b"\xc4\x00"  # a msgpack bin of none
_NPY_MAGIC_AND_LENGTH = 10  # bytes before the header of .npy format 1.0
_MAX_NPY_HEADER = 1024  # a header of five dimensions takes 118 bytes


class Dialect(StrEnum):
    """How arrays and modality configs are marked on the wire; it changed inside GR00T N1.7."""

    NPY = "npy"
    """N1.5, N1.6 and the first N1.7: ``{"__ndarray_class__": true, "as_npy": <np.save>}``."""
    MSGPACK_NUMPY = "msgpack_numpy"
    """N1.7 since May 2026: ``{b"nd": true, b"type": "<f4", b"kind": b"", b"shape": [...], b"data": ...}``."""

    @property
    def config_marker(self) -> str:
        """Key that marks a ModalityConfig."""
        return "__ModalityConfig_class__" if self is Dialect.NPY else "__ModalityConfig__"

    @property
    def story(self) -> str:
        """The dialect and who speaks it, for messages."""
        return f"'{self}' ({'N1.5, N1.6, first N1.7' if self is Dialect.NPY else 'N1.7 since May 2026'})"


def array_pieces(array: np.ndarray, dialect: Dialect) -> tuple[bytes, np.ndarray]:
    """Return what comes before the values of an array in a frame, and an array that lies as they are sent.

    The second shares the memory of ``array`` where that lies so already.

    Raises:
        ProtocolError: such an array cannot be sent.
    """
    flags = array.flags
    if flags.c_contiguous:
        return _HEAD[dialect](array.dtype, array.shape, False), array
    if flags.f_contiguous and dialect is Dialect.NPY:
        return _HEAD[dialect](array.dtype, array.shape, True), array.T
    return _HEAD[dialect](array.dtype, array.shape, False), np.ascontiguousarray(array)


def scalar_piece(scalar: np.generic) -> bytes:
    """Return a numpy scalar in the dialect "msgpack_numpy"; the other one has none.

    Raises:
        ProtocolError: such a scalar cannot be sent.
    """
    fields = {b"nd": False, b"type": _checked(scalar.dtype).str, b"data": scalar.tobytes()}
    piece: bytes = msgpack.packb(fields)
    return piece


# The shapes of a run repeat, and writing one takes longer than sending a small array.
@lru_cache(maxsize=256)
def _npy_head(dtype: np.dtype[Any], shape: tuple[int, ...], fortran: bool) -> bytes:
    header = io.BytesIO()
    fields = {"descr": _checked(dtype).str, "fortran_order": fortran, "shape": shape}
    npy_format.write_array_header_1_0(header, fields)
    size = len(header.getvalue()) + _size_of(dtype, shape)
    return _open({"__ndarray_class__": True, "as_npy": b""}, size) + header.getvalue()


@lru_cache(maxsize=256)
def _fields_head(dtype: np.dtype[Any], shape: tuple[int, ...], _fortran: bool) -> bytes:
    fields = {b"nd": True, b"type": _checked(dtype).str, b"kind": b"", b"shape": shape, b"data": b""}
    return _open(fields, _size_of(dtype, shape))


_HEAD = {Dialect.NPY: _npy_head, Dialect.MSGPACK_NUMPY: _fields_head}


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


def _checked(dtype: np.dtype[Any]) -> np.dtype[Any]:
    if dtype.kind not in _KINDS:
        raise ProtocolError(f"an array of dtype {dtype} cannot be sent; only bools and numbers can, nothing pickled")
    return dtype


def _size_of(dtype: np.dtype[Any], shape: tuple[int, ...]) -> int:
    return math.prod(shape) * dtype.itemsize


def array_from_npy(data: memoryview) -> np.ndarray:
    """Return the array that ``np.save`` wrote, read-only and on top of ``data`` where alignment allows it.

    Raises:
        ProtocolError: it is no .npy format 1.0, holds other things than bools and numbers, or has another length than
            it says.
    """
    length = int.from_bytes(bytes(data[_NPY_MAGIC_AND_LENGTH - 2 : _NPY_MAGIC_AND_LENGTH]), "little")
    start = _NPY_MAGIC_AND_LENGTH + length
    if length > _MAX_NPY_HEADER or len(data) < start:
        raise ProtocolError(f"an array came with a .npy header of {length} bytes in {len(data)}; it cannot be read")
    shape, fortran, dtype = _read_npy_header(bytes(data[:start]))
    return _array(data[start:], dtype, shape, "F" if fortran else "C")


@lru_cache(maxsize=256)
def _read_npy_header(header: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    stream = io.BytesIO(header)
    try:
        if npy_format.read_magic(stream) != (1, 0):
            raise ProtocolError("an array came in another .npy format than 1.0, which bools and numbers never need")
        # numpy reads the header by ast.literal_eval, which builds literals and nothing else; its length is bounded.
        shape, fortran, dtype = npy_format.read_array_header_1_0(stream, max_header_size=_MAX_NPY_HEADER)
    except ProtocolError:
        raise
    except (Exception, RecursionError) as error:  # ValueError, SyntaxError, TokenError, MemoryError, ...
        raise ProtocolError("an array came with a .npy header that cannot be read") from error
    return shape, fortran, _checked(dtype)


def array_from_fields(fields: Mapping[Any, Any]) -> np.ndarray:
    """Return the array of a msgpack-numpy envelope, read-only and on top of its data where alignment allows it.

    Raises:
        ProtocolError: a field is missing or wrong, or the length is not what type and shape say.
    """
    kind, shape = fields.get(b"kind"), fields.get(b"shape")
    if kind not in (b"", "", None):
        told = bytes(kind) if isinstance(kind, memoryview) else kind
        raise ProtocolError(f"an array of kind {told!r:.20} cannot be read; only bools and numbers, nothing pickled")
    if not isinstance(shape, list):
        raise ProtocolError("an array came without its shape")
    return _array(_data(fields), _dtype(fields), tuple(shape), "C")


def scalar_from_fields(fields: Mapping[Any, Any]) -> np.generic:
    """Return the numpy scalar of a msgpack-numpy envelope.

    Raises:
        ProtocolError: a field is missing or wrong, or the length is not what the type says.
    """
    array = _array(_data(fields), _dtype(fields), (), "C")
    scalar: np.generic = array.dtype.type(array.item())
    return scalar


def _dtype(fields: Mapping[Any, Any]) -> np.dtype[Any]:
    name = fields.get(b"type")
    if not isinstance(name, str):
        raise ProtocolError(f"an array of type {name!r:.40} cannot be read; only bools and numbers, nothing pickled")
    return _named_dtype(name)


@lru_cache(maxsize=256)
def _named_dtype(name: str) -> np.dtype[Any]:
    # np.dtype of any text would also build records and objects, so only what dtype.str gives is let through.
    if not _DTYPE_NAME.fullmatch(name):
        raise ProtocolError(f"an array of type {name!r:.40} cannot be read; only bools and numbers, nothing pickled")
    try:
        return _checked(np.dtype(name))
    except TypeError as error:
        raise ProtocolError(f"an array came with the type {name!r}, which numpy does not know") from error


def _data(fields: Mapping[Any, Any]) -> memoryview:
    data = fields.get(b"data")
    if not isinstance(data, memoryview):
        raise ProtocolError("an array came without its data")
    return data


def _array(data: memoryview, dtype: np.dtype[Any], shape: tuple[Any, ...], order: Any) -> np.ndarray:
    """Lay an array over ``data`` once its length is known to be right."""
    size = dtype.itemsize
    for extent in shape[: _MAX_DIMS + 1]:
        if type(extent) is not int or extent < 0 or len(shape) > _MAX_DIMS:
            raise ProtocolError(f"an array came with a shape that is none: {str(shape)[:80]}")
        size *= extent
    if size != len(data):
        raise ProtocolError(f"an array said {dtype} {shape}, {size} bytes, but came with {len(data)} bytes")
    try:
        array = np.ndarray(shape, dtype, data, order=order)
    except (ValueError, OverflowError) as error:  # (0, 2**62) holds nothing and is too large for numpy all the same
        raise ProtocolError(f"an array came with a shape that numpy cannot hold: {str(shape)[:80]}") from error
    flags = array.flags
    if not flags.aligned:  # copying an odd-lying state is cheap; video, of bytes, always lies even
        array = array.copy(order)
        flags = array.flags
    if flags.writeable:
        flags.writeable = False
    return array
