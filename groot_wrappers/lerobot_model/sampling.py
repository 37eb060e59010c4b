"""What a model of LeRobot draws while it answers, from each row's episode alone.

* ``drawn_from``: within it torch's normal numbers of a batch are those of its rows.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from groot_wrappers.gr00t_model.noise import RowNoise

__all__ = ["drawn_from"]

_DRAWS = 20
"""Bits of a request's number that count the draws within it: a million, where diffusion makes some hundred."""


def drawn_from(rows: np.ndarray | None) -> contextlib.AbstractContextManager[Any]:
    """Return a context in which normal numbers of shape (B, ...) come from the rows.

    Diffusion draws anew in every denoising step, so the draws of a request are counted.

    Args:
        rows: int64 (B, 2), of each row its episode's seed and the number of the request; None leaves torch's own.
    """
    return contextlib.nullcontext() if rows is None else _RowDraws(rows)


class _RowDraws(TorchFunctionMode):
    def __init__(self, rows: np.ndarray) -> None:
        super().__init__()
        self._rows = rows
        self._draws = 0

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        named = kwargs or {}
        own = functools.partial(func, *args, **named)
        if func is torch.randn:
            size = named.get("size", args[0] if len(args) == 1 and not isinstance(args[0], int) else args)
            return self._drawn(own, tuple(size), named)
        if func is torch.randn_like:
            like: Any = named.get("input", args[0] if args else None)
            return self._drawn(own, tuple(like.shape), {"device": like.device, "dtype": like.dtype, **named})
        if func is torch.normal:
            asked = {**dict(zip(("mean", "std", "size"), args)), **named}  # noqa: B905  # of those that are given by place
            if "size" in asked:
                return self._drawn(own, tuple(asked["size"]), asked)
        return own()

    def _drawn(self, own: Callable[[], Any], size: tuple[int, ...], asked: dict[str, Any]) -> Any:
        if not size or size[0] != len(self._rows):
            return own()
        rows = self._rows.copy()
        rows[:, 1] = (rows[:, 1] << _DRAWS) + self._draws
        self._draws += 1
        width = int(np.prod(size[1:], dtype=np.int64))
        # On the CPU: a graph for each shape, as RowNoise makes on a card, is not worth a draw of some hundred numbers.
        noise = RowNoise((1, width), "cpu", torch.float32).draw(rows).reshape(size)
        noise = noise * asked.get("std", 1.0) + asked.get("mean", 0.0)
        return noise.to(device=asked.get("device") or "cpu", dtype=asked.get("dtype") or torch.get_default_dtype())
