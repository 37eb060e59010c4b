"""Envs of both workflows of IsaacLab 2.3: joint_a at one radian is a success, and starts are drawn from the seed.

* ``CONFIGS``: gym id to config, of the manager-based and of the direct workflow.
"""

import gymnasium as gym
import torch
from isaaclab.envs import DirectRLEnv, DirectRLEnvCfg, ManagerBasedRLEnv, ManagerBasedRLEnvCfg, mdp
from isaaclab.managers import EventTermCfg, ObservationGroupCfg, ObservationTermCfg, RewardTermCfg, SceneEntityCfg
from isaaclab.managers import TerminationTermCfg as DoneTermCfg
from isaaclab.scene import InteractiveSceneCfg
from isaaclab.sim import SimulationCfg
from isaaclab.utils import configclass

__all__ = ["CONFIGS", "EPISODE_STEPS", "SCALES"]

EPISODE_STEPS = 12
DECIMATION, PHYSICS_STEP_S = 2, 1 / 60
SCALES = {"joint_a": 0.5, "joint_b": 2.0}


def is_there(env):
    return (env.scene.robot.data.joint_pos[:, 0] - 1.0).abs() < 1e-3


def begin_anywhere(env, env_ids):
    env.scene.robot.put(env_ids, torch.rand((len(env_ids), 2)) * 0.5)


@configclass
class ActionsCfg:
    """Both joints, by IsaacLab's own term."""

    arm = mdp.JointPositionActionCfg(asset_name="robot", joint_names=["joint_.*"], scale=SCALES)


@configclass
class PolicyCfg(ObservationGroupCfg):
    """The joints by name, and the picture as a term reads it."""

    joints = ObservationTermCfg(func=mdp.joint_pos)
    picture = ObservationTermCfg(
        func=mdp.image, params={"sensor_cfg": SceneEntityCfg("camera"), "data_type": "rgb", "normalize": False}
    )
    concatenate_terms = False


@configclass
class ObservationsCfg:
    """One group."""

    policy: PolicyCfg = PolicyCfg()


@configclass
class TerminationsCfg:
    """Success, and time."""

    success = DoneTermCfg(func=is_there)
    time_out = DoneTermCfg(func=mdp.time_out, time_out=True)


@configclass
class RewardsCfg:
    """One a second."""

    alive = RewardTermCfg(func=lambda env: torch.ones(env.num_envs), weight=1.0)


@configclass
class EventsCfg:
    """The start."""

    begin = EventTermCfg(func=begin_anywhere, mode="reset")


def simulation():
    return SimulationCfg(device="cpu", dt=PHYSICS_STEP_S, render_interval=DECIMATION)


@configclass
class ManagedCfg(ManagerBasedRLEnvCfg):
    """The env of the manager-based workflow."""

    seed = 0
    decimation = DECIMATION
    episode_length_s = (EPISODE_STEPS - 0.5) * DECIMATION * PHYSICS_STEP_S
    sim = simulation()
    scene = InteractiveSceneCfg(num_envs=3, env_spacing=1.0)
    observations = ObservationsCfg()
    actions = ActionsCfg()
    terminations = TerminationsCfg()
    rewards = RewardsCfg()
    events = EventsCfg()


@configclass
class DirectCfg(DirectRLEnvCfg):
    """The same of the direct workflow, but for success, of which it knows nothing."""

    seed = 0
    decimation = DECIMATION
    episode_length_s = (EPISODE_STEPS - 0.5) * DECIMATION * PHYSICS_STEP_S
    sim = simulation()
    scene = InteractiveSceneCfg(num_envs=3, env_spacing=1.0)
    observation_space = 2
    action_space = 2


class Direct(DirectRLEnv):
    """An env of the direct workflow: what IsaacLab leaves to its author."""

    def _setup_scene(self):
        """It is there."""

    def _pre_physics_step(self, actions):
        self.scene.robot.set_joint_position_target(actions)

    def _apply_action(self):
        """It is applied."""

    def _get_observations(self):
        return {"policy": self.scene.robot.data.joint_pos.clone()}

    def _get_rewards(self):
        return torch.ones(self.num_envs)

    def _get_dones(self):
        return is_there(self), self.episode_length_buf >= self.max_episode_length

    def _reset_idx(self, env_ids):
        super()._reset_idx(env_ids)
        begin_anywhere(self, env_ids)


CONFIGS = {"Managed-v0": ManagedCfg, "Direct-v0": DirectCfg}
gym.register("Managed-v0", ManagerBasedRLEnv, disable_env_checker=True)
gym.register("Direct-v0", Direct, disable_env_checker=True)
