"""A toy of Unitree's G1 with Dex3 hands, and what N1.7's base model asks of one."""

from types import SimpleNamespace

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from groot_wrappers.modality import ActionConfig, ModalityConfig
from tests.support.toys.env import JointPositionAction, ToyEnv
from tests.support.toys.variants import DifferentialInverseKinematicsAction

SIDES = ("left", "right")
ARM = ("shoulder_pitch", "shoulder_roll", "shoulder_yaw", "elbow", "wrist_roll", "wrist_pitch", "wrist_yaw")
WAIST = ("waist_yaw", "waist_roll", "waist_pitch")
HAND = ("index_0", "index_1", "middle_0", "middle_1", "thumb_0", "thumb_1", "thumb_2")

GROUPS = {
    **{f"{side}_hand": [f"{side}_hand_{joint}_joint" for joint in HAND] for side in SIDES},
    **{f"{side}_arm": [f"{side}_{joint}_joint" for joint in ARM] for side in SIDES},
    "waist": [f"{joint}_joint" for joint in WAIST],
}
"""Key to its joints, in the order of NVIDIA's data: ``joint_groups`` of GR00T-WholeBodyControl's G1."""

WRISTS = {f"{side}_wrist_eef_9d": f"{side}_wrist_yaw_link" for side in SIDES}
"""Key to the body whose pose it is, as ``hand_frame_names`` there; the pelvis is ``root_frame_name``."""

WIDTHS = dict.fromkeys(WRISTS, 9) | {key: len(joints) for key, joints in GROUPS.items()}

_POSE = {key: ActionConfig("RELATIVE", "EEF", "XYZ_ROT6D", key) for key in WRISTS}
_JOINTS = {
    key: ActionConfig("RELATIVE" if key.endswith("arm") else "ABSOLUTE", "NON_EEF", "DEFAULT", key) for key in GROUPS
}
_WALKING = {
    key: ActionConfig("ABSOLUTE", "NON_EEF", "DEFAULT", key) for key in ("base_height_command", "navigate_command")
}
REAL_G1 = {
    "video": ModalityConfig((-20, 0), ("ego_view",)),
    "state": ModalityConfig((0,), tuple(WIDTHS)),
    "action": ModalityConfig(
        tuple(range(40)),
        (*_POSE, *_JOINTS, *_WALKING),
        action_configs=(*_POSE.values(), *_JOINTS.values(), *_WALKING.values()),
    ),
    "language": ModalityConfig((0,), ("annotation.human.task_description",)),
}
"""``real_g1_relative_eef_relative_joints`` in the ``processor_config.json`` of NVIDIA's N1.7 checkpoints."""


class G1Env(ToyEnv):
    """Its joints go where they are told, its wrists and pelvis are anywhere.

    Args:
        takes_poses: Whether the wrists are told poses, instead of the arms' joints positions.
        walks: Whether there is a term that walks, of four numbers.
    """

    def __init__(self, num_envs=2, *, takes_poses=False, walks=False):
        super().__init__(num_envs)
        self.scene.sensors["ego_view"] = self.scene.sensors.pop("camera")
        # As IsaacLab sorts them, by their distance to the root: both sides in turns.
        in_turns = [GROUPS[f"{side}_{part}"][i] for part in ("arm", "hand") for i in range(7) for side in SIDES]
        names = GROUPS["waist"] + in_turns
        commanded = [name for name in names if not takes_poses or not any(name in GROUPS[f"{s}_arm"] for s in SIDES)]
        self.joints = torch.zeros((num_envs, len(names)))
        robot = self.robot = self.scene.articulations["robot"]
        robot.joint_names, robot.body_names = names, ["pelvis", *WRISTS.values()]
        robot.find_joints = lambda patterns, preserve_order: ([names.index(name) for name in commanded], commanded)
        robot.data.joint_pos = self.joints
        terms = {"joints": JointPositionAction()}
        if takes_poses:
            terms |= {f"{side}_arm": DifferentialInverseKinematicsAction(f"{side}_wrist_yaw_link") for side in SIDES}
        if walks:
            terms["lower_body_joint_pos"] = SimpleNamespace()
        widths = [{"joints": len(commanded), "lower_body_joint_pos": 4}.get(name, 7) for name in terms]
        self.action_manager = SimpleNamespace(
            active_terms=list(terms), action_term_dim=widths, total_action_dim=sum(widths), get_term=terms.get
        )
        rng = np.random.default_rng(0)
        turns = Rotation.random(3 * num_envs, rng=rng).as_quat()
        poses = torch.tensor(np.concatenate([rng.normal(size=(3 * num_envs, 3)), turns], axis=-1)).float()
        robot.data.body_link_pose_w = poses.reshape(num_envs, 3, 7)
        robot.data.root_link_pose_w = robot.data.body_link_pose_w[:, 0]

    def wrists(self, key):
        """The homogeneous poses of a wrist in the pelvis, (num_envs, 4, 4)."""
        poses = self.robot.data.body_link_pose_w.double().numpy()
        return np.linalg.inv(homogeneous(poses[:, 0])) @ homogeneous(poses[:, 1 + list(WRISTS).index(key)])


def homogeneous(poses):
    """Poses (..., 7), x, y, z and the quaternion x, y, z, w, as (..., 4, 4)."""
    matrices = np.tile(np.eye(4), (*poses.shape[:-1], 1, 1))
    matrices[..., :3, :3] = (
        Rotation.from_quat(poses[..., 3:].reshape(-1, 4)).as_matrix().reshape(*poses.shape[:-1], 3, 3)
    )
    matrices[..., :3, 3] = poses[..., :3]
    return matrices


def nine(matrices):
    """Position, then the first two rows, (..., 9), of poses (..., 4, 4)."""
    return np.concatenate([matrices[..., :3, 3], matrices[..., :2, :3].reshape(*matrices.shape[:-2], 6)], axis=-1)
