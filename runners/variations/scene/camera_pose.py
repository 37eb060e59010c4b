"""CameraPose: the cameras that the policy looks through stand elsewhere, and look elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from groot_wrappers.variations.variation import Draw
from runners.variations.parts import SceneParts
from runners.variations.scene_variation import Change
from runners.variations.varied_scene import VariedEnvs, VariedScene

__all__ = ["CameraPose"]

TURNS = {"yaw": (0.0, -1.0, 0.0), "pitch": (1.0, 0.0, 0.0), "roll": (0.0, 0.0, -1.0)}
"""Axes in a camera's own frame as USD has it, x right, y up, z backwards; in this order."""
SHIFTS = {"x": (1.0, 0.0, 0.0), "y": (0.0, -1.0, 0.0), "z": (0.0, 0.0, -1.0)}
"""Right, down and forward in the same."""


@dataclass(frozen=True)
class CameraPose:
    """Turns and shifts cameras in their own frames, all of them alike; those on a moving link go on moving with it.

    Args:
        strength: Share of the full range, in [0, 1].
        turn: Full range of yaw (to the right), pitch (upwards) and roll (clockwise), to both sides, rad.
        shift: Full range of x (right), y (down) and z (forward), to both sides, metres.
        cameras: Their names in the scene; None for those that the policy looks through.
    """

    strength: float
    turn: float
    shift: float
    cameras: Sequence[str] | None = None

    def draw(self, generator: np.random.Generator, strength: float) -> Draw:
        """Draw ``yaw``, ``pitch``, ``roll`` (rad), ``x``, ``y`` and ``z`` (m)."""
        numbers = strength * generator.uniform(-1, 1, 6) * np.repeat([self.turn, self.shift], 3)
        return dict(zip([*TURNS, *SHIFTS], numbers.tolist(), strict=True))

    def set_up(self, parts: SceneParts) -> None:
        """Refuse a policy that looks through no camera."""
        if self.cameras is None:
            parts.require_camera("camera_pose")

    def bind(self, scene: VariedScene, parts: SceneParts) -> Change:
        """Return what moves the cameras."""
        names = self.cameras or parts.require_camera("camera_pose")
        return _MovedCameras(scene.assets("camera_pose", names, dict(scene.env.scene.sensors)))


class _MovedCameras:
    """Cameras and the poses that they have had, in the frames of what they are mounted on."""

    def __init__(self, cameras: Sequence[Any]) -> None:
        self._cameras = cameras
        # The sensor has no way of its own to be moved relative to its link; its view has.
        self._own = [[part.torch.clone() for part in camera._view.get_local_poses()] for camera in cameras]

    def restore(self, ids: torch.Tensor) -> None:
        for camera, (position, turned) in zip(self._cameras, self._own, strict=True):
            _move(camera, ids, position[ids], turned[ids])

    def apply(self, envs: VariedEnvs) -> None:
        from isaaclab.utils.math import quat_apply, quat_from_angle_axis, quat_mul  # noqa: PLC0415

        shift = envs.numbers(*SHIFTS) @ envs.ids.new_tensor(list(SHIFTS.values()), dtype=torch.float32)
        for camera, (position, turned) in zip(self._cameras, self._own, strict=True):
            pose = turned[envs.ids]
            place = position[envs.ids] + quat_apply(pose, shift)
            for name, axis in TURNS.items():
                about = torch.tensor([axis], device=pose.device).expand(len(pose), 3)
                pose = quat_mul(pose, quat_from_angle_axis(envs.numbers(name)[:, 0], about))
            _move(camera, envs.ids, place, pose)


def _move(camera: Any, ids: torch.Tensor, position: torch.Tensor, turned: torch.Tensor) -> None:
    import warp as wp  # noqa: PLC0415  # known to be there only now

    camera._view.set_local_poses(
        wp.from_torch(position.contiguous(), dtype=wp.vec3f),
        wp.from_torch(turned.contiguous(), dtype=wp.vec4f),
        wp.from_torch(ids.to(torch.int32)),
    )
    camera.reset(ids.tolist())  # it looks anew for where it is
