"""The arrays in a frame that nobody trusts, in the envelopes of both dialects, used where they lie.

* ``array_in_npy``, ``array_in_fields``: an array; ``scalar_in_fields``: a numpy scalar.

Bools, numbers and texts are taken: an object array would need pickle, and unpickling runs code.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.lib import format as npy

from groot_wrappers.errors import ProtocolError
from groot_wrappers.protocol.wire.envelopes import NotNumbersError, checked_dtype
from groot_wrappers.protocol.wire.texts import TEXT_KINDS

__all__ = ["array_in_fields", "array_in_npy", "scalar_in_fields"]

_DTYPE_NAME = re.compile(r"[<>|=]([biufc][0-9]{1,2}|[US][0-9]{1,6})")
_MAX_DIMS = 32
_MAX_TEXTS = 1 << 16
_NPY_MAGIC_AND_LENGTH = 10  # bytes before the header of .npy format 1.0
_MAX_NPY_HEADER = 1024  # a header of five dimensions takes 118 bytes


def array_in_npy(frame: memoryview, data: slice) -> np.ndarray:
    """Return the array that ``np.save`` wrote.

    Args:
        frame: read-only.
        data: where what it wrote lies.

    Raises:
        NotNumbersError: it holds other things than bools, numbers and texts.
        ProtocolError: it is no .npy format 1.0, or has another length than it says.
    """
    length = int.from_bytes(frame[data][_NPY_MAGIC_AND_LENGTH - 2 : _NPY_MAGIC_AND_LENGTH], "little")
    begin, size = data.start + _NPY_MAGIC_AND_LENGTH + length, data.stop - data.start
    if length > _MAX_NPY_HEADER or begin > data.stop:
        raise ProtocolError(f"an array came with a .npy header of {length} bytes in {size}; it cannot be read")
    shape, fortran, dtype = _read_npy_header(bytes(frame[data.start : begin]))
    return _view(frame, slice(begin, data.stop), dtype, shape, "F" if fortran else "C")


@lru_cache(maxsize=256)  # those of a run repeat, and reading them takes a tenth of a request of 16 envs
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
    return shape, fortran, _readable(dtype)


def array_in_fields(frame: memoryview, fields: Mapping[Any, Any]) -> np.ndarray:
    """Return the array of a msgpack-numpy envelope.

    Args:
        frame: read-only.
        fields: of the envelope; bytes are slices of the frame.

    Raises:
        NotNumbersError: it holds other things than bools, numbers and texts.
        ProtocolError: a field is missing or wrong, or the length is not what type and shape say.
    """
    kind, shape = fields.get(b"kind"), fields.get(b"shape")
    told = bytes(frame[kind]) if isinstance(kind, slice) else kind
    if told not in (b"", "", None):
        raise NotNumbersError(f"an array of kind {told!r:.20} cannot be read; only bools and numbers, nothing pickled")
    if not isinstance(shape, list):
        raise ProtocolError("an array came without its shape")
    return _view(frame, _data(fields), _dtype(fields), tuple(shape), "C")


def scalar_in_fields(frame: memoryview, fields: Mapping[Any, Any]) -> np.generic:
    """Return the numpy scalar of a msgpack-numpy envelope.

    Raises:
        NotNumbersError: it is no bool or number.
        ProtocolError: a field is missing or wrong, or the length is not what the type says.
    """
    array = _view(frame, _data(fields), checked_dtype(_dtype(fields)), (), "C")
    scalar: np.generic = array.dtype.type(array.item())
    return scalar


def _dtype(fields: Mapping[Any, Any]) -> np.dtype[Any]:
    name = fields.get(b"type")
    if not isinstance(name, str):
        raise NotNumbersError(f"an array of type {name!r:.40} cannot be read; only bools and numbers, nothing pickled")
    return _named_dtype(name)


def _named_dtype(name: str) -> np.dtype[Any]:
    # np.dtype of any text would also build records and objects, so only what dtype.str gives is let through.
    if not _DTYPE_NAME.fullmatch(name):
        raise NotNumbersError(f"an array of type {name!r:.40} cannot be read; only bools and numbers, nothing pickled")
    try:
        return np.dtype(name)
    except TypeError as error:
        raise ProtocolError(f"an array came with the type {name!r}, which numpy does not know") from error


def _readable(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return dtype if dtype.kind in TEXT_KINDS else checked_dtype(dtype)


def _data(fields: Mapping[Any, Any]) -> slice:
    data = fields.get(b"data")
    if not isinstance(data, slice):
        raise ProtocolError("an array came without its data")
    return data


def _view(
    frame: memoryview, data: slice, dtype: np.dtype[Any], shape: tuple[Any, ...], order: Literal["C", "F"]
) -> np.ndarray:
    """Return the array whose values are some of a frame's bytes, read-only and on top of them where alignment allows.

    Raises:
        NotNumbersError: it holds too many texts.
        ProtocolError: there are more or fewer bytes than it says, or numpy cannot hold the shape.
    """
    if len(shape) > _MAX_DIMS or not all(type(size) is int and size >= 0 for size in shape):
        raise ProtocolError(f"an array came with a shape that is none: {str(shape)[:80]}")
    size, came = math.prod(shape) * dtype.itemsize, data.stop - data.start
    if size != came:
        raise ProtocolError(f"an array said {dtype} {shape}, {size} bytes, but came with {came} bytes")
    if dtype.kind in TEXT_KINDS and math.prod(max(1, dim) for dim in shape) > _MAX_TEXTS:
        raise NotNumbersError(f"an array of {str(shape)[:80]} texts cannot be read; at most {_MAX_TEXTS} can")
    try:
        array = np.ndarray(shape, dtype, frame, data.start, order=order)
    except (ValueError, OverflowError) as error:  # (0, 2**62) holds nothing and is too large for numpy all the same
        raise ProtocolError(f"an array came with a shape that numpy cannot hold: {str(shape)[:80]}") from error
    if not array.flags.aligned:  # copying an odd-lying state is cheap; video, of bytes, always lies even
        array = array.copy(order)
        array.flags.writeable = False
    return array
