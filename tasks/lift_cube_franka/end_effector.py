"""The lift as LIBERO's data has it: moved by changes of the hand's pose, and telling that pose.

An embodiment puts these configs in the place of the lift's own (``env`` of ``conf/embodiment/libero_panda.yaml``).
"""

import torch
from isaaclab.controllers import DifferentialIKControllerCfg
from isaaclab.envs import ManagerBasedEnv, mdp
from isaaclab.managers import ObservationTermCfg, SceneEntityCfg
from isaaclab.utils import configclass
from isaaclab.utils.math import combine_frame_transforms

from tasks.gr00t_env_cfg import body_pose_in_root
from tasks.lift_cube_franka.env_cfg import StatesCfg
from tasks.lift_cube_franka.geometry import TOOL_POINT

__all__ = ["EndEffectorActionsCfg", "EndEffectorStatesCfg", "tool_pose"]


def tool_pose(env: ManagerBasedEnv, asset_cfg: SceneEntityCfg) -> torch.Tensor:
    """Pose of the point between the finger tips in the frame of the robot's root link, float32 (num_envs, 6).

    Position in metres, then the rotation as axis times angle, rad. The axis is the one whose x is not negative, and the
    angle goes up to 2 pi: a hand that points straight down is turned by about pi about x, where an angle that ends at
    pi would leap between pi and -pi.
    """
    pose = body_pose_in_root(env, asset_cfg)
    tool = torch.tensor(TOOL_POINT, device=pose.device).expand(len(pose), 3)
    position, quaternion = combine_frame_transforms(pose[:, :3], pose[:, 3:], tool)
    quaternion = torch.where(quaternion[:, :1] < 0, -quaternion, quaternion)
    sine = quaternion[:, :3].norm(dim=-1, keepdim=True)
    angle = 2 * torch.atan2(sine, quaternion[:, 3:])
    return torch.cat([position, quaternion[:, :3] / sine.clamp_min(1e-9) * angle], dim=-1)


@configclass
class EndEffectorActionsCfg:
    """A change of the pose of the point between the finger tips, m and rad about the base's axes, and a gripper.

    The target of a control step is the present pose and the change. The joints go a part of the way to it, by their
    stiffness over their damping; then the next change counts from where they are, as in robosuite's controller.
    """

    arm_action = mdp.DifferentialInverseKinematicsActionCfg(
        asset_name="robot",
        joint_names=["panda_joint.*"],
        body_name="panda_hand",
        body_offset=mdp.DifferentialInverseKinematicsActionCfg.OffsetCfg(pos=TOOL_POINT),
        controller=DifferentialIKControllerCfg(command_type="pose", use_relative_mode=True, ik_method="dls"),
    )
    gripper_action = mdp.BinaryJointPositionActionCfg(
        asset_name="robot",
        joint_names=["panda_finger_joint.*"],
        open_command_expr={"panda_finger_joint.*": 0.04},
        close_command_expr={"panda_finger_joint.*": 0.0},
    )


@configclass
class EndEffectorStatesCfg(StatesCfg):
    """The lift's states, ``tool_pose`` (6) and ``gripper`` (2)."""

    tool_pose = ObservationTermCfg(
        func=tool_pose, params={"asset_cfg": SceneEntityCfg("robot", body_names=["panda_hand"])}
    )
    gripper = ObservationTermCfg(
        func=mdp.joint_pos,
        params={"asset_cfg": SceneEntityCfg("robot", joint_names=["panda_finger_joint.*"], preserve_order=True)},
        scale=(1.0, -1.0),  # robosuite's second finger is negative
    )
