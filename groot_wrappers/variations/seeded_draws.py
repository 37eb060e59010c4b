"""Random numbers of one moment of each episode: the same whenever they are drawn, and whoever is drawn for beside it.

A generator that all envs shared would have a place that moves, so that what an env gets would depend on its neighbours,
and on how often somebody looked. On another device, though, the same seed gives other numbers.

* ``uniform``: in [0, 1).
* ``normal``: standard normal.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

__all__ = ["normal", "uniform"]


def uniform(moments: Sequence[Sequence[int]], shape: Sequence[int], device: torch.device) -> torch.Tensor:
    """Return numbers in [0, 1), float32 (M, *shape).

    Args:
        moments: What each row's numbers are drawn by: M sequences of whole numbers from 0.
        shape: Of a row's numbers.
        device: Where they are drawn.
    """
    return _drawn(torch.rand, moments, shape, device)


def normal(moments: Sequence[Sequence[int]], shape: Sequence[int], device: torch.device) -> torch.Tensor:
    """Return standard normal numbers, float32 (M, *shape); see ``uniform``."""
    return _drawn(torch.randn, moments, shape, device)


def _drawn(
    draw: Callable[..., torch.Tensor], moments: Sequence[Sequence[int]], shape: Sequence[int], device: torch.device
) -> torch.Tensor:
    rows = torch.empty((len(moments), *shape), device=device)
    generator = torch.Generator(device)
    for row, moment in zip(rows, moments, strict=True):
        seed: Any = np.random.SeedSequence(list(moment)).generate_state(1, np.uint64)[0]
        draw(tuple(shape), generator=generator.manual_seed(int(seed >> 1)), device=device, out=row)
    return rows
