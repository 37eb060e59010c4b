"""ShapeColours: the colours of the shapes of Newton's model, which its renderer reads anew for each picture.

It draws a shape's colour times the light that falls on it, in linear RGB, and has one light and one ambient for all
envs. So a light that is brighter or of another colour in one env is, exactly, that env's colours multiplied by it.
"""

from typing import Any

import torch

__all__ = ["ShapeColours"]


class ShapeColours:
    """Paints and lights the shapes of some envs, and gives back what they were.

    Args:
        model: Newton's.
        shapes: int64 (num_envs, S), each env's shapes.
    """

    def __init__(self, model: Any, shapes: torch.Tensor) -> None:
        import warp as wp  # noqa: PLC0415  # known to be there only now

        self._shown: torch.Tensor = wp.to_torch(model.shape_color)  # sRGB, (shapes, 3)
        self._own = self._shown.clone()
        self._painted = self._shown.clone()
        self._gain = torch.ones((len(shapes), 3), device=shapes.device)
        self._shapes = shapes

    def restore(self, ids: torch.Tensor) -> None:
        """Let the shapes of some envs be as they were."""
        shapes = self._shapes[ids]
        self._shown[shapes] = self._painted[shapes] = self._own[shapes]
        self._gain[ids] = 1.0

    def paint(self, ids: torch.Tensor, shapes: torch.Tensor, colours: torch.Tensor, share: torch.Tensor) -> None:
        """Mix a colour into that of some shapes.

        Args:
            ids: int64 (M,), the envs.
            shapes: int64 (M, S), their shapes that are painted.
            colours: float32 (M, 3), sRGB in [0, 1].
            share: float32 (M, 1), of the new colour.
        """
        self._painted[shapes] = torch.lerp(self._own[shapes], colours[:, None, :], share[:, :, None])
        self._show(ids)

    def light(self, ids: torch.Tensor, gain: torch.Tensor) -> None:
        """Multiply the light on all shapes of some envs by ``gain``, float32 (M, 3): red, green and blue."""
        self._gain[ids] = gain
        self._show(ids)

    def _show(self, ids: torch.Tensor) -> None:
        shapes = self._shapes[ids]
        self._shown[shapes] = _to_srgb(_to_linear(self._painted[shapes]) * self._gain[ids][:, None, :])


def _to_linear(colours: torch.Tensor) -> torch.Tensor:
    return torch.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)


def _to_srgb(colours: torch.Tensor) -> torch.Tensor:
    return torch.where(colours <= 0.0031308, colours * 12.92, 1.055 * colours ** (1 / 2.4) - 0.055)
