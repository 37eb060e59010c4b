"""The humanoid's expert with one thing wrong about what it sees. Each should fail nearly always.

An expert that still succeeded would not be looking at the pixels.
"""

from typing import Any

import numpy as np

from tasks.pick_place_gr1t2.expert.joint_expert import PickPlaceExpert
from tasks.pick_place_gr1t2.geometry import START_ARM

Observation = dict[str, Any]


class PerturbedPixels(PickPlaceExpert):
    """Sees the ego view through ``perturb``."""

    def perturb(self, pixels: np.ndarray, observation: Observation) -> np.ndarray:
        """Return what is seen instead of ``pixels``, uint8 (B, 1, 256, 256, 3)."""
        raise NotImplementedError

    def get_action(self, observation: Observation, options: dict[str, Any] | None = None) -> Any:
        seen = np.ascontiguousarray(self.perturb(observation["video"]["ego_view"], observation))
        return super().get_action({**observation, "video": {"ego_view": seen}}, options)


class UpsideDown(PerturbedPixels):
    """Sees pictures whose first row is the last."""

    def perturb(self, pixels: np.ndarray, observation: Observation) -> np.ndarray:
        return pixels[:, :, ::-1]


class Mirrored(PerturbedPixels):
    """Sees left as right."""

    def perturb(self, pixels: np.ndarray, observation: Observation) -> np.ndarray:
        return pixels[:, :, :, ::-1]


class Constant(PerturbedPixels):
    """Sees grey."""

    def perturb(self, pixels: np.ndarray, observation: Observation) -> np.ndarray:
        return np.full_like(pixels, 128)


class Frozen(PerturbedPixels):
    """Sees, throughout an episode, the episode's own first picture, the wheel where it stood then; for one env."""

    def __init__(self) -> None:
        super().__init__()
        self._first = np.empty(0, np.uint8)

    def perturb(self, pixels: np.ndarray, observation: Observation) -> np.ndarray:
        # An arm at its start begins an episode.
        if np.abs(observation["state"]["right_arm"] - np.array(START_ARM)).max() < 1e-3:
            self._first = pixels.copy()
        return self._first
