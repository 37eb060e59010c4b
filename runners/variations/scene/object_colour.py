"""ObjectColour: the objects that the task is about are of another colour."""

from dataclasses import dataclass

import numpy as np

from groot_wrappers.variations.variation import Draw
from runners.variations.painted import Painted, draw_colour
from runners.variations.parts import SceneParts
from runners.variations.scene_variation import Change
from runners.variations.varied_scene import VariedScene

__all__ = ["ObjectColour"]


@dataclass(frozen=True)
class ObjectColour:
    """Mixes another colour into those of the objects that the task is about, all of them alike.

    Args:
        strength: Share of the new colour, in [0, 1].
    """

    strength: float

    def draw(self, generator: np.random.Generator, strength: float) -> Draw:
        """Draw ``red``, ``green``, ``blue`` and ``share``."""
        return draw_colour(generator, strength)

    def set_up(self, parts: SceneParts) -> None:
        """Refuse a scene without such a part."""
        parts.require("object_colour", "objects")

    def bind(self, scene: VariedScene, parts: SceneParts) -> Change:
        """Return what paints them."""
        return Painted(scene.colours, scene.shapes_of("object_colour", parts.require("object_colour", "objects")))
