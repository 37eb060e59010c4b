"""RobotStart: the robots begin in another posture."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
import torch

from groot_wrappers.variations.variation import Draw
from runners.variations.parts import SceneParts
from runners.variations.scene_variation import Change
from runners.variations.varied_scene import VariedEnvs, VariedScene

__all__ = ["RobotStart"]

STREAM = crc32(b"robot_start")


@dataclass(frozen=True)
class RobotStart:
    """Moves each joint by a share of its range, which way and how far differing from joint to joint.

    Args:
        strength: Share of the full range, in [0, 1].
        spread: Full range: the most that a joint is moved by, as a share of its own range.
    """

    strength: float
    spread: float

    def draw(self, generator: np.random.Generator, strength: float) -> Draw:
        """Draw ``spread``; where each joint goes within it comes from the episode's seed."""
        return {"spread": strength * self.spread * generator.uniform(0, 1)}

    def set_up(self, parts: SceneParts) -> None:
        """Refuse a scene without a robot."""
        parts.require("robot_start", "robots")

    def bind(self, scene: VariedScene, parts: SceneParts) -> Change:
        """Return what moves the joints."""
        names = parts.require("robot_start", "robots")
        return _OtherPostures(scene.assets("robot_start", names, dict(scene.env.scene.articulations)))


class _OtherPostures:
    def __init__(self, robots: Sequence[Any]) -> None:
        self._robots = robots

    def restore(self, ids: torch.Tensor) -> None:
        """Do nothing, as the env's own reset has put them where they begin."""

    def apply(self, envs: VariedEnvs) -> None:
        for number, robot in enumerate(self._robots):
            joints = robot.data.joint_pos.torch[envs.ids]
            lower, upper = robot.data.soft_joint_pos_limits.torch[envs.ids].unbind(-1)
            free = (upper - lower < 4 * torch.pi).to(joints.dtype)  # a joint without limits has no range
            way = 2 * envs.uniform(STREAM + number, joints.shape[1]) - 1
            moved = joints + free * envs.numbers("spread") * way * (upper - lower)
            moved = torch.where(free > 0, moved.clamp(lower, upper), joints)
            robot.write_joint_position_to_sim_index(position=moved, env_ids=envs.ids)
            robot.set_joint_position_target_index(target=moved, env_ids=envs.ids)
