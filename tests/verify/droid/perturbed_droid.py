"""DROID's expert with pictures that lie. Each should fail nearly always, as the text says."""

from typing import Any

import numpy as np

from groot_wrappers.protocol.offer import ROW_NOISE
from tasks.droid_table.expert.experts import DroidPoseExpert

__all__ = ["Frozen", "Mirrored", "UpsideDown"]

Observation = dict[str, Any]


class _Changed(DroidPoseExpert):
    """Sees every camera through ``perturb``."""

    def perturb(self, key: str, pixels: np.ndarray) -> np.ndarray:
        """Return what is seen instead of ``pixels``, uint8 (B, T, H, W, 3)."""
        raise NotImplementedError

    def get_action(self, observation: Observation, options: dict[str, Any] | None = None) -> Any:
        video = {key: np.ascontiguousarray(self.perturb(key, pixels)) for key, pixels in observation["video"].items()}
        return super().get_action({**observation, "video": video}, options)


class UpsideDown(_Changed):
    """Sees pictures whose first row is the last."""

    def perturb(self, key: str, pixels: np.ndarray) -> np.ndarray:
        return pixels[:, :, ::-1]


class Mirrored(_Changed):
    """Sees left as right."""

    def perturb(self, key: str, pixels: np.ndarray) -> np.ndarray:
        return pixels[:, :, :, ::-1]


class Frozen(_Changed):
    """Sees each episode's first picture for ever; it tells episodes apart by the seeds that come with their noise."""

    capabilities = (ROW_NOISE,)

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[tuple[str, int], np.ndarray] = {}
        self._seeds: list[int] = []

    def get_action(self, observation: Observation, options: dict[str, Any] | None = None) -> Any:
        self._seeds = [int(seed) for seed, _ in (options or {})[ROW_NOISE]]
        return super().get_action(observation, options)

    def perturb(self, key: str, pixels: np.ndarray) -> np.ndarray:
        rows = zip(self._seeds, pixels, strict=True)
        return np.stack([self._kept.setdefault((key, seed), first.copy()) for seed, first in rows])
