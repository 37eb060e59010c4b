"""What episodes of a task of LIBERO cost on Newton, one simulation a process.

python -m tests.verify.libero.speed.newton_part FILE SUITE INDEX NUM_ENVS DEVICE CONTROL_STEPS

All envs begin together and play so many control steps through the wrappers, eight of each chunk, by random changes of
the tool's pose. Both pictures come to the host once a chunk, as for a policy, or never.
"""

import json
import sys
import time
from pathlib import Path

import gymnasium as gym
import numpy as np
import torch
import yaml
from isaaclab.app import launch_simulation

import tasks  # noqa: F401, registers the ids
from groot_wrappers import Gr00tActionWrapper, Gr00tObservationWrapper
from groot_wrappers.embodiment.embodiment import Embodiment
from tasks.libero.env_cfg import LiberoEnvCfg
from tasks.libero.goals.stages import progress_cfg
from tasks.libero.scene.cfg import scene_cfg

CONF = Path(__file__).parents[4] / "conf"
EXECUTION, HORIZON = 8, 16
STARTS = 3
"""Timed: each of all envs."""
LAUNCHES = 100
MOST = 0.3
"""Of a random action's numbers, of which 1 is the most."""


def settle():
    """Wait for what a card still has to do."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def random_chunk(rng, num_envs, keys):
    """Return changes that stay the same for a chunk, and a gripper that is open or closed."""
    chunk = {key: rng.uniform(-MOST, MOST, (num_envs, 1, 1)) for key in keys}
    chunk["gripper"] = rng.integers(0, 2, (num_envs, 1, 1))
    return {key: np.repeat(value, HORIZON, axis=1).astype(np.float32) for key, value in chunk.items()}


def play(env, control_steps, *, pictures, seed):
    """Begin an episode in each env and play it; return seconds of the start, seconds of the rest, steps of all envs."""
    rng = np.random.default_rng(seed)
    settle()
    begun = time.perf_counter()
    observation, _ = env.reset(options={"seeds": [seed + number for number in range(env.num_envs)]})
    settle()
    started, steps = time.perf_counter(), 0
    for _ in range(control_steps // EXECUTION):
        _ = observation["state"], observation["video"] if pictures else None
        observation, *_, info = env.step(random_chunk(rng, env.num_envs, env.action_space.spaces))
        steps += int(info["steps"].sum())
        if env.parked.all():
            break
    settle()
    return started - begun, time.perf_counter() - started, steps


def controller_ms(env):
    """Milliseconds of robosuite's controller in a physics step, as kernels that are launched one by one."""
    term = env.unwrapped.action_manager.get_term("arm_action")
    term.launch_physics_step()
    settle()
    begun = time.perf_counter()
    for _ in range(LAUNCHES):
        term.launch_physics_step()
    settle()
    return 1000 * (time.perf_counter() - begun) / LAUNCHES


def main(path, suite, number, *more):
    """Write the figures."""
    begun = time.perf_counter()
    index, num_envs, device, control_steps = int(number), int(more[0]), more[1], int(more[2])
    cfg = LiberoEnvCfg(suite=suite, index=index, scene=scene_cfg(suite, index, num_envs))
    cfg.observations.progress = progress_cfg(suite, index)
    cfg.sim.device, cfg.episode_length_s = device, 1e6
    embodiment = Embodiment.from_config(yaml.safe_load((CONF / "embodiment/libero_panda.yaml").read_text()))
    with launch_simulation(cfg, {"device": device, "livestream": 0}):
        made = gym.make("Isaac-Groot-Libero-v0", cfg=cfg)
        env = Gr00tActionWrapper(Gr00tObservationWrapper(made, embodiment), embodiment, EXECUTION, horizon=HORIZON)
        play(env, 2 * EXECUTION, pictures=True, seed=0)  # compiles, records
        ready = time.perf_counter() - begun
        starts = [play(env, 0, pictures=False, seed=10_000 * number)[0] for number in range(1, 1 + STARTS)]
        whole = play(env, max(control_steps, EXECUTION), pictures=True, seed=1)
        blind = play(env, max(control_steps // 4, EXECUTION), pictures=False, seed=1)
        facts = {
            "device": torch.cuda.get_device_name() if device.startswith("cuda") else device,
            "envs": env.num_envs,
            "ready_s": ready,
            "start_s": float(np.median(starts)),
            "whole_batch_s": whole[0] + whole[1],
            "env_steps": whole[2],
            "steps_per_s_pictures": whole[2] / whole[1],
            "steps_per_s": blind[2] / blind[1],
            "controller_ms": controller_ms(env),
        }
        if device.startswith("cuda"):
            free, total = torch.cuda.mem_get_info()
            facts["card_memory_used_gib"] = (total - free) / 2**30
        Path(path).write_text(json.dumps(facts))
        made.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
