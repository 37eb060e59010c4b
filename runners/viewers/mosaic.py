"""Mosaic: what the policy sees in all envs, as one picture."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from runners.recorders.video import side_by_side

__all__ = ["mosaic"]

MOST_ENVS = 16
"""Envs that are shown, from the first: more would be too small to see."""

ASPECT = 1.6
"""Width to height of the whole, about: that of a screen."""


def mosaic(video: Mapping[str, np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    """Return the present frames of all cameras of all envs in a grid, env by env from the top left, uint8 (H, W, 3).

    Args:
        video: Video key to uint8 (num_envs, T, H, W, 3); cameras may differ in size.
    """
    num_envs = min(MOST_ENVS, *(len(frames) for frames in video.values()))
    first = side_by_side(video, 0)
    height, width, _ = first.shape
    columns = max(1, round(math.sqrt(num_envs * height / width * ASPECT)))
    rows = math.ceil(num_envs / columns)
    picture = np.zeros((rows * height, columns * width, 3), np.uint8)
    for env_id in range(num_envs):
        top, left = env_id // columns * height, env_id % columns * width
        picture[top : top + height, left : left + width] = first if env_id == 0 else side_by_side(video, env_id)
    return picture
