"""Scripts in the env of LIBERO on Newton, as ``task=libero_*`` makes it, from the first official starts side by side.

python -m tests.verify.libero.scripts.newton_scripts OUT_FOLDER SUITE INDEX [INDEX ...]

For each task ``SUITE_INDEX.npy``: qpos (steps + 1, starts, nq) as the model has it. Tasks of one call have one scene.
"""

import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import torch
from isaaclab.app import launch_simulation

import tasks  # noqa: F401, registers the ids
from tasks.libero.env_cfg import LiberoEnvCfg
from tasks.libero.mdp import write_state
from tasks.libero.scene.cfg import scene_cfg
from tests.verify.libero.control.play_env import as_terms
from tests.verify.libero.newton_worlds import NewtonWorlds
from tests.verify.libero.osc import Arm
from tests.verify.libero.scripts.tasks import Player, read_script


def play(env, worlds, task):
    """Play a task in an env; return qpos (steps + 1, n, nq)."""
    env.reset(seed=0)
    rest = task.rest[:, 1 : 1 + task.model.nq]
    write_state(env.scene, task.model, torch.arange(env.num_envs), torch.tensor(rest, dtype=torch.float32))
    arm, player = Arm(task.model), Player(task)
    now = rest, np.zeros((len(rest), task.model.nv))
    states = [rest]
    for _ in range(task.scene.task.horizon):
        actions = player(arm.read(*now), now[0])
        env.step(torch.tensor(np.stack([as_terms(action) for action in actions]), dtype=torch.float32))
        now = worlds.state()
        states.append(now[0])
    return np.array(states)


def main(folder, suite, *indices):
    """Write the files of some tasks that have one scene."""
    scripted = {index: read_script(suite, int(index)) for index in indices}
    if len({task.scene.key for task in scripted.values()}) > 1:
        raise SystemExit(f"{suite} {' '.join(indices)}: these tasks have not one scene")
    first = scripted[indices[0]]
    cfg = LiberoEnvCfg(suite=suite, index=int(indices[0]), scene=scene_cfg(suite, int(indices[0]), len(first.rest)))
    cfg.scene.scene_camera = cfg.scene.wrist_camera = None
    cfg.terminations.success = cfg.terminations.time_out = cfg.rewards.success = None
    with launch_simulation(cfg, {"device": "cpu", "livestream": 0}):
        env = gym.make("Isaac-Groot-Libero-v0", cfg=cfg).unwrapped
        worlds = NewtonWorlds(first.model, env.sim, env.scene, "robot")
        for index, task in scripted.items():
            np.save(Path(folder) / f"{suite}_{index}.npy", play(env, worlds, task))
        env.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
