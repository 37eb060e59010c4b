"""Run the real lift of a named cube in this process and write what happened as JSON: ``python -m ... FILE``."""

import json
import sys
import time
from pathlib import Path

import gymnasium as gym
import numpy as np
import torch
from isaaclab.app import launch_simulation

import tasks  # noqa: F401, registers the ids
from groot_wrappers import Embodiment, Gr00tActionWrapper, Gr00tObservationWrapper
from tasks.lift_cube_franka.expert.joint_expert import LiftCubeExpert
from tasks.lift_cube_franka.expert.perception import fit_cube
from tasks.lift_named_cube_franka.env_cfg import LiftNamedCubeFrankaEnvCfg
from tasks.lift_named_cube_franka.expert import NamedCubeExpert, OtherCubeExpert

TEXTS = ("pick up the red cube", "pick up the blue cube")
CUBES = {"red": "object", "blue": "blue_cube"}
NUM_ENVS = 4
STARTS = 5
"""Resets of all envs, each env with a seed of its own."""


def poses(env):
    """Pose of each cube in each env's frame, (num_envs, 7), by colour."""
    found = {}
    for colour, name in CUBES.items():
        pose = env.scene[name].data.root_link_pose_w.torch.clone()
        pose[:, :3] -= env.scene.env_origins
        found[colour] = pose
    return found


def starts(env):
    """Where the cubes start, and where they are seen, for each seed."""
    found = []
    for first in range(0, STARTS * NUM_ENVS, NUM_ENVS):
        env.reset(options={"seeds": range(first, first + NUM_ENVS), "env_ids": range(NUM_ENVS)})
        placed = poses(env.unwrapped)
        pictures = env.unwrapped.scene["scene_camera"].data.output["rgb"].torch.numpy()
        for env_id, picture in enumerate(pictures):
            seen = {"red": fit_cube(picture), "blue": fit_cube(picture[..., ::-1])}
            found.append(
                {
                    colour: {"placed": placed[colour][env_id].tolist(), "seen": cube and cube.position.tolist()}
                    for colour, cube in seen.items()
                }
            )
    return found


def start_of(env, env_id, seed, text):
    """Exact start of both cubes, as one list."""
    env.reset(options={"env_ids": [env_id], "seeds": [seed], "instructions": [text]})
    return torch.cat([pose[env_id] for pose in poses(env.unwrapped).values()]).tolist()


def lift_by_hand(env, texts, colour, steps):
    """Hold the cube of that colour up in all envs; what each env's terms said and when, ``[step, success, wrong]``."""
    env.reset(options={"seeds": [1] * NUM_ENVS, "env_ids": range(NUM_ENVS), "instructions": texts})
    base = env.unwrapped
    cube, said = base.scene[CUBES[colour]], [None] * NUM_ENVS
    pose = cube.data.root_link_pose_w.torch.clone()
    pose[:, 2] += 0.12
    for step in range(1, steps + 1):
        cube.write_root_pose_to_sim_index(root_pose=pose)
        cube.write_root_velocity_to_sim_index(root_velocity=torch.zeros(NUM_ENVS, 6))
        base.step(base.scene["robot"].data.default_joint_pos.torch)
        success, wrong = (base.termination_manager.get_term(name) for name in ("success", "wrong_cube"))
        for env_id in range(NUM_ENVS):
            if said[env_id] is None and (success[env_id] or wrong[env_id]):
                said[env_id] = [step, bool(success[env_id]), bool(wrong[env_id])]
    return said


def played(env, policy, texts):
    """How an episode ended in each env: ``[success, terminated]``, and what it came to by name."""
    observation, _ = env.reset(options={"seeds": range(30, 34), "env_ids": range(NUM_ENVS), "instructions": texts})
    ended = np.zeros((NUM_ENVS, 2), bool)
    for _ in range(15):
        chunk, _ = policy.get_action(dict(observation.items()))
        observation, _, terminated, _, info = env.step(chunk)
        ended |= np.stack([info["success"].numpy(), terminated.numpy()], axis=1)
        if bool(env.parked.all()):
            break
    came = info["progress"]
    return {"ended": ended.tolist(), **{name: first.tolist() for name, first in (came.stages | came.events).items()}}


def main(path):
    """Gather the facts."""
    begun = time.monotonic()
    cfg = LiftNamedCubeFrankaEnvCfg()
    cfg.scene.num_envs = NUM_ENVS
    embodiment = Embodiment.from_env_cfg(cfg)
    with launch_simulation(cfg, {"device": "cpu", "livestream": 0}):
        bare = gym.make("Isaac-Groot-Lift-Named-Cube-Franka-v0", cfg=cfg)
        try:
            bare.reset(seed=0)
            bare.step(bare.unwrapped.scene["robot"].data.default_joint_pos.torch)
            untold = None
        except AttributeError as error:
            untold = str(error)
        env = Gr00tActionWrapper(Gr00tObservationWrapper(bare, embodiment), embodiment, execution=8, horizon=16)
        env.reset(seed=0)
        facts = {
            "untold": untold,
            "starts": starts(env),
            "same_seed": [start_of(env, env_id, 7, text) for env_id, text in ((0, TEXTS[0]), (3, TEXTS[1]), (3, ""))],
            "by_hand": {
                colour: lift_by_hand(env, [*TEXTS, "", "lift the red or the blue cube"], colour, 17) for colour in CUBES
            },
            "reads": played(env, NamedCubeExpert(), TEXTS * 2),
            "deaf": played(env, LiftCubeExpert(), TEXTS * 2),
            "contrary": played(env, OtherCubeExpert(), [*TEXTS, TEXTS[0], "pick up a cube"]),
            "way_left": bare.unwrapped.obs_buf["progress"]["distance_to_success"].tolist(),
        }
        facts["total_s"] = time.monotonic() - begun
        Path(path).write_text(json.dumps(facts))
        env.close()


if __name__ == "__main__":
    main(sys.argv[1])
