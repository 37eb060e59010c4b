"""How fast DROID's table goes: ``python -m tests.verify.droid.time_droid FILE NUM_ENVS DEVICE``, one simulation each.

Rates are control steps a second over all envs, of physics alone, and with both 180 x 320 cameras delivered to the host
once a chunk of 15 control steps.
"""

import json
import sys
import time
from pathlib import Path

import gymnasium as gym
import torch
from isaaclab.app import launch_simulation

from groot_wrappers.episode_context import EpisodeContext, set_episode_context
from tasks.droid_table.env_cfg import DroidTableEnvCfg

CHUNK = 15
CHUNKS = 4
"""Timed; as many are played first, in which kernels are compiled."""


def rate(env, pictures):
    """Return control steps a second over all envs."""
    action = torch.cat(
        [env.scene["robot"].data.default_joint_pos.torch[:, :7], torch.zeros(env.num_envs, 1, device=env.device)], dim=1
    )
    begun = 0.0
    for chunk in range(2 * CHUNKS):
        if chunk == CHUNKS:
            _settle()
            begun = time.perf_counter()
        if pictures:
            for camera in env.cfg.camera_keys:
                env.scene[camera].data.output["rgb"].torch.cpu()
        for _ in range(CHUNK):
            env.step(action)
    _settle()
    return CHUNKS * CHUNK * env.num_envs / (time.perf_counter() - begun)


def _settle():
    """Wait for what a card still has to do."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def main(path, num_envs, device):
    """Write the figures."""
    begun = time.perf_counter()
    cfg = DroidTableEnvCfg()
    cfg.scene.num_envs, cfg.sim.device = int(num_envs), device
    with launch_simulation(cfg, {"device": device, "livestream": 0}):
        made = gym.make("Isaac-Groot-Droid-Table-v0", cfg=cfg)
        env = made.unwrapped
        set_episode_context(env, EpisodeContext(instructions=[cfg.instruction] * env.num_envs))
        env.reset(seed=0)
        facts = {
            "device": torch.cuda.get_device_name() if device.startswith("cuda") else device,
            "envs": env.num_envs,
            "physics_alone": rate(env, pictures=False),
            "pictures_once_a_chunk": rate(env, pictures=True),
        }
        made.close()
    Path(path).write_text(json.dumps(facts | {"wall_s": time.perf_counter() - begun}))


if __name__ == "__main__":
    main(*sys.argv[1:])
