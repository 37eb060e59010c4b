"""Run the lift under ``embodiment=libero_panda`` and write what happened as JSON: ``python -m ... FILE``.

A process of its own, as the embodiment changes the env's config.
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
from groot_wrappers.embodiment.env_checks import check_env
from groot_wrappers.embodiment.isaaclab_env import IsaacLabEnv
from runners.simulation.env_cfg import change
from tasks.lift_cube_franka.env_cfg import LiftCubeFrankaEnvCfg
from tasks.lift_cube_franka.expert.kinematics import PandaArm
from tasks.lift_cube_franka.expert.libero_expert import LiberoExpert

CONF = Path(__file__).parents[3] / "conf"
EMBODIMENT, TASK = CONF / "embodiment/libero_panda.yaml", CONF / "task/lift_cube_franka.yaml"
KEYS = ("x", "y", "z", "roll", "pitch", "yaw", "gripper")
EPISODE_STEPS = 100


def read(observation):
    """The states, (num_envs, 8): pose, then the two fingers."""
    return np.concatenate([observation["state"][key][:, 0] for key in KEYS], axis=-1)


def pushed(env, seed, **numbers):
    """State before and after one chunk of 8 equal steps, of env 0; keys that are not named get 0."""
    observation, _ = env.reset(seed=seed)
    before = read(observation)
    chunk = {key: np.full((env.num_envs, 16, 1), numbers.get(key, 0.0), np.float32) for key in KEYS}
    observation, *_ = env.step(chunk)
    return [before[0].tolist(), read(observation)[0].tolist()]


def lifted(env, expert):
    """Steps in which the expert succeeds in each env; None where it does not."""
    observation, _ = env.reset(seed=20)
    done, played = [None] * env.num_envs, 0
    while played < EPISODE_STEPS and not all(done):
        chunk, _ = expert.get_action({kind: observation[kind] for kind in ("video", "state", "language")})
        observation, *_, info = env.step(chunk)
        for env_id in torch.nonzero(info["success"]).flatten().tolist():
            done[env_id] = played + int(info["steps"][env_id])
        played += 8
    return done


def main(path):
    """Gather the facts."""
    begun = time.monotonic()
    cfg = LiftCubeFrankaEnvCfg()
    cfg.scene.num_envs = 2
    embodiment = Embodiment.from_config(yaml.safe_load(EMBODIMENT.read_text()))
    task = yaml.safe_load(TASK.read_text())["task"]
    change(cfg, task["embodiments"]["libero_panda"]["env"], "task.env")
    with launch_simulation(cfg, {"device": "cpu", "livestream": 0}):
        made = gym.make("Isaac-Groot-Lift-Cube-Franka-v0", cfg=cfg)
        check_env(IsaacLabEnv(made), embodiment)
        env = Gr00tObservationWrapper(made, embodiment, instruction="pick up the cube")
        env = Gr00tActionWrapper(env, embodiment, execution=8, horizon=16)
        observation, _ = env.reset(seed=0)
        facts = {
            "step_s": made.unwrapped.step_dt,
            "picture_shapes": {key: list(value.shape) for key, value in observation["video"].items()},
            "pushed": {
                "x": pushed(env, 1, x=1.0, gripper=1.0),
                "z": pushed(env, 1, z=-1.0, gripper=0.9),
                "yaw": pushed(env, 1, yaw=1.0, gripper=1.0),
                "closed": pushed(env, 1, gripper=0.0),
            },
        }
        joints = made.unwrapped.scene["robot"].data.joint_pos.torch[0, :7].numpy().astype(float)
        print({name: np.subtract(*reversed(states)).round(4).tolist() for name, states in facts["pushed"].items()})
        facts["kinematics"] = PandaArm().hand_pose(joints)[0].tolist()
        facts["lifted"] = lifted(env, LiberoExpert())
        facts["total_s"] = time.monotonic() - begun
        Path(path).write_text(json.dumps(facts))
        env.close()


if __name__ == "__main__":
    main(sys.argv[1])
