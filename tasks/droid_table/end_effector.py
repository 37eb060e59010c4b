"""DROID's table moved by poses of the flange, where an embodiment asks for it (``env`` of the task's YAML)."""

from isaaclab.controllers import DifferentialIKControllerCfg
from isaaclab.envs import mdp
from isaaclab.utils import configclass

from tasks.droid_table.env_cfg import ActionsCfg

__all__ = ["FlangePoseActionsCfg"]


@configclass
class FlangePoseActionsCfg(ActionsCfg):
    """Absolute pose of the flange in the robot's base, m and a quaternion x, y, z, w, and the gripper's joint, rad."""

    arm_action = mdp.DifferentialInverseKinematicsActionCfg(
        asset_name="robot",
        joint_names=["panda_joint.*"],
        body_name="panda_link8",
        controller=DifferentialIKControllerCfg(command_type="pose", use_relative_mode=False, ik_method="dls"),
    )
