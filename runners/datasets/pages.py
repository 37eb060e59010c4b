"""``require_honest_pages``: that the pages of a parquet file hold what its footer says.

A reader takes its memory by what the header of each page says, which is a few bytes anywhere in the file: with
run-length encoding, eight bytes may stand for two thousand million numbers. Headers are in Thrift's compact protocol.
"""

from mmap import mmap
from typing import Any

import pyarrow.parquet as pq

__all__ = ["require_honest_pages"]

MAX_PAGE_BYTES = 2**27
"""Most bytes of a page once it is unpacked; writers make pages of about one MiB."""

_TRUE, _FALSE, _INTEGERS, _BINARY, _STRUCT = 1, 2, (4, 5, 6), 8, 12
_DEPTH = 4
"""Structs within a page's header: its own statistics lie two deep."""

_UNPACKED, _PACKED, _DATA, _DATA_V2, _NUM_VALUES = 2, 3, 5, 8, 1
"""Fields of a page's header, and of the struct in it that says what kind of page it is."""


def require_honest_pages(content: bytes | mmap, chunk: pq.ColumnChunkMetaData) -> int:
    """Check the pages of a column, of one row group.

    Args:
        content: The file.
        chunk: What its footer says of the column.

    Returns:
        The bytes that they unpack to.

    Raises:
        ValueError: They hold more or fewer values than the footer says, or unpack to more bytes than any page.
    """
    at = min(offset for offset in (chunk.dictionary_page_offset, chunk.data_page_offset) if offset is not None)
    end, values, total = at + chunk.total_compressed_size, 0, 0
    while values < chunk.num_values:
        if not 0 <= at < end <= len(content):
            raise ValueError(f"the pages of a column hold {values} values, its footer says {chunk.num_values}")
        header, at = _struct(content, at, _DEPTH)
        packed, unpacked = header.get(_PACKED), header.get(_UNPACKED)
        if not isinstance(packed, int) or not isinstance(unpacked, int) or packed < 0:
            raise ValueError("a page does not say its size")
        if not 0 <= unpacked <= MAX_PAGE_BYTES:
            raise ValueError(f"a page unpacks to {unpacked} bytes, more than {MAX_PAGE_BYTES}")
        at += packed
        total += unpacked
        told = header.get(_DATA) or header.get(_DATA_V2)
        values += told.get(_NUM_VALUES, 0) if isinstance(told, dict) else 0
    if values != chunk.num_values:
        raise ValueError(f"the pages of a column hold {values} values, its footer says {chunk.num_values}")
    return total


def _struct(content: bytes | mmap, at: int, depth: int) -> tuple[dict[int, Any], int]:
    """Return the fields of a struct by number, and where it ends."""
    fields: dict[int, Any] = {}
    number = 0
    while head := content[at]:
        at += 1
        kind = head & 15
        if head >> 4:
            number += head >> 4
        else:
            number, at = _integer(content, at)
        if kind in (_TRUE, _FALSE):
            fields[number] = kind == _TRUE
        elif kind in _INTEGERS:
            fields[number], at = _integer(content, at)
        elif kind == _BINARY:
            length, at = _varint(content, at)
            at += length
        elif kind == _STRUCT and depth:
            fields[number], at = _struct(content, at, depth - 1)
        else:
            raise ValueError("a page has a header of another kind")
    return fields, at + 1


def _integer(content: bytes | mmap, at: int) -> tuple[int, int]:
    """Return a signed number, and where it ends."""
    value, at = _varint(content, at)
    return (value >> 1) ^ -(value & 1), at


def _varint(content: bytes | mmap, at: int) -> tuple[int, int]:
    """Return an unsigned number, seven bits a byte, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        value |= (content[at] & 127) << shift
        at += 1
        if content[at - 1] < 128:
            return value, at
    raise ValueError("a page has a number of more than 64 bits")
