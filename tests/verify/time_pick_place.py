"""How long the humanoid's steps and pictures take, a row of its table in ``docs/``: ``python -m ... NUM_ENVS``.

The robot stands at its start; the wheel stands on the table.
"""

import statistics
import sys
import time
from collections.abc import Callable

import gymnasium as gym
import torch
from isaaclab.app import launch_simulation

import tasks  # noqa: F401, registers the ids
from tasks.pick_place_gr1t2 import geometry
from tasks.pick_place_gr1t2.env_cfg import PickPlaceGR1T2EnvCfg


def median_ms(work: Callable[[], object], times: int) -> float:
    """Median duration of ``work``; the first calls, which may record or compile, are not counted."""
    durations = []
    for _ in range(times + 3):
        begun = time.perf_counter()
        work()
        durations.append(1e3 * (time.perf_counter() - begun))
    return statistics.median(durations[3:])


def main(num_envs: int) -> None:
    """Print one row."""
    begun = time.perf_counter()
    cfg = PickPlaceGR1T2EnvCfg()
    cfg.scene.num_envs = num_envs
    with launch_simulation(cfg, {"device": "cpu", "livestream": 0}):
        env = gym.make("Isaac-Groot-PickPlace-GR1T2-v0", cfg=cfg).unwrapped
        env.reset(seed=0)
        start_s = time.perf_counter() - begun
        still = torch.zeros((num_envs, 29))
        still[:, :14] = torch.tensor(geometry.START_ARM * 2)
        step_ms = median_ms(lambda: env.step(still), 60)

        def draw() -> None:
            env.step(still)
            env.scene["ego_view"].data.output["rgb"]

        picture_ms = median_ms(draw, 12) - step_ms
        physics_ms = median_ms(lambda: env.sim.step(render=False), 120)
        print(f"| {num_envs} | {physics_ms:.1f} | {step_ms:.0f} | {picture_ms:.0f} | {start_s:.0f} |")
        env.close()


if __name__ == "__main__":
    main(int(sys.argv[1]))
