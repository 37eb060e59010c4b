"""The lift's expert with one thing wrong: what it sees, or what comes back. Each should fail nearly always.

An expert that still succeeded would not be looking at the pixels, or the loop would not be giving each env its own
chunk.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from tasks.lift_cube_franka.expert.joint_expert import LiftCubeExpert
from tasks.lift_cube_franka.expert.perception import CubePose, fit_cube
from tasks.lift_cube_franka.geometry import CUBE_START

Observation = dict[str, Any]


class PerturbedPixels(LiftCubeExpert):
    """Sees every camera through ``perturb``."""

    def perturb(self, pixels: np.ndarray) -> np.ndarray:
        """Return what is seen instead of ``pixels``, uint8 (B, T, H, W, 3)."""
        raise NotImplementedError

    def get_action(self, observation: Observation, options: dict[str, Any] | None = None) -> Any:
        video = {key: np.ascontiguousarray(self.perturb(pixels)) for key, pixels in observation["video"].items()}
        return super().get_action({**observation, "video": video}, options)


class UpsideDown(PerturbedPixels):
    """Sees pictures whose first row is the last."""

    def perturb(self, pixels: np.ndarray) -> np.ndarray:
        return pixels[:, :, ::-1]


class Mirrored(PerturbedPixels):
    """Sees left as right."""

    def perturb(self, pixels: np.ndarray) -> np.ndarray:
        return pixels[:, :, :, ::-1]


class RedAndBlueSwapped(PerturbedPixels):
    """Sees BGR."""

    def perturb(self, pixels: np.ndarray) -> np.ndarray:
        return pixels[..., ::-1]


class Constant(PerturbedPixels):
    """Sees grey."""

    def perturb(self, pixels: np.ndarray) -> np.ndarray:
        return np.full_like(pixels, 128)


class FrameOfAnotherEpisode(LiftCubeExpert):
    """Sees, for ever, the first picture of the env beside."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[str, np.ndarray] = {}

    def get_action(self, observation: Observation, options: dict[str, Any] | None = None) -> Any:
        rows = np.arange(len(observation["state"]["joint_positions"]))
        for key, pixels in observation["video"].items():
            self._kept.setdefault(key, np.roll(pixels, 1, axis=0).copy())
        video = {key: kept[rows % len(kept)] for key, kept in self._kept.items()}
        return super().get_action({**observation, "video": video}, options)


class ChunkOfAnotherEnv(LiftCubeExpert):
    """Sends each env the chunk of the env beside; one that is alone gets the chunk that its neighbour last had."""

    def get_action(self, observation: Observation, options: dict[str, Any] | None = None) -> Any:
        action, info = super().get_action(observation, options)
        chunks = action["joint_positions"]
        if len(chunks) > 1:
            self._neighbours = chunks[:1]
            chunks = np.roll(chunks, 1, axis=0)
        else:
            chunks = self._neighbours
        return {"joint_positions": chunks}, info


class FixedCube(LiftCubeExpert):
    """Believes every cube in the middle of the region where they start; sees rightly only whether it holds one."""

    def __init__(self) -> None:
        super().__init__(find=self._believe)

    @staticmethod
    def _believe(image: np.ndarray) -> CubePose | None:
        seen = fit_cube(image)
        return None if seen is None else replace(seen, position=np.array(CUBE_START), yaw=0.0)
