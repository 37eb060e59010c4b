"""Light: the light on the scene is brighter or darker, and warmer or colder."""

from dataclasses import dataclass

import numpy as np
import torch

from groot_wrappers.variations.variation import Draw
from runners.variations.parts import SceneParts
from runners.variations.scene_variation import Change
from runners.variations.varied_scene import VariedEnvs, VariedScene

__all__ = ["Light"]


@dataclass(frozen=True)
class Light:
    """Multiplies the light that falls on an env, in linear RGB; what lies behind the scene is not lit.

    Args:
        strength: Share of the full range, in [0, 1].
        stops: Full range of the brightness, to both sides; 1 is twice as bright.
        warmth: Full range of the colour, to both sides: red times 1 + warmth, blue times 1 - warmth.
    """

    strength: float
    stops: float
    warmth: float

    def draw(self, generator: np.random.Generator, strength: float) -> Draw:
        """Draw ``stops`` and ``warmth``."""
        stops, warmth = strength * generator.uniform(-1, 1, 2)
        return {"stops": stops * self.stops, "warmth": warmth * self.warmth}

    def set_up(self, parts: SceneParts) -> None:
        """Refuse a scene without a light."""
        parts.require("light", "lights")

    def bind(self, scene: VariedScene, parts: SceneParts) -> Change:
        """Return what lights the shapes."""
        return _Lit(scene)


class _Lit:
    def __init__(self, scene: VariedScene) -> None:
        self._colours = scene.colours

    def restore(self, ids: torch.Tensor) -> None:
        self._colours.restore(ids)

    def apply(self, envs: VariedEnvs) -> None:
        stops, warmth = envs.numbers("stops", "warmth").unbind(-1)
        tint = torch.stack([1 + warmth, torch.ones_like(warmth), 1 - warmth], dim=-1)
        self._colours.light(envs.ids, 2.0 ** stops[:, None] * tint)
