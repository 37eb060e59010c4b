"""DROID's expert with pictures that lie. Each should fail nearly always, as the text says."""

from typing import Any

import numpy as np

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
    """Sees, of the one env that it is asked for, each episode's first picture for ever.

    An episode begins where both moments of a picture are the same: before it is long enough, its first frame stands in.
    """

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[str, np.ndarray] = {}

    def perturb(self, key: str, pixels: np.ndarray) -> np.ndarray:
        if key not in self._kept or (pixels[0, 0] == pixels[0, 1]).all():
            self._kept[key] = pixels.copy()
        return self._kept[key]
