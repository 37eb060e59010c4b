"""What LIBERO's policies know of the robot beside its fingers, as an observation term: ``tool_pose``."""

import torch
from isaaclab.envs import ManagerBasedEnv

from tasks.libero.control.osc import OscPoseAction

__all__ = ["tool_pose"]


def tool_pose(env: ManagerBasedEnv, action: str = "arm_action") -> torch.Tensor:
    """Pose of the tool as robosuite tells it, float32 (num_envs, 6).

    The place of the grip site in LIBERO's world, m, and the rotation of the ``right_hand`` as axis times angle, rad, by
    robosuite's ``quat2axisangle``: from a quaternion whose sign goes on with the joints, so that the angle goes beyond
    pi, and does not leap there.

    Args:
        env: The env.
        action: Its term of robosuite's controller, which knows the arm.
    """
    position, quaternion = _controller(env, action).tool_pose()
    sine = quaternion[:, :3].norm(dim=-1, keepdim=True)
    angle = 2 * torch.atan2(sine, quaternion[:, 3:])
    return torch.cat([position, quaternion[:, :3] / sine.clamp_min(1e-9) * angle], dim=-1)


def _controller(env: ManagerBasedEnv, action: str) -> OscPoseAction:
    term = env.action_manager.get_term(action)
    assert isinstance(term, OscPoseAction)  # noqa: S101 - the env's own config pairs them
    return term
