"""Play planned episodes of the real lift in this process, and keep how cube and joints moved.

``python -m tests.verify.support.trajectories NUM_ENVS FILE`` writes an ``.npz`` with an array an episode, by index.
"""

import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import torch
from isaaclab.app import launch_simulation

import tasks  # noqa: F401, registers the ids
from groot_wrappers import Embodiment, Gr00tActionWrapper, Gr00tObservationWrapper
from runners.episodes.episode_log import EpisodeLog
from runners.episodes.plan import make_plan
from runners.recorders import Recorder
from runners.rollout.rollout import Rollout
from tasks.lift_cube_franka.env_cfg import LiftCubeFrankaEnvCfg
from tasks.lift_cube_franka.expert.joint_expert import LiftCubeExpert

EPISODES, EXECUTION = 48, 8


class Trajectories(Recorder):
    """Keeps pose and speed of the cube and of the joints, float32 (steps + 1, 31), of every episode by index.

    The state after the step that ends an episode is missing: IsaacLab has begun another one by then.
    """

    def __init__(self, scene):
        self.cube, self.robot, self.origins = scene["object"].data, scene["robot"].data, scene.env_origins
        self.of, self.running = {}, {}

    def look(self):
        pose = self.cube.root_link_pose_w.torch.clone()
        pose[:, :3] -= self.origins
        parts = [self.cube.root_link_vel_w.torch, self.robot.joint_pos.torch, self.robot.joint_vel.torch]
        return torch.cat([pose, *parts], dim=1).numpy().copy()

    def on_episodes_start(self, episodes, observation):
        states = self.look()
        for env_id, episode in episodes.items():
            self.running[env_id] = self.of[episode.index] = [states[env_id]]

    def on_control_step(self, step):
        states = self.look()
        for env_id in np.flatnonzero(step.playing):
            self.running[env_id].append(states[env_id])


def main(num_envs, path):
    """Play the plan with this many envs, the expert in this process."""
    cfg = LiftCubeFrankaEnvCfg()
    cfg.scene.num_envs = num_envs
    embodiment, expert = Embodiment.from_env_cfg(cfg), LiftCubeExpert()
    with launch_simulation(cfg, {"device": "cpu", "livestream": 0}):
        made = gym.make("Isaac-Groot-Lift-Cube-Franka-v0", cfg=cfg)
        kept = Trajectories(made.unwrapped.scene)
        env = Gr00tActionWrapper(
            Gr00tObservationWrapper(made, embodiment), embodiment, EXECUTION, horizon=16, watcher=kept.on_control_step
        )
        with EpisodeLog(path.with_suffix(".jsonl")) as log:
            Rollout(env, expert, make_plan(EPISODES, 0, [cfg.instruction]), log, kept).play()
            successes = np.array([row.success for row in sorted(log.rows, key=lambda row: row.index)])
        np.savez(path, successes=successes, **{str(index): np.stack(states) for index, states in kept.of.items()})
        made.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
