"""Toy envs of other kinds: with many things to name, with draws by episode, and of IsaacLab's direct workflow."""

from types import SimpleNamespace

import numpy as np
import torch
from gymnasium import spaces
from scipy.spatial.transform import Rotation

from groot_wrappers.episode_context import episode_context
from tests.support.toys.env import JointPositionAction, ToyEnv

SCALE, DEFAULTS = 0.5, (0.25, -1.0)
"""Of the arm's action term: what it takes is number * SCALE + default of the joint."""


class ScaledJointPositionAction(JointPositionAction):
    """As IsaacLab's tasks for reinforcement learning configure theirs."""

    cfg = SimpleNamespace(**vars(JointPositionAction.cfg) | {"scale": {"joint_.*": SCALE}, "use_default_offset": True})


ScaledJointPositionAction.__name__ = "JointPositionAction"


class BinaryJointPositionAction:
    """Named after IsaacLab's term."""


class DifferentialInverseKinematicsAction:
    """Named after IsaacLab's term, which takes the pose of a point on a body, in numbers with a scale and an offset."""

    def __init__(self, body, **controller):
        self.cfg = SimpleNamespace(
            asset_name="robot",
            body_name=body,
            body_offset=SimpleNamespace(pos=(0.0, 0.0, 0.2), rot=tuple(Rotation.from_euler("x", 1.0).as_quat())),
            controller=SimpleNamespace(**{"command_type": "pose", "use_relative_mode": False} | controller),
            scale=2.0,
            offset=0.5,
        )


class ManyThingsEnv(ToyEnv):
    """Offers images of several makes, a row of numbers, a depth camera, a sensor, and an arm beside a gripper."""

    def __init__(self, num_envs=2):
        super().__init__(num_envs)
        self.scene.sensors |= {
            "depth_camera": SimpleNamespace(image_shape=(8, 8), cfg=SimpleNamespace(data_types=["depth"])),
            "contact": SimpleNamespace(),
        }
        self.robot = self.scene.articulations["robot"]
        self.robot.data.default_joint_pos = torch.tensor([DEFAULTS] * num_envs)
        terms = {"arm": ScaledJointPositionAction(), "gripper": BinaryJointPositionAction()}
        self.action_manager = SimpleNamespace(
            active_terms=list(terms), action_term_dim=[2, 1], total_action_dim=3, get_term=terms.get
        )
        picture = torch.arange(num_envs * 4 * 6 * 3).reshape(num_envs, 4, 6, 3).remainder(256).to(torch.uint8)
        self.offered = {
            "numbers": torch.arange(num_envs * 4.0).reshape(num_envs, 4),
            "doubles": torch.zeros((num_envs, 4), dtype=torch.float64),
            "picture": picture,
            "channels_first": (picture.float() / 255).movedim(-1, 1),
            "centred": picture.float() / 255 - 0.5,
            "stacked": torch.zeros((num_envs, 6, 8, 8)),
        }
        shapes = {name: spaces.Box(-np.inf, np.inf, tuple(values.shape[1:])) for name, values in self.offered.items()}
        joints = self.single_observation_space["policy"]
        self.single_observation_space = spaces.Dict({"policy": joints, "others": spaces.Dict(shapes)})

    def _observe(self):
        return super()._observe() | {"others": self.offered}

    def step(self, action):
        return super().step(action[:, :2])


class DrawsByEpisodeEnv(ToyEnv):
    """Draws its goals from its context's generators, and has an event manager that tells so."""

    def __init__(self, num_envs=4, marked=True, **options):
        super().__init__(num_envs, **options)
        terms = {"back": self.reset_scene_to_default, "goal": SimpleNamespace(uses_episode_generators=marked)}
        self.event_manager = SimpleNamespace(
            active_terms={"reset": list(terms)}, get_term_cfg=lambda name: SimpleNamespace(func=terms[name])
        )
        self.command_manager = SimpleNamespace(active_terms=[])
        self.calls = []

    def reset_scene_to_default(self):
        """Named after IsaacLab's event, which draws nothing."""

    def _reset_idx(self, env_ids):
        generators = episode_context(self).generators
        goals = [torch.randint(1, 200, (), generator=generators.get(i)) for i in env_ids.tolist()]
        super()._reset_idx(env_ids)
        self.goal[env_ids] = torch.stack(goals).float()

    def reset(self, env_ids=None, **options):
        self.calls.append(None if env_ids is None else env_ids.tolist())
        return super().reset(env_ids, **options)


class DirectRLEnv(ToyEnv):
    """Has what IsaacLab's direct envs have: no managers, a reset of all envs alone, a first batch of random ages."""

    def __init__(self, num_envs=3, **options):
        super().__init__(num_envs, **options)
        del self.action_manager, self.termination_manager, self.reward_manager
        self.single_action_space = spaces.Box(-np.inf, np.inf, (2,))
        self.single_observation_space = spaces.Dict({"policy": spaces.Box(-np.inf, np.inf, (2,))})
        self.resets = []

    def _observe(self):
        return {"policy": self.joints}

    def reset(self, *, seed=None, options=None):
        self.resets.append(seed)
        result = super().reset(seed=seed)
        self.episode_length_buf[:] = torch.arange(self.num_envs)
        return result


class StagedEnv(ToyEnv):
    """Tells its progress by IsaacLab's observation group: moved off 0, near the goal, at it; and overshooting.

    ``terms`` is what the group gives, by name; a test may put others there.
    """

    concatenated = False

    def __init__(self, num_envs=4, **options):
        super().__init__(num_envs, **options)
        self.terms = {
            "progress_moved": lambda: self.joints[:, 0] != 0,
            "progress_near": lambda: self._way_left() < 20,
            "progress_arrived": lambda: self._way_left() < 0.5,
            "distance_to_success": self._way_left,
            "event_overshot": lambda: self.joints[:, 0] > self.goal + 0.5,
        }
        self.observation_manager = SimpleNamespace(
            active_terms={"policy": ["joints"], "progress": self.terms},
            group_obs_concatenate={"policy": False, "progress": self.concatenated},
            group_obs_term_dim={"progress": [tuple(term().shape[1:]) for term in self.terms.values()]},
        )
        told = {name: spaces.Box(-np.inf, np.inf, ()) for name in self.terms}
        self.single_observation_space.spaces["progress"] = spaces.Dict(told)

    def _way_left(self):
        return (self.joints[:, 0] - self.goal).abs()

    def _observe(self):
        told = {name: term() for name, term in self.terms.items()} if hasattr(self, "terms") else {}
        self.obs_buf = super()._observe() | {"progress": told}
        return self.obs_buf
