"""What each variation of the scene adds to the beginning of 16 episodes of the lift.

Seconds of the processor, their share of a reset with its first pictures, and of the reset alone.

python -m tests.verify.variations.reset_cost COSTS.json
"""

import json
import statistics
import sys
import time
from pathlib import Path

import gymnasium as gym
import torch
from isaaclab.app import launch_simulation
from omegaconf import OmegaConf

from groot_wrappers import Gr00tObservationWrapper
from groot_wrappers.embodiment.embodiment import Embodiment
from runners.variations.drawing import draws_of
from runners.variations.parts import SceneParts
from runners.variations.scene_variation import SceneReset
from runners.variations.settings import VariationSettings
from tasks.lift_cube_franka.env_cfg import LiftCubeFrankaEnvCfg
from tests.runners.variations.kinds import KINDS
from tests.support.composing import compose

NUM_ENVS, ROUNDS = 16, 3


def main(path):
    """Write the costs."""
    config = OmegaConf.to_container(compose("play", f"variation=[{','.join(KINDS)}]"), resolve=True)
    settings = VariationSettings.of(config["variation"])
    cfg = LiftCubeFrankaEnvCfg()
    cfg.scene.num_envs = NUM_ENVS
    seen = ["scene_camera", "wrist_camera"]
    reset = SceneReset(settings.scene, SceneParts(cfg, config["task"]["parts"], seen, NUM_ENVS))
    spent = []

    def timed(env, env_ids, vary=reset.vary):
        begun = time.process_time()
        vary(env, env_ids)
        spent.append(time.process_time() - begun)

    reset.vary = timed
    with launch_simulation(cfg, {"device": "cpu", "livestream": 0}):
        made = gym.make("Isaac-Groot-Lift-Cube-Franka-v0", cfg=cfg)
        reset.bind(made.unwrapped)
        env = Gr00tObservationWrapper(made, Embodiment.from_env_cfg(cfg))
        still = made.unwrapped.scene["robot"].data.default_joint_pos.torch.clone()

        def cost(draws):
            """Return what the term takes with what it leaves to the next step, and the whole reset, seconds."""
            rounds = []
            for number in range(ROUNDS):
                begun = time.process_time()
                seeds = list(range(number * NUM_ENVS, (number + 1) * NUM_ENVS))
                env.reset(options={"seeds": seeds, "variations": draws})
                whole = time.process_time() - begun
                begun = time.process_time()
                env.step(still)
                rounds.append((spent[-1], whole, time.process_time() - begun))
            return [statistics.median(column) for column in zip(*rounds, strict=True)]

        env.reset(options={"seeds": list(range(NUM_ENVS))})
        drawn = []
        for _ in range(3):
            observation, _ = env.reset(options={"seeds": list(range(NUM_ENVS))})
            begun = time.process_time()
            _ = observation["video"]
            drawn.append(time.process_time() - begun)
        first_pictures = statistics.median(drawn)
        term, whole, usual_step = cost([{}] * NUM_ENVS)
        costs = {"nothing drawn": [term, term / first_pictures, term / whole]}
        for kind in KINDS:
            term, whole, step = cost([{kind: draws_of(settings, seed)[kind]} for seed in range(NUM_ENVS)])
            added = term + max(0.0, step - usual_step)
            costs[kind] = [added, added / (whole + first_pictures), added / whole]
        made.close()
    Path(path).write_text(json.dumps(costs))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(sys.argv[1])
