"""Poses that an env of IsaacLab has: of a body and of the frames it is told in, and what its action terms take.

All are float32 (num_envs, 7): x, y, z (m), then the quaternion x, y, z, w, whichever order IsaacLab has.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from groot_wrappers.embodiment.affine_map import NumberMap
from groot_wrappers.embodiment.buffers import as_torch
from groot_wrappers.embodiment.isaaclab2 import from_xyzw, to_xyzw
from groot_wrappers.embodiment.rotations import compose, inverse
from groot_wrappers.errors import ContractError, did_you_mean

__all__ = ["PoseColumns", "body_pose_in_root", "find_body", "frame_in_root", "pose_columns"]


@dataclass(frozen=True)
class PoseColumns:
    """The seven columns of the env's action that set the pose of a body, and go on a point that the term names.

    Args:
        robot: Name of the articulation in the scene.
        body: Name of the body.
        held: Pose in the body of what the term moves, float32 (7,).
        taken: From the env's numbers to that pose in the frame of the robot's root link.
    """

    robot: str
    body: str
    held: torch.Tensor
    taken: NumberMap

    def to_env(self, pose: torch.Tensor) -> torch.Tensor:
        """Return the env's numbers, (..., 7), that bring the body to a pose (..., 7) in the root link's frame."""
        moved = compose(pose, self.held.to(pose))
        return self.taken.backward(torch.cat([moved[..., :3], from_xyzw(moved[..., 3:])], dim=-1))

    def from_env(self, numbers: torch.Tensor) -> torch.Tensor:
        """Return the pose of the body, (..., 7), that the env's numbers (..., 7) bring it to."""
        moved = self.taken.forward(numbers)
        moved = torch.cat([moved[..., :3], to_xyzw(moved[..., 3:])], dim=-1)
        return compose(moved, inverse(self.held.to(moved)))


def pose_columns(term: Any, robots: Mapping[str, Any]) -> PoseColumns | None:
    """Return what an action term does if it takes the absolute pose of a body, else None.

    That is IsaacLab's ``DifferentialInverseKinematicsAction`` alone, whose controller takes a pose and no change of it
    (``isaaclab.envs.mdp.actions.task_space_actions``).
    """
    if type(term).__name__ != "DifferentialInverseKinematicsAction":
        return None
    cfg = term.cfg
    if cfg.controller.command_type != "pose" or cfg.controller.use_relative_mode:
        return None
    body = next(name for name in robots[cfg.asset_name].body_names if re.fullmatch(cfg.body_name, name))
    held = torch.tensor([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0])
    if cfg.body_offset is not None:
        turn = to_xyzw(torch.tensor(cfg.body_offset.rot, dtype=torch.float32))
        held = torch.cat([torch.tensor(cfg.body_offset.pos, dtype=torch.float32), turn])
    # IsaacLab 2.3 knows no offset there.
    scale, offset = torch.as_tensor(cfg.scale).float(), torch.as_tensor(getattr(cfg, "offset", 0.0)).float()
    return PoseColumns(cfg.asset_name, body, held, NumberMap(scale, offset))


def body_pose_in_root(data: Any, body: Any) -> torch.Tensor:
    """Return the pose of a body in the frame of its robot's root link, with w >= 0.

    Args:
        data: Of the articulation.
        body: Its index, or what picks that one alone.
    """
    from isaaclab.utils.math import subtract_frame_transforms  # noqa: PLC0415  # which is not where this is imported

    pose, root = as_torch(data.body_link_pose_w)[:, body].reshape(-1, 7), as_torch(data.root_link_pose_w)
    position, quaternion = subtract_frame_transforms(root[:, :3], root[:, 3:], pose[:, :3], pose[:, 3:])
    quaternion = to_xyzw(quaternion)
    # q and -q are one rotation: a sign that flips between steps would look like a jump to the policy.
    return torch.cat([position, torch.where(quaternion[:, 3:] < 0, -quaternion, quaternion)], dim=-1)


def find_body(robots: Mapping[str, Any], where: str, name: str) -> tuple[str, int]:
    """Return the robot that has a body of this name, and the body's index.

    Raises:
        ContractError: None has.
    """
    for robot, articulation in robots.items():
        if name in articulation.body_names:
            return robot, articulation.body_names.index(name)
    names = [body for articulation in robots.values() for body in articulation.body_names]
    raise ContractError(
        f"{where}: no robot of the env has a body '{name}'.{did_you_mean(name, names)} "
        f"Bodies: {', '.join(names) or 'none'}."
    )


def frame_in_root(scene: Any, robot: Any, where: str, frame: str | None) -> Callable[[], torch.Tensor] | None:
    """Return what reads the pose of a frame in that of a robot's root link; None where it is that frame.

    Args:
        scene: Of the env.
        robot: The articulation.
        where: What the message names.
        frame: ``base`` or None, ``world`` (the origin of each env, as if it stood alone), or a body of the robot.

    Raises:
        ContractError: The robot has no such body.
    """
    if frame is None or frame == "base":
        return None
    data = robot.data
    if frame == "world":

        def world() -> torch.Tensor:
            root = as_torch(data.root_link_pose_w)
            position = root[:, :3] - as_torch(scene.env_origins)
            return inverse(torch.cat([position, to_xyzw(root[:, 3:])], dim=-1))

        return world
    if frame not in robot.body_names:
        raise ContractError(
            f"{where}: frame is '{frame}', but it takes base, world, or a body of the robot."
            f"{did_you_mean(frame, ['base', 'world', *robot.body_names])} Bodies: {', '.join(robot.body_names)}."
        )
    body = robot.body_names.index(frame)
    return lambda: body_pose_in_root(data, body)
