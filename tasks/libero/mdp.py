"""What begins and ends an episode of LIBERO's: ``begin``."""

import numpy as np
import torch
from isaaclab.envs import ManagerBasedEnv
from isaaclab.managers import EventTermCfg, ManagerTermBase

from tasks.common.seeded_resets import uses_episode_generators
from tasks.libero.scene.asset import libero_scene
from tasks.libero.suites.starts import official_starts

__all__ = ["begin"]


@uses_episode_generators
class begin(ManagerTermBase):
    """Reset term: robot, things and fixtures as a start of the task has them, at rest."""

    def __init__(self, cfg: EventTermCfg, env: ManagerBasedEnv):
        super().__init__(cfg, env)
        scene = libero_scene(env.cfg.suite, env.cfg.index)
        self._model = scene.model
        self._starts = torch.tensor(official_starts(scene.task), dtype=torch.float32, device=env.device)

    def __call__(self, env: ManagerBasedEnv, env_ids: torch.Tensor | slice) -> None:
        ids = torch.arange(env.num_envs, device=env.device)[env_ids]
        qpos = self._starts[ids % len(self._starts), 1 : 1 + self._model.nq]
        for name, body in env.scene.rigid_objects.items():
            first = int(self._model.joint(f"{name}_joint0").qposadr[0])
            pose = qpos[:, [first + place for place in (0, 1, 2, 4, 5, 6, 3)]]  # MuJoCo's quaternions begin with w
            pose[:, :3] += env.scene.env_origins[ids]
            body.write_root_link_pose_to_sim_index(root_pose=pose, env_ids=ids)
            body.write_root_com_velocity_to_sim_index(root_velocity=torch.zeros_like(pose[:, :6]), env_ids=ids)
        for thing in env.scene.articulations.values():
            joints = [int(self._model.joint(name).qposadr[0]) for name in thing.joint_names]
            position = qpos[:, joints]
            thing.write_joint_position_to_sim_index(position=position, env_ids=ids)
            thing.write_joint_velocity_to_sim_index(velocity=torch.zeros_like(position), env_ids=ids)
            thing.set_joint_position_target_index(target=position, env_ids=ids)
