"""A toy vectorised env that offers what IsaacLab's manager-based envs offer; ToyPolicy solves it from pixels.

Each env has two joints that go where they are told, and a goal drawn from the reset's seed. The camera paints the goal,
the control step and the env's index into its pixels, so that a test can read off any frame what it shows.
"""

from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces

from groot_wrappers.embodiment.embodiment import Embodiment

EMBODIMENT = {
    "video": {"camera": {"sensor": "camera"}},
    "state": {"joints": {"obs": "policy.joints"}},
    "language": "task",
    "action": {"joints": {"joints": ["joint_b", "joint_a"]}},
}
"""The server's order of the joints differs from the env's, so that a mix-up shows."""

NEEDED_STEPS = 3
"""Control steps at the goal that make a success."""

JOINT_LIMITS = (-50.0, 200.0)
"""Of both joints."""


class JointPositionAction:
    """Named after IsaacLab's term, as which the wrapper recognises it."""

    cfg = SimpleNamespace(
        asset_name="robot",
        joint_names=["joint_.*"],
        preserve_order=False,
        scale=1.0,
        offset=0.0,
        use_default_offset=False,
    )


class ToyCamera:
    """Lazy like IsaacLab's: it draws when ``data`` is read for the first time after a step or reset."""

    image_shape = (8, 8)
    levels_a_step = 1
    """How much greener a control step makes the picture."""

    cfg = SimpleNamespace(data_types=["rgb"])

    def __init__(self, env):
        self._env = env
        self.draws = 0
        self.outdated = True
        self._rgba = torch.zeros((env.num_envs, *self.image_shape, 4), dtype=torch.uint8)

    @property
    def data(self):
        if self.outdated:
            self.outdated = False
            self.draws += 1
            self._rgba[:, :, :, 0] = self._env.goal[:, None, None].to(torch.uint8)
            self._rgba[:, :, :, 1] = (self.levels_a_step * self._env.episode_length_buf)[:, None, None].to(torch.uint8)
            self._rgba[:, :, :, 2] = torch.arange(self._env.num_envs)[:, None, None].to(torch.uint8)
        # A strided view of a buffer that is drawn over on the next step, as the simulator's is.
        return SimpleNamespace(output={"rgb": self._rgba[..., :3]})


class ToyTerminations:
    """Knows which episodes are over, and why."""

    def __init__(self, env, has_success):
        self._env = env
        self.active_terms = ["time_out", "success"] if has_success else ["time_out"]
        self.success = self.time_outs = torch.zeros(env.num_envs, dtype=torch.bool)

    def compute(self):
        self.success = self._env.held >= NEEDED_STEPS
        self.time_outs = self._env.episode_length_buf >= self._env.max_episode_length
        return self.success | self.time_outs

    def get_term(self, name):
        return {"success": self.success, "time_out": self.time_outs}[name]


class ToyEnv(gym.Env):
    """Two joints, a goal between 1 and 200; success after NEEDED_STEPS control steps with joint_a at the goal."""

    def __init__(self, num_envs=4, episode_steps=20, has_success=True, has_rewards=True):
        self.num_envs, self.device, self.step_dt = num_envs, "cpu", 0.05
        self.max_episode_length = episode_steps
        self.goal = torch.zeros(num_envs)
        self.joints = torch.zeros((num_envs, 2))
        self.held = torch.zeros(num_envs)
        self.episode_length_buf = torch.zeros(num_envs, dtype=torch.int64)
        self.played = []
        self.starts = []
        self.camera = ToyCamera(self)
        names = ["joint_a", "joint_b"]
        robot = SimpleNamespace(
            joint_names=names,
            find_joints=lambda patterns, preserve_order: ([0, 1], names),
            body_names=["base", "hand"],
            data=SimpleNamespace(
                joint_pos=self.joints,
                default_joint_pos=torch.zeros((num_envs, 2)),
                soft_joint_pos_limits=torch.tensor([JOINT_LIMITS]).repeat(num_envs, 2, 1),
            ),
        )
        parts = {"sensors": {"camera": self.camera}, "articulations": {"robot": robot}}
        self.scene = type("Scene", (dict,), parts)(robot=robot)
        self.action_manager = SimpleNamespace(
            active_terms=["joints"],
            action_term_dim=[2],
            total_action_dim=2,
            get_term=lambda name: JointPositionAction(),
        )
        self.reward_manager = SimpleNamespace(active_terms=["at_goal"] if has_rewards else [])
        self._terminations = self.termination_manager = ToyTerminations(self, has_success)
        joints = spaces.Box(-np.inf, np.inf, (2,), np.float32)
        self.single_observation_space = spaces.Dict({"policy": spaces.Dict({"joints": joints})})
        self.observation_space = spaces.Dict()
        self.action_space = spaces.Box(-np.inf, np.inf, (num_envs, 2), np.float32)

    def _observe(self):
        return {"policy": {"joints": self.joints}}

    def _reset_idx(self, env_ids):
        self.goal[env_ids] = torch.randint(1, 200, (len(env_ids),)).float()
        self.joints[env_ids] = 0.0
        self.held[env_ids] = 0.0
        self.episode_length_buf[env_ids] = 0
        self.camera.outdated = True

    def reset(self, env_ids=None, *, seed=None, options=None):
        env_ids = torch.arange(self.num_envs) if env_ids is None else env_ids
        if seed is not None:
            torch.manual_seed(seed)
        self._reset_idx(env_ids)
        self.starts += [(int(i), seed) for i in env_ids]
        return self._observe(), {}

    def step(self, action):
        self.played.append(action.clone())
        self.joints[:] = action
        self.episode_length_buf += 1
        self.camera.outdated = True
        at_goal = (self.joints[:, 0] - self.goal).abs() < 0.5
        self.held = torch.where(at_goal, self.held + 1, torch.zeros_like(self.held))
        done = self._terminations.compute().nonzero().flatten()
        terminated, truncated = self._terminations.success.clone(), self._terminations.time_outs
        reward = at_goal.float()
        if len(done):  # same-step autoreset: the observation is that of an episode of the env's own
            self._reset_idx(done)
        return self._observe(), reward, terminated, truncated, {}

    def close(self):
        """Nothing to close."""


def toy_embodiment():
    """Return the embodiment that joins ToyEnv and ToyPolicy."""
    return Embodiment.from_config(EMBODIMENT)
