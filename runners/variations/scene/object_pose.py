"""ObjectPose: the objects that the task is about begin elsewhere than the task lets them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from groot_wrappers.variations.variation import Draw
from runners.variations.parts import SceneParts
from runners.variations.scene_variation import Change
from runners.variations.varied_scene import VariedEnvs, VariedScene

__all__ = ["ObjectPose"]


@dataclass(frozen=True)
class ObjectPose:
    """Shifts and turns objects from where the task's own reset has put them, all of them alike.

    Args:
        strength: Share of the full range, in [0, 1].
        shift: Full range of x and y, to both sides, metres.
        turn: Full range of the turn about the vertical axis, to both sides, rad.
    """

    strength: float
    shift: float
    turn: float

    def draw(self, generator: np.random.Generator, strength: float) -> Draw:
        """Draw ``x``, ``y`` (m) and ``yaw`` (rad)."""
        x, y, yaw = (strength * generator.uniform(-1, 1, 3) * [self.shift, self.shift, self.turn]).tolist()
        return {"x": x, "y": y, "yaw": yaw}

    def set_up(self, parts: SceneParts) -> None:
        """Refuse a scene without an object."""
        parts.require("object_pose", "objects")

    def bind(self, scene: VariedScene, parts: SceneParts) -> Change:
        """Return what moves the objects."""
        names = parts.require("object_pose", "objects")
        return _MovedObjects(scene.assets("object_pose", names, dict(scene.env.scene.rigid_objects)))


class _MovedObjects:
    def __init__(self, objects: Sequence[Any]) -> None:
        self._objects = objects

    def restore(self, ids: torch.Tensor) -> None:
        """Do nothing, as the env's own reset has put them where they begin."""

    def apply(self, envs: VariedEnvs) -> None:
        from isaaclab.utils.math import quat_from_angle_axis, quat_mul  # noqa: PLC0415

        shift = torch.nn.functional.pad(envs.numbers("x", "y"), (0, 1))
        up = torch.tensor([[0.0, 0.0, 1.0]], device=envs.ids.device).expand(len(envs.ids), 3)
        turn = quat_from_angle_axis(envs.numbers("yaw")[:, 0], up)
        for each in self._objects:
            pose = each.data.root_pose_w.torch[envs.ids]
            moved = torch.cat([pose[:, :3] + shift, quat_mul(turn, pose[:, 3:])], dim=-1)
            each.write_root_pose_to_sim_index(root_pose=moved, env_ids=envs.ids)
