"""Painted: some parts of the scene in another colour, for the variations that paint.

* ``PaintedParts``: such a variation, of parts of one role.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from groot_wrappers.variations.variation import Draw
from runners.variations.parts import SceneParts
from runners.variations.scene_variation import Change
from runners.variations.shape_colours import ShapeColours
from runners.variations.varied_scene import VariedEnvs, VariedScene

__all__ = ["PaintedParts"]


@dataclass(frozen=True)
class PaintedParts:
    """Mixes another colour into those of the parts of a role, all of them alike.

    Args:
        strength: Share of the new colour, in [0, 1].

    Attributes:
        kind: Name of the variation.
        role: Key of ``task.parts``.
    """

    strength: float
    kind: ClassVar[str]
    role: ClassVar[str]

    def draw(self, generator: np.random.Generator, strength: float) -> Draw:
        """Draw ``red``, ``green``, ``blue`` (sRGB in [0, 1]) and ``share``, how much of that colour is mixed in."""
        red, green, blue = generator.uniform(0, 1, 3).tolist()
        return {"red": red, "green": green, "blue": blue, "share": strength}

    def set_up(self, parts: SceneParts) -> None:
        """Refuse a scene without such a part."""
        parts.require(self.kind, self.role)

    def bind(self, scene: VariedScene, parts: SceneParts) -> Change:
        """Return what paints them."""
        return _Painted(scene.colours, scene.shapes_of(self.kind, parts.require(self.kind, self.role)))


class _Painted:
    """Paints parts of the scene by what was drawn.

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
