"""The noise that a chunk begins from, of each row by itself.

* ``RowNoise``: normal numbers from an episode's seed and a request's number.
* ``row_noise_of``: those of a request's options, checked.
* ``philox``: the generator below them.

The generator is Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): it counts instead
of remembering, so that a row's numbers depend neither on its neighbours nor on what was drawn before.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from groot_wrappers.errors import ContractError, describe_value
from groot_wrappers.protocol.offer import ROW_NOISE

__all__ = ["RowNoise", "philox", "row_noise_of"]

_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_LOW = 0xFFFFFFFF
_ROUNDS = 10


def philox(counter: list[torch.Tensor], key: list[torch.Tensor]) -> list[torch.Tensor]:
    """Return four words of 32 random bits for each counter.

    Args:
        counter: Four int64 tensors of one shape (or that broadcast), each word in 0 .. 2**32 - 1.
        key: Two such tensors.
    """
    a, b, c, d = counter
    low, high = key
    for _ in range(_ROUNDS):
        # Of a product of two words int64 keeps the right 64 bits, though it may read them as negative.
        first, second = a * _MULTIPLIERS[0], c * _MULTIPLIERS[1]
        a, b, c, d = (
            (second >> 32 & _LOW) ^ b ^ low,
            second & _LOW,
            (first >> 32 & _LOW) ^ d ^ high,
            first & _LOW,
        )
        low, high = low + _WEYL[0] & _LOW, high + _WEYL[1] & _LOW
    return [a, b, c, d]


def row_noise_of(options: Mapping[str, Any] | None, batch: int) -> np.ndarray | None:
    """Return the ``row_noise`` of a request's options.

    Args:
        options: Of the request.
        batch: Rows of its observation.

    Returns:
        int64 (B, 2), a row's episode seed and request number; None where the options hold none.

    Raises:
        ContractError: It is not that.
    """
    given = (options or {}).get(ROW_NOISE)
    if given is None:
        return None
    told = f"options['{ROW_NOISE}'] is [episode_seed, request_number] of each of the {batch} rows, whole numbers"
    try:
        rows = np.asarray(given)
    except (ValueError, OverflowError) as error:
        raise ContractError(f"{told}, got {describe_value(given)}") from error
    if rows.dtype.kind not in "iu" or rows.shape != (batch, 2) or (rows.dtype.kind == "u" and (rows >> 63).any()):
        raise ContractError(f"{told} below 2**63, got {describe_value(given)} of shape {rows.shape} ({rows.dtype})")
    return rows.astype(np.int64)


class RowNoise:
    """Standard normal numbers of a row: those of its seed and number, whatever is drawn beside it.

    Key: the episode's seed. Counter: the number of four values within the row, and the request's number. Two words
    give two values by Box and Muller's formula in float64, which is rounded to the model's dtype once; devices differ
    by an ulp of float64 in the logarithm and the sine, which that rounding hides but for one value in some 10**8.

    Args:
        shape: (H, A), of one row.
        device: Where it is drawn.
        dtype: Of what is given.
    """

    def __init__(self, shape: tuple[int, int], device: torch.device | str, dtype: torch.dtype) -> None:
        self._shape = shape
        self._device = torch.device(device)
        self._dtype = dtype
        self._graphs: dict[int, tuple[torch.cuda.CUDAGraph, torch.Tensor, torch.Tensor]] = {}

    def draw(self, rows: np.ndarray) -> torch.Tensor:
        """Return the noise of rows.

        Args:
            rows: int64 (B, 2), see ``row_noise_of``.

        Returns:
            (B, H, A) on the device.
        """
        asked = torch.from_numpy(np.ascontiguousarray(rows, dtype=np.int64))
        if self._device.type != "cuda":
            return self._normal(asked.to(self._device))
        size = 1 << max(len(rows) - 1, 0).bit_length()
        if size not in self._graphs:
            self._graphs[size] = self._captured(size)
        graph, given, drawn = self._graphs[size]
        given[: len(rows)].copy_(asked)
        graph.replay()
        return drawn[: len(rows)].clone()

    def _normal(self, rows: torch.Tensor) -> torch.Tensor:
        numbers = math.prod(self._shape)
        block = torch.arange(-(-numbers // 4), device=rows.device)[None]
        seed, request = rows[:, :1], rows[:, 1:]
        zero = torch.zeros_like(block)
        words = philox(
            [block + 0 * request, zero + 0 * request, (request & _LOW) + zero, (request >> 32 & _LOW) + zero],
            [seed & _LOW, seed >> 32 & _LOW],
        )
        pairs = []
        for radius, angle in ((words[0], words[1]), (words[2], words[3])):
            length = torch.sqrt(-2 * torch.log((radius.double() + 0.5) * 2.0**-32))
            turn = angle.double() * (2 * math.pi * 2.0**-32)
            pairs += [length * torch.cos(turn), length * torch.sin(turn)]
        drawn = torch.stack(pairs, -1).flatten(1)[:, :numbers]
        return drawn.to(self._dtype).reshape(-1, *self._shape)

    def _captured(self, size: int) -> tuple[torch.cuda.CUDAGraph, torch.Tensor, torch.Tensor]:
        given = torch.zeros((size, 2), dtype=torch.int64, device=self._device)
        self._normal(given)  # what is made once, is made before the capture
        torch.cuda.synchronize(self._device)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            drawn = self._normal(given)
        return graph, given, drawn
