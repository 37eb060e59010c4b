"""Rows of a batch: observations taken apart by env.

* ``take_rows``: the observation of some of the envs.
* ``split_rows``: contiguous shares of a range of rows.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

__all__ = ["split_rows", "take_rows"]


def take_rows(observation: Mapping[str, Mapping[str, Any]], rows: slice | Sequence[int]) -> dict[str, dict[str, Any]]:
    """Return the observation of some envs.

    Args:
        observation: Nested form, ``{modality: {key: array (B, ...) or list of B}}``; each modality is read once.
        rows: Indices into B; a slice copies nothing.
    """

    def take(values: Any) -> Any:
        if isinstance(values, list) and not isinstance(rows, slice):
            return [values[row] for row in rows]
        return values[rows]

    return {modality: {key: take(values) for key, values in observation[modality].items()} for modality in observation}


def split_rows(rows: slice, shares: int) -> list[slice]:
    """Return at most ``shares`` contiguous slices that cover ``rows`` in order, none empty, as even as can be."""
    count = rows.stop - rows.start
    shares = min(shares, count)
    bounds = [rows.start + count * share // shares for share in range(shares + 1)]
    return [slice(begin, end) for begin, end in pairwise(bounds)]
