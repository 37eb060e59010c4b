"""Painted: some parts of the scene in another colour, for the variations that paint.

* ``draw_colour``: a colour, and how much of it.
* ``Painted``: what paints.
"""

import numpy as np
import torch

from groot_wrappers.variations.variation import Draw
from runners.variations.shape_colours import ShapeColours
from runners.variations.varied_scene import VariedEnvs

__all__ = ["Painted", "draw_colour"]


def draw_colour(generator: np.random.Generator, strength: float) -> Draw:
    """Draw ``red``, ``green``, ``blue`` (sRGB in [0, 1]) and ``share``, how much of that colour is mixed in."""
    red, green, blue = generator.uniform(0, 1, 3).tolist()
    return {"red": red, "green": green, "blue": blue, "share": strength}


class Painted:
    """Paints parts of the scene by what ``draw_colour`` drew.

    Args:
        colours: Of all shapes.
        shapes: Those of the parts, int64 (num_envs, S).
    """

    def __init__(self, colours: ShapeColours, shapes: torch.Tensor) -> None:
        self._colours = colours
        self._shapes = shapes

    def restore(self, ids: torch.Tensor) -> None:
        """See ``runners.variations.scene_variation.Change``."""
        self._colours.restore(ids)

    def apply(self, envs: VariedEnvs) -> None:
        """See there."""
        colour, share = envs.numbers("red", "green", "blue"), envs.numbers("share")
        self._colours.paint(envs.ids, self._shapes[envs.ids], colour, share)
