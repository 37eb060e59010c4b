"""Play with the real env, in a process of its own, and write down what happened: ``python -m ... NUM_ENVS FACTS.json``.

There is one simulator a process, and starting one takes half a minute: what several tests look at happens here, once.
With one env only what `test_env.py` compares with two.
"""

import hashlib
import json
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import torch
from isaaclab.app import launch_simulation

import tasks  # noqa: F401
from groot_wrappers import Embodiment, Gr00tActionWrapper, Gr00tObservationWrapper
from tasks.assets import gr1t2
from tasks.pick_place_gr1t2 import geometry
from tasks.pick_place_gr1t2.env_cfg import PickPlaceGR1T2EnvCfg

EXECUTION = 8
SEEDS = (7, 8)


def still(num_envs, **changed):
    """Return a chunk that keeps the robot at its start, but for the keys given."""
    widths = {"left_arm": 7, "right_arm": 7, "left_hand": 6, "right_hand": 6, "waist": 3}
    chunk = {key: np.zeros((num_envs, EXECUTION, width), np.float32) for key, width in widths.items()}
    for side in ("left_arm", "right_arm"):
        chunk[side][...] = geometry.START_ARM
    for key, values in changed.items():
        chunk[key][...] = values
    return chunk


def put_wheel(env, positions):
    """Put each env's wheel at a position of the env's frame, upright and at rest."""
    wheel = env.scene["object"]
    pose = torch.zeros((env.num_envs, 7))
    pose[:, :3] = torch.as_tensor(positions) + env.scene.env_origins
    pose[:, 6] = 1.0
    wheel.write_root_pose_to_sim_index(root_pose=pose)
    wheel.write_root_velocity_to_sim_index(root_velocity=torch.zeros((env.num_envs, 6)))


def wheels(env):
    """Return where the wheels are."""
    return (env.scene["object"].data.root_pos_w.torch - env.scene.env_origins).tolist()


def digest(array):
    """A short name of an array's exact bytes."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


def state(env):
    """Exact pose and speed of wheels and joints, (num_envs, D); all envs stand at the origin."""
    wheel, robot = env.scene["object"].data, env.scene["robot"].data
    parts = [wheel.root_link_pose_w, wheel.root_link_vel_w, robot.joint_pos, robot.joint_vel]
    return torch.cat([part.torch for part in parts], dim=1).numpy().copy()


def bump(env):
    """Knock fingers on the table, then a hand against the wheel; return the fastest joint's rad/s."""
    fastest = 0.0
    waist = np.arange(29) >= 26
    for swing in (np.full(29, 0.2), 0.4 * waist):
        for step in range(12):
            action = np.concatenate([chunk[:, 0] for chunk in still(env.num_envs).values()], axis=1)
            action += swing * np.sin(0.3 * (step + 1))
            env.step(torch.as_tensor(action))
            fastest = max(fastest, float(env.scene["robot"].data.joint_vel.torch.abs().max()))
    return fastest


def bumps(env):
    """What each seed starts like and comes to by the same bump: twice, and with the seeds in each other's envs."""
    facts = {}
    for name, order in {"first": SEEDS, "again": SEEDS, "swapped": SEEDS[::-1]}.items():
        seeds = order[: env.num_envs]
        for env_id, seed in enumerate(seeds):
            env.reset(seed=seed, env_ids=torch.tensor([env_id]))
        begun, pictures = state(env), env.scene["ego_view"].data.output["rgb"].torch.numpy().copy()
        fastest = bump(env)
        moved = state(env)
        facts[name] = {
            str(seed): {
                "start": digest(begun[env_id]),
                "picture": digest(pictures[env_id]),
                "moved": digest(moved[env_id]),
                "pushed": float(np.linalg.norm(moved[env_id, :2] - begun[env_id, :2])),
            }
            for env_id, seed in enumerate(seeds)
        }
        facts[name]["fastest"] = fastest
    return facts


def play(facts, env):
    """Do everything that a test asks about."""
    base = env.unwrapped
    robot = base.scene["robot"]
    facts["action_dim"] = base.action_manager.total_action_dim
    facts["body_names"] = list(robot.body_names)

    observation, _ = env.reset(options={"env_ids": [0, 1], "seeds": [5, 5]})
    facts["same_seed"] = wheels(base)
    facts["video"] = list(observation["video"]["ego_view"].shape)
    before = observation["video"]["ego_view"].copy()
    np.save(facts["picture"], before)
    env.reset(options={"env_ids": [0, 1], "seeds": [6, 7]})
    facts["other_seeds"] = wheels(base)

    bent = still(2, right_hand=0.6, left_hand=0.3)
    bent["waist"][..., 0] = 0.2
    for _ in range(2):
        observation, *_ = env.step(bent)
    joints = dict(zip(robot.joint_names, robot.data.joint_pos.torch[0].tolist(), strict=True))
    facts["followers"] = {follower: [joints[follower], joints[lead]] for follower, lead in gr1t2.FOLLOWERS.items()}
    facts["waist"] = observation["state"]["waist"][0, 0].tolist()
    facts["right_hand"] = observation["state"]["right_hand"][0, 0].tolist()
    facts["head_turned"] = float(np.abs(observation["video"]["ego_view"].astype(int) - before).mean())

    # One wheel is lifted and put into the zone, the other is pushed there along the table.
    env.reset(options={"env_ids": [0, 1], "seeds": [6, 7]})
    zone = (*geometry.ZONE_CENTRE, geometry.TABLE_HEIGHT + 0.001)
    put_wheel(base, [(*geometry.ZONE_CENTRE, geometry.TABLE_HEIGHT + 0.10), zone])
    stand = torch.as_tensor(np.concatenate([chunk[:, 0] for chunk in still(2).values()], axis=1))
    base.step(stand)
    facts["up"] = {name: values.tolist() for name, values in base.obs_buf["progress"].items()}
    put_wheel(base, [zone, zone])
    success, steps = [], []
    for _ in range(3):
        info = env.step(still(2))[4]
        success.append(info["success"].tolist())
        steps.append(info["steps"].tolist())
    facts["success"], facts["steps"] = success, steps
    facts["placed"] = {name: values.tolist() for name, values in base.obs_buf["progress"].items()}

    # One wheel is where the right hand has it within its reach, off the table; then it is beside it.
    env.reset(options={"env_ids": [0, 1], "seeds": [6, 7]})
    hand = robot.data.body_pos_w.torch[:, robot.body_names.index("right_hand_pitch_link")]
    put_wheel(base, (hand - torch.tensor([0.0, 0.0, 0.1])).tolist())
    base.step(stand)
    facts["in_hand"] = {name: values.tolist() for name, values in base.obs_buf["progress"].items()}
    put_wheel(base, [geometry.WHEEL_START] * 2)
    base.step(stand)
    facts["beside"] = {name: values.tolist() for name, values in base.obs_buf["progress"].items()}

    # The simulation of one env breaks.
    env.reset(options={"env_ids": [0, 1], "seeds": [6, 7]})
    broken = robot.data.joint_pos.torch.clone()
    broken[0] = torch.nan
    robot.write_joint_position_to_sim_index(position=broken)
    facts["errors"] = env.step(still(2))[4]["error"]
    facts["parked"] = env.parked.tolist()
    facts["neighbour"] = bool(robot.data.joint_pos.torch[1].isfinite().all())
    env.reset(options={"env_ids": [0], "seeds": [6]})
    facts["errors_after_reset"] = env.step(still(2))[4]["error"]
    facts["wheels_after_reset"] = wheels(base)


def main(num_envs, path):
    cfg = PickPlaceGR1T2EnvCfg()
    cfg.scene.num_envs = num_envs
    cfg.seed = 0
    facts = {"picture": str(path.with_suffix(".npy"))}
    with launch_simulation(cfg, {"device": "cpu", "livestream": 0}):
        env = gym.make("Isaac-Groot-PickPlace-GR1T2-v0", cfg=cfg)
        embodiment = Embodiment.from_env_cfg(cfg)
        env = Gr00tActionWrapper(Gr00tObservationWrapper(env, embodiment), embodiment, EXECUTION)
        env.reset(seed=0)
        facts["bumps"] = bumps(env.unwrapped)
        if num_envs == 2:
            play(facts, env)
        env.close()
    path.write_text(json.dumps(facts))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
