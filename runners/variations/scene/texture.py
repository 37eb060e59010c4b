"""Texture: what things stand on has a pattern."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from groot_wrappers.errors import ContractError
from groot_wrappers.variations.variation import Draw
from runners.variations.parts import SceneParts
from runners.variations.scene_variation import Change
from runners.variations.varied_scene import VariedEnvs, VariedScene

__all__ = ["Texture"]

PATTERNS = 3
"""Checks, stripes and spots."""
CONTRASTS = 16
"""Steps of the contrast, as the patterns are made before any episode."""
SIZE = 64
"""Height and width of a pattern, pixels; it is repeated."""


@dataclass(frozen=True)
class Texture:
    """Darkens parts of surfaces by a pattern.

    Args:
        strength: Contrast of the pattern, in [0, 1]: at 1 it is black where it is darkest.
        repeats: How often the pattern is repeated on a metre, one of which is drawn.
    """

    strength: float
    repeats: list[float]

    def draw(self, generator: np.random.Generator, strength: float) -> Draw:
        """Draw ``pattern`` (0: checks, 1: stripes, 2: spots), ``repeat`` (on a metre) and ``contrast``."""
        pattern, repeat = generator.integers(PATTERNS), generator.choice(self.repeats)
        return {"pattern": float(pattern), "repeat": float(repeat), "contrast": round(strength * CONTRASTS) / CONTRASTS}

    def set_up(self, parts: SceneParts) -> None:
        """Refuse a scene without a surface, or in MuJoCo's look, and let the cameras draw textures."""
        parts.require("texture", "surfaces")
        for camera in parts.camera_cfgs():
            if hasattr(camera.renderer_cfg, "look"):
                raise ContractError(
                    "variation=texture was asked for, but the cameras draw in MuJoCo's look, which knows the scene's "
                    "own textures alone. Choose others: background, object_colour."
                )
            if hasattr(camera.renderer_cfg, "enable_textures"):
                camera.renderer_cfg.enable_textures = True

    def bind(self, scene: VariedScene, parts: SceneParts) -> Change:
        """Return what gives them patterns."""
        shapes = scene.shapes_of("texture", parts.require("texture", "surfaces"))
        return _Patterned(list(_renderings(scene.env)), shapes, self.repeats)


class _Patterned:
    """The patterns that there are, and which shape has which."""

    def __init__(self, renderings: list[Any], shapes: torch.Tensor, repeats: list[float]) -> None:
        import warp as wp  # noqa: PLC0415  # known to be there only now

        self._shapes, self._repeats = shapes, repeats
        self._numbers: list[tuple[torch.Tensor, torch.Tensor, int]] = []
        for rendering in renderings:
            first = _add_patterns(rendering, repeats)
            shown: torch.Tensor = wp.to_torch(rendering.shape_texture_ids)
            self._numbers.append((shown, shown.clone(), first))

    def restore(self, ids: torch.Tensor) -> None:
        shapes = self._shapes[ids]
        for shown, own, _ in self._numbers:
            shown[shapes] = own[shapes]

    def apply(self, envs: VariedEnvs) -> None:
        chosen = [
            (int(draw["pattern"]) * (CONTRASTS + 1) + round(draw["contrast"] * CONTRASTS)) * len(self._repeats)
            + self._repeats.index(draw["repeat"])
            for draw in envs.draws
        ]
        for shown, _, first in self._numbers:
            number = first + torch.tensor(chosen, dtype=shown.dtype, device=shown.device)
            shapes = self._shapes[envs.ids]
            shown[shapes] = number[:, None].expand(-1, shapes.shape[1])


def _renderings(env: Any) -> Iterator[Any]:
    """Yield what the cameras of an env are drawn by; Newton's sensor has no other way to get several textures.

    Raises:
        ContractError: It is another renderer, or another release of Newton.
    """
    seen = set()
    for camera in env.scene.sensors.values():
        renderer = getattr(camera, "_renderer", None)
        if renderer is None:
            continue
        camera._render_data.graph = None  # what a GPU has recorded would look where the textures were
        rendering = getattr(getattr(renderer, "newton_sensor", None), "_SensorTiledCamera__render_context", None)
        if not hasattr(rendering, "_RenderContext__texture_data"):
            raise ContractError(
                "variation=texture was asked for, but the textures of this renderer cannot be reached: it is made for "
                "Newton 1.6. Choose others: background, object_colour."
            )
        if id(rendering) not in seen:
            seen.add(id(rendering))
            yield rendering


def _add_patterns(rendering: Any, repeats: list[float]) -> int:
    """Let a renderer know all patterns, and return the number of the first of them."""
    import warp as wp  # noqa: PLC0415  # known to be there only now
    from newton._src.sensors.warp_raytrace.types import TextureData  # noqa: PLC0415

    known: list[Any] = rendering._RenderContext__texture_data
    first = len(known)
    for pattern in _patterns():
        for contrast in range(CONTRASTS + 1):
            grey = np.round(255 * (1 - contrast / CONTRASTS * pattern)).astype(np.uint8)
            pixels = np.stack([grey, grey, grey, np.full_like(grey, 255)], axis=-1)
            texture = wp.Texture2D(
                pixels,
                filter_mode=wp.TextureFilterMode.LINEAR,
                address_mode=wp.TextureAddressMode.WRAP,
                normalized_coords=True,
                dtype=wp.uint8,
                num_channels=4,
                device=rendering.device,
            )
            for repeat in repeats:
                data: Any = TextureData()
                data.texture, data.repeat = texture, (repeat, repeat)
                known.append(data)
    rendering.texture_data = wp.array(known, dtype=TextureData, device=rendering.device)
    return first


def _patterns() -> Iterator[np.ndarray[Any, Any]]:
    """Yield the patterns, floats (SIZE, SIZE) in [0, 1], 1 where they are darkest."""
    place = np.arange(SIZE) / SIZE
    half = place < 1 / 2
    yield (half[:, None] ^ half).astype(float)
    yield np.repeat(half[None].astype(float), SIZE, axis=0)
    yield (np.hypot(place[:, None] - 0.5, place - 0.5) < 0.3).astype(float)
