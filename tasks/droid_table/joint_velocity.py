"""DROID's table moved by joint velocities as DROID has them, where an embodiment asks (``env`` of the task's YAML).

* ``DroidJointVelocityAction``: the action term.
* ``JointVelocityActionsCfg``: the arm by it, and the gripper's joint.
"""

import torch
from isaaclab.envs.mdp import JointPositionAction
from isaaclab.utils import configclass

from tasks.assets.franka_robotiq import ARM_JOINTS
from tasks.common.scene_parts import joint_targets
from tasks.droid_table.env_cfg import ActionsCfg
from tasks.droid_table.geometry import FASTEST

__all__ = ["DroidJointVelocityAction", "JointVelocityActionsCfg"]


class DroidJointVelocityAction(JointPositionAction):
    """Joint targets, ``FASTEST`` times the velocities (num_envs, 7) beyond where a control step finds the joints.

    Where a velocity of an env is beyond 1, all of that env are slowed down until none is, which keeps the direction. So
    do ``create_action_dict`` (``droid/franka/robot.py``) and ``joint_velocity_to_delta``
    (``droid/robot_ik/robot_ik_solver.py``) in droid-dataset/droid.
    """

    def process_actions(self, actions: torch.Tensor) -> None:
        """Take velocities, float32 (num_envs, 7), each in [-1, 1]."""
        super().process_actions(actions)
        beyond = actions.abs().amax(dim=1, keepdim=True).clamp(min=1.0)
        present = self._asset.data.joint_pos.torch[:, self._joint_ids]
        self._processed_actions = present + actions / beyond * FASTEST


@configclass
class JointVelocityActionsCfg(ActionsCfg):
    """The arm's seven velocities, in [-1, 1], and the gripper's joint, rad."""

    arm_action = joint_targets(list(ARM_JOINTS)).replace(class_type=DroidJointVelocityAction)
