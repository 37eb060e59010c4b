"""CameraFocal: the cameras that the policy looks through have a longer lens, or a wider one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from groot_wrappers.errors import ContractError
from groot_wrappers.variations.variation import Draw
from runners.variations.parts import SceneParts
from runners.variations.scene_variation import Change
from runners.variations.varied_scene import VariedEnvs, VariedScene

__all__ = ["CameraFocal"]


@dataclass(frozen=True)
class CameraFocal:
    """Multiplies focal lengths, all of them alike, in a run of one env: Newton has one lens for all envs.

    Args:
        strength: Share of the full range, in [0, 1].
        zoom: Full range: from 1 / ``zoom`` to ``zoom`` times the focal length.
        cameras: Their names in the scene; None for those that the policy looks through.
    """

    strength: float
    zoom: float
    cameras: Sequence[str] | None = None

    def draw(self, generator: np.random.Generator, strength: float) -> Draw:
        """Draw ``zoom``, which the focal length is multiplied by."""
        return {"zoom": float(self.zoom ** (strength * generator.uniform(-1, 1)))}

    def set_up(self, parts: SceneParts) -> None:
        """Refuse several envs, and a policy that looks through no camera."""
        if self.cameras is None:
            parts.require_camera("camera_focal")
        if parts.num_envs > 1:
            raise ContractError(
                f"variation=camera_focal was asked for with num_envs={parts.num_envs}, but Newton's renderer draws all "
                "envs through one lens. Set num_envs=1; a sweep plays parts side by side: groot-play -m shard.count=4 "
                "'shard.index=range(4)' hydra/launcher=joblib."
            )

    def bind(self, scene: VariedScene, parts: SceneParts) -> Change:
        """Return what changes the lenses."""
        names = self.cameras or parts.require_camera("camera_focal")
        return _OtherLenses(scene.assets("camera_focal", names, dict(scene.env.scene.sensors)))


class _OtherLenses:
    """Cameras and the intrinsic matrices that they have had."""

    def __init__(self, cameras: Sequence[Any]) -> None:
        self._cameras = cameras
        self._own = [camera.data.intrinsic_matrices.torch.clone() for camera in cameras]

    def restore(self, ids: torch.Tensor) -> None:
        for camera, matrices in zip(self._cameras, self._own, strict=True):
            camera.set_intrinsic_matrices(matrices)

    def apply(self, envs: VariedEnvs) -> None:
        for camera, own in zip(self._cameras, self._own, strict=True):
            matrices = own.clone()
            matrices[:, [0, 1], [0, 1]] *= envs.numbers("zoom")
            camera.set_intrinsic_matrices(matrices)
