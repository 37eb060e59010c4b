"""How an array lies in a message: the envelopes of both dialects, written in pieces and read without a copy.

* ``Dialect``: which of the two.
* ``npy_header``, ``raw_bytes``: the pieces of an array to send.
* ``array_from_npy``, ``array_from_fields``, ``scalar_from_fields``: arrays and numpy scalars from
  bytes that nobody trusts.

Only bools and numbers are taken, either way: an object array would need pickle, and unpickling runs code.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.lib import format as npy

from groot_wrappers.errors import ProtocolError

__all__ = ["Dialect", "array_from_fields", "array_from_npy", "npy_header", "raw_bytes", "scalar_from_fields"]

_KINDS = "biufc"
_DTYPE_NAME = re.compile(rf"[<>|=][{_KINDS}][0-9]{{1,2}}")
_MAX_DIMS = 32
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


def checked_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return ``dtype`` if it can be sent: a bool or a number.

    Raises:
        ProtocolError: it is anything else.
    """
    if dtype.kind not in _KINDS:
        raise ProtocolError(f"an array of dtype {dtype} cannot be sent; only bools and numbers can, nothing pickled")
    return dtype


def npy_header(array: np.ndarray) -> bytes:
    """Return what ``np.save`` writes before the values of ``array``."""
    fortran = array.flags.f_contiguous and not array.flags.c_contiguous
    return _npy_header(array.shape, array.dtype.str, fortran)


@lru_cache(maxsize=256)  # the shapes of a run repeat; writing one takes longer than sending a small array
def _npy_header(shape: tuple[int, ...], descr: str, fortran: bool) -> bytes:
    header = io.BytesIO()
    npy.write_array_header_1_0(header, {"descr": descr, "fortran_order": fortran, "shape": shape})
    return header.getvalue()


def raw_bytes(array: np.ndarray, *, fortran: bool = False) -> np.ndarray | bytes:
    """Return the values of ``array`` as uint8 in C order, sharing its memory where they lie so already.

    Args:
        array: any shape and strides.
        fortran: leave an array that is contiguous in Fortran order as it lies; ``npy_header`` says so.
    """
    if array.size == 0:
        return b""
    if fortran and array.flags.f_contiguous:
        array = array.T
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


def array_from_npy(data: memoryview) -> np.ndarray:
    """Return the array that ``np.save`` wrote, read-only and on top of ``data`` where alignment allows it.

    Raises:
        ProtocolError: it is no .npy format 1.0, holds other things than bools and numbers, or has another length than
            it says.
    """
    length = int.from_bytes(data[_NPY_MAGIC_AND_LENGTH - 2 : _NPY_MAGIC_AND_LENGTH], "little")
    start = _NPY_MAGIC_AND_LENGTH + length
    if length > _MAX_NPY_HEADER or len(data) < start:
        raise ProtocolError(f"an array came with a .npy header of {length} bytes in {len(data)}; it cannot be read")
    shape, fortran, dtype = _read_npy_header(bytes(data[:start]))
    return _array(data[start:], dtype, shape, "F" if fortran else "C")


@lru_cache(maxsize=256)
def _read_npy_header(header: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    stream = io.BytesIO(header)
    try:
        if npy.read_magic(stream) != (1, 0):
            raise ProtocolError("an array came in another .npy format than 1.0, which bools and numbers never need")
        # numpy reads the header by ast.literal_eval, which builds literals and nothing else; its length is bounded.
        shape, fortran, dtype = npy.read_array_header_1_0(stream, max_header_size=_MAX_NPY_HEADER)
    except ProtocolError:
        raise
    except (Exception, RecursionError) as error:  # ValueError, SyntaxError, TokenError, MemoryError, ...
        raise ProtocolError("an array came with a .npy header that cannot be read") from error
    return shape, fortran, checked_dtype(dtype)


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
        return checked_dtype(np.dtype(name))
    except TypeError as error:
        raise ProtocolError(f"an array came with the type {name!r}, which numpy does not know") from error


def _data(fields: Mapping[Any, Any]) -> memoryview:
    data = fields.get(b"data")
    if not isinstance(data, memoryview):
        raise ProtocolError("an array came without its data")
    return data


def _array(data: memoryview, dtype: np.dtype[Any], shape: tuple[Any, ...], order: Any) -> np.ndarray:
    """Lay an array over ``data`` once its length is known to be right."""
    if len(shape) > _MAX_DIMS or not all(type(size) is int and size >= 0 for size in shape):
        raise ProtocolError(f"an array came with a shape that is none: {str(shape)[:80]}")
    if math.prod(shape) * dtype.itemsize != len(data):
        raise ProtocolError(
            f"an array said {dtype} {shape}, {math.prod(shape) * dtype.itemsize} bytes, but came with {len(data)} bytes"
        )
    try:
        array = np.ndarray(shape, dtype, buffer=data, order=order)
    except (ValueError, OverflowError) as error:  # (0, 2**62) holds nothing and is too large for numpy all the same
        raise ProtocolError(f"an array came with a shape that numpy cannot hold: {str(shape)[:80]}") from error
    if not array.flags.aligned:  # copying an odd-lying state is cheap; video, of bytes, always lies even
        array = array.copy(order)
    array.flags.writeable = False
    return array
