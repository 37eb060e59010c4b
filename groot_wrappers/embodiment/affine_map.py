"""NumberMap: how numbers of a GR00T key become numbers of an env, and how they come back."""

from dataclasses import dataclass

import torch

from groot_wrappers.errors import ContractError

__all__ = ["NumberMap"]


@dataclass(frozen=True, eq=False)
class NumberMap:
    """Applies, in this order: threshold, invert, scale, offset, the base that a number is relative to, clip.

    All tensors broadcast against the last dimension, the D numbers of a key.

    Args:
        scale: Factors, float32 (D,) or a single one; none is 0.
        offset: What is added after scaling, as above.
        threshold: Where given, numbers above it become 1 and all others 0, first of all.
        invert: Whether numbers run the other way: v becomes -v, and after a threshold 1 - v.
        clip: Lowest and highest number that leaves the map.

    Raises:
        ContractError: A scale is 0 (nothing would come back from it), or ``clip`` is not lowest before highest.
    """

    scale: torch.Tensor
    offset: torch.Tensor
    threshold: float | None = None
    invert: bool = False
    clip: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if not bool(self.scale.all()):
            raise ContractError(f"scale is {self.scale.tolist()}, but a scale of 0 loses the number. Use hold instead.")
        if self.clip is not None and not self.clip[0] <= self.clip[1]:
            raise ContractError(f"clip is {list(self.clip)}, but it takes [lowest, highest].")

    def forward(self, values: torch.Tensor, base: torch.Tensor | None = None) -> torch.Tensor:
        """Return the env's numbers for a key's.

        Args:
            values: float32 (..., D).
            base: What the numbers are relative to, broadcastable to ``values``; None where they are absolute.
        """
        if self.threshold is not None:
            # NaN stays NaN: it must not become a command that looks sound.
            values = torch.where(values.isnan(), values, (values > self.threshold).to(values.dtype))
        if self.invert:
            values = -values if self.threshold is None else 1 - values
        values = values * self.scale.to(values) + self.offset.to(values)
        if base is not None:
            values = values + base
        return values if self.clip is None else values.clamp(*self.clip)

    def backward(self, values: torch.Tensor, base: torch.Tensor | None = None) -> torch.Tensor:
        """Return the key's numbers for the env's; what ``forward`` clipped or thresholded comes back as it left.

        Args:
            values: float32 (..., D).
            base: As in ``forward``.
        """
        if base is not None:
            values = values - base
        values = (values - self.offset.to(values)) / self.scale.to(values)
        if self.invert:
            values = -values if self.threshold is None else 1 - values
        return values
