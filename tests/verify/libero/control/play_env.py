"""The env of LIBERO's first spatial task along the free path, and how fast.

python -m tests.verify.libero.control.play_env OUT.npz NUM_ENVS RATE whole|single|unrecorded

``RATE`` is that of physics, steps a second. ``whole``: a control step's physics steps are one recording; ``single``:
each is one; ``unrecorded``: each is launched from Python, as IsaacLab does on a CPU.
"""

import sys
import time

import gymnasium as gym
import numpy as np
import torch
from isaaclab.app import launch_simulation

import tasks  # noqa: F401, registers the ids
from tasks.common.newton_replay import NewtonReplayManager
from tasks.libero.control.physics import CONTROL_RATE
from tasks.libero.env_cfg import LiberoEnvCfg
from tasks.libero.scene.cfg import scene_cfg
from tests.verify.libero.script import free_path

REACH = np.array([0.05] * 3 + [0.5] * 3)
WARM = 20  # control steps before the clock starts


def as_terms(action):
    """An action of robosuite's (7,) as the env's terms have it: m, rad, and a gripper that opens above 0."""
    return np.append(action[:6] * REACH, -action[6])


def choose(env, how):
    """Have the env's steps recorded as ``how`` says."""
    if how != "whole":
        env._physics_handles_decimation = NewtonReplayManager._whole = False
        NewtonReplayManager._invalidate_graph()
    if how == "unrecorded":
        NewtonReplayManager._replay = lambda simulate: simulate()


def main(out, num_envs, rate, how):
    """Play and write the states after each control step."""
    cfg = LiberoEnvCfg(scene=scene_cfg("libero_spatial", 0, int(num_envs)))
    cfg.scene.scene_camera = cfg.scene.wrist_camera = None
    cfg.sim.dt, cfg.decimation = 1 / int(rate), int(rate) // CONTROL_RATE
    cfg.sim.render_interval = cfg.decimation
    seen = {"tool_pose": [], "gripper": [], "arm_joints": []}
    with launch_simulation(cfg, {"device": "cpu", "livestream": 0}):
        env = gym.make("Isaac-Groot-Libero-v0", cfg=cfg).unwrapped
        choose(env, how)
        env.reset(seed=0)
        for step, action in enumerate(free_path()):
            if step == WARM:
                begun = time.perf_counter()
            told = torch.tensor(as_terms(action), dtype=torch.float32).expand(env.num_envs, 7)
            observation, *_ = env.step(told)
            for name, rows in seen.items():
                rows.append(observation["policy"][name].numpy().copy())
        steps_per_s = (len(free_path()) - WARM) * env.num_envs / (time.perf_counter() - begun)
        np.savez(out, steps_per_s=steps_per_s, **{name: np.array(rows) for name, rows in seen.items()})
        env.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
