"""The gripper in every physics step, as JSON: ``python -m tests.verify.droid.holding FILE DEVICE``.

A cube, a cylinder and a thin plate are closed upon and held for 5 s against a pull of 2 N, in an env whose control step
is one physics step long.
"""

import json
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
from isaaclab.app import launch_simulation

from groot_wrappers.episode_context import EpisodeContext, set_episode_context
from tests.tasks.droid_table.simulate import PHYSICS_STEPS, holding, with_held_things


def main(path, device="cpu"):
    """Gather the facts."""
    cfg = with_held_things()
    cfg.decimation, cfg.sim.device = 1, device
    with launch_simulation(cfg, {"device": device, "livestream": 0}):
        made = gym.make("Isaac-Groot-Droid-Table-v0", cfg=cfg)
        env = made.unwrapped
        set_episode_context(env, EpisodeContext(instructions=[cfg.instruction] * env.num_envs))
        env.reset(seed=3)
        facts = holding(env, steps=PHYSICS_STEPS)
        made.close()
    told = {key: float(np.degrees(facts[key])) for key in ("linkage", "closing")}
    Path(path).write_text(
        json.dumps(
            {
                "degrees": max(told.values()),
                "degrees_closing": told["closing"],
                "degrees_pulled": told["linkage"],
                "slipped": facts["slipped"],
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
