"""Arrays of text, which policies put beside their actions and which are no arrays on the wire: lists of str.

* ``texts_of``: the texts of an array.
* ``with_texts``: a message to send in which no array holds text or objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["TEXT_KINDS", "texts_of", "with_texts"]

TEXT_KINDS = "US"
"""Kinds of numpy's dtypes of str and of bytes."""


def texts_of(array: np.ndarray[Any, Any]) -> Any:
    """Return the texts of an array, nested lists of str of its shape; what is no Unicode becomes U+FFFD."""
    # Not by tolist: numpy believes what it is given, and no such character need exist.
    codec = "utf-8" if array.dtype.kind == "S" else f"utf-32-{'be' if array.dtype.str.startswith('>') else 'le'}"
    data, size = array.tobytes(), array.dtype.itemsize
    parts = (data[begin : begin + size] for begin in range(0, len(data), max(1, size)))
    texts = np.full(array.shape, "", object)
    for place, part in zip(np.ndindex(array.shape), parts, strict=False):
        texts[place] = part.decode(codec, "replace").rstrip("\0")
    return texts.tolist()


def with_texts(message: Any) -> Any:
    """Return a message with lists in place of its arrays of text and of objects."""
    if isinstance(message, Mapping):
        return {key: with_texts(message[key]) for key in message}
    if isinstance(message, list | tuple):
        return [with_texts(item) for item in message]
    if isinstance(message, np.ndarray) and message.dtype.kind in TEXT_KINDS:
        return texts_of(message)
    if isinstance(message, np.ndarray) and message.dtype.kind == "O":
        return with_texts(message.tolist())
    return message
