"""In what the releases of GR00T differ for the tiers.

* ``Release``: the differences, as data.
* ``release_of``: that of a loaded model.
* ``N1D6``, ``N1D7``: after Isaac-GR00T's ``gr00t/model/gr00t_n1d6`` and ``gr00t/model/gr00t_n1d7``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from groot_wrappers.gr00t_model.fallback import UnsupportedError
from groot_wrappers.gr00t_model.stock import EXACT

__all__ = ["N1D6", "N1D7", "Release", "release_of"]

_PATCH, _MERGED, _MOMENTS = 16, 2, 2  # of Qwen3-VL: pixels, patches of a side, moments of a patch


@dataclass(frozen=True)
class Release:
    """A release of the model.

    Attributes:
        name: NVIDIA's.
        factor: Of which the sides of what the vision tower sees are a multiple, in pixels.
        is_resized_by_pillow: Whether pictures that are none are brought to one by Pillow's BICUBIC.
        picture_id: Name of the pictures' token in the backbone's config.
        joins_states: Whether the moments of the state are one token of the action head, or one each.
        has_own_backbone: Whether the tiers with a backbone of ours know it.
        fp32_attention: What stands for flash-attn in fp32, by its name in transformers.
        pixels: What the backbone takes of normalised pictures (N, S, S, 3), by name.
    """

    name: str
    factor: int
    is_resized_by_pillow: bool
    picture_id: str
    joins_states: bool
    has_own_backbone: bool
    fp32_attention: str
    pixels: Callable[[torch.Tensor], dict[str, Any]]


def _whole_pictures(pictures: torch.Tensor) -> dict[str, Any]:
    return {"pixel_values": [pictures.permute(0, 3, 1, 2).contiguous()]}


def _patches(pictures: torch.Tensor) -> dict[str, Any]:
    """Return a row a patch, the four that become one token side by side; a picture is seen at two equal moments."""
    n, size = pictures.shape[:2]
    grid = size // _PATCH
    cells = pictures.view(n, grid // _MERGED, _MERGED, _PATCH, grid // _MERGED, _MERGED, _PATCH, 3)
    moment = cells.permute(0, 1, 4, 2, 5, 7, 3, 6)[:, :, :, :, :, :, None]
    moments = moment.expand(*moment.shape[:6], _MOMENTS, _PATCH, _PATCH)
    shape = torch.tensor([1, grid, grid], device=pictures.device)
    return {"pixel_values": moments.reshape(n * grid * grid, -1), "image_grid_thw": shape.expand(n, 3).contiguous()}


N1D6 = Release(
    "N1.6",
    factor=28,
    is_resized_by_pillow=True,
    picture_id="image_token_index",
    joins_states=False,
    has_own_backbone=True,
    fp32_attention=EXACT,
    pixels=_whole_pictures,
)
N1D7 = Release(
    "N1.7",
    factor=_PATCH * _MERGED,
    is_resized_by_pillow=False,
    picture_id="image_token_id",
    joins_states=True,
    has_own_backbone=False,
    fp32_attention="sdpa",
    pixels=_patches,
)
_BY_CLASS = {"Gr00tN1d6": N1D6, "Gr00tN1d7": N1D7}


def release_of(model: Any) -> Release:
    """Return the release of NVIDIA's model.

    Raises:
        UnsupportedError: It is none that is known here.
    """
    kind = type(model).__name__
    if kind not in _BY_CLASS:
        raise UnsupportedError(f"the model is a {kind}, and the faster tiers know {' and '.join(_BY_CLASS)} alone")
    return _BY_CLASS[kind]
