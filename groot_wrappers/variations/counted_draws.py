"""Random numbers that are a function of (seed, count, stream): the same for any number of rows, order and device.

A generator has a place that moves, so that what is drawn for one env would depend on who was drawn before it, and on
how often somebody looked. Here each number is a hash of where it stands (SplitMix64's finaliser), computed for all rows
at once on the device that they are on.

* ``uniform``: in (0, 1).
* ``normal``: standard normal.
"""

import math
from collections.abc import Sequence

import torch

__all__ = ["normal", "uniform"]

_STEP = -0x61C8864680B583EB  # 0x9E3779B97F4A7C15 as a signed number, as torch has no unsigned ones to multiply
_FIRST = -0x40A7B892E31B1A47  # 0xBF58476D1CE4E5B9
_SECOND = -0x6B2FB644ECCEEE15  # 0x94D049BB133111EB


def uniform(seeds: torch.Tensor, counts: torch.Tensor, stream: int, shape: Sequence[int]) -> torch.Tensor:
    """Return numbers in (0, 1), float32 (M, *shape).

    Args:
        seeds: int64 (M,).
        counts: int64 (M,), which draw of that seed it is.
        stream: Tells apart draws of the same seed and count.
        shape: Of a row's numbers.
    """
    rows = _mixed(_mixed(_mixed(seeds) + counts) + stream)
    places = torch.arange(math.prod(shape), device=seeds.device)
    bits = _mixed(rows[:, None] + places * _STEP)
    drawn = (_shifted(bits, 40) + 0.5) * 2.0**-24
    return drawn.to(torch.float32).reshape(-1, *shape)


def normal(seeds: torch.Tensor, counts: torch.Tensor, stream: int, shape: Sequence[int]) -> torch.Tensor:
    """Return standard normal numbers, float32 (M, *shape); see ``uniform``."""
    drawn: torch.Tensor = torch.special.ndtri(uniform(seeds, counts, stream, shape))
    return drawn


def _mixed(x: torch.Tensor) -> torch.Tensor:
    x = (x ^ _shifted(x, 30)) * _FIRST
    x = (x ^ _shifted(x, 27)) * _SECOND
    return x ^ _shifted(x, 31)


def _shifted(x: torch.Tensor, bits: int) -> torch.Tensor:
    """Shift to the right as unsigned numbers are."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)
