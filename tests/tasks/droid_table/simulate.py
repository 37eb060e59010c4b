"""Run DROID's table in this process and write what happened as JSON: ``python -m ... FILE``.

One start of the simulator for all that `test_env.py` looks at. Pictures are kept beside FILE, as ``.npz``.
"""

import hashlib
import json
import sys
from pathlib import Path

import gymnasium as gym
import isaaclab.sim as sim_utils
import numpy as np
import torch
import yaml
from isaaclab.app import launch_simulation
from isaaclab.assets import RigidObjectCfg

import tasks  # noqa: F401, registers the ids
from groot_wrappers import Embodiment, Gr00tActionWrapper, Gr00tObservationWrapper
from groot_wrappers.embodiment.env_checks import check_env
from groot_wrappers.embodiment.isaaclab_env import IsaacLabEnv
from groot_wrappers.episode_context import episode_context
from tasks.assets.franka_robotiq import FINGER_JOINT, FOLLOWERS
from tasks.assets.things import Box, Cylinder, thing_usd
from tasks.droid_table import mdp
from tasks.droid_table.env_cfg import DroidTableEnvCfg
from tasks.droid_table.geometry import TOOL_POINT, finger_angle, pad_height
from tasks.droid_table.joint_velocity import DroidJointVelocityAction, JointVelocityActionsCfg

EMBODIMENTS = Path(__file__).parents[3] / "conf" / "embodiment"
GREY = (0.5, 0.5, 0.5)
HELD = {
    "cube": ([Box((0.05, 0.05, 0.05), (0.0, 0.0, 0.025), GREY)], 0.05, 0.05),
    "cylinder": ([Cylinder(0.03, 0.0, 0.08)], 0.06, 0.08),
    "thin_plate": ([Box((0.08, 0.008, 0.08), (0.0, 0.0, 0.04), GREY)], 0.008, 0.08),
}
"""What the gripper is to hold, one in each env: its parts, its width between the pads, and its height, m."""
PULL = 2.0
"""N"""
PHYSICS_STEPS = 8
"""In a control step."""


def digest(array):
    """A short name of an array's exact bytes."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


def embodiment(name):
    """An embodiment that ships."""
    return Embodiment.from_config(yaml.safe_load((EMBODIMENTS / f"{name}.yaml").read_text()))


UPRIGHT, ON_ITS_SIDE = (0.0, 0.0, 0.0, 1.0), (-(0.5**0.5), 0.0, 0.0, 0.5**0.5)
"""Quaternions x, y, z, w; what lies on its side has its top towards +y."""


def put(env, name, env_id, position, turn=UPRIGHT):
    """Put something somewhere in the env's frame, at rest."""
    pose = torch.tensor([[*position, *turn]], dtype=torch.float32, device=env.device)
    pose[:, :3] += env.scene.env_origins[env_id]
    which = torch.tensor([env_id], device=env.device)
    env.scene[name].write_root_pose_to_sim_index(root_pose=pose, env_ids=which)
    env.scene[name].write_root_velocity_to_sim_index(root_velocity=torch.zeros_like(pose[:, :6]), env_ids=which)


def place(env, name, env_id):
    """Where something is, m in the env's frame."""
    position = env.scene[name].data.root_pos_w.torch[env_id] - env.scene.env_origins[env_id]
    return position.tolist()


def linkage_error(env):
    """How far the linkage's joints are off what the driven joint says, rad, the worst of all envs."""
    robot = env.scene["robot"]
    angles = dict(zip(robot.joint_names, robot.data.joint_pos.torch.T, strict=True))
    return max(
        float((angles[joint] - factor * angles[FINGER_JOINT]).abs().max()) for joint, factor in FOLLOWERS.items()
    )


def with_held_things():
    """Config of three envs, in which everything of ``HELD`` lies beside the table."""
    cfg = DroidTableEnvCfg()
    cfg.scene.num_envs = 3
    for index, (name, (parts, *_)) in enumerate(HELD.items()):
        body = RigidObjectCfg(
            prim_path="{ENV_REGEX_NS}/Held" + name.title(),
            spawn=sim_utils.UsdFileCfg(usd_path=str(thing_usd(f"held_{name}", parts, 0.15))),
            init_state=RigidObjectCfg.InitialStateCfg(pos=(-1.0 - 0.2 * index, 0.5, -0.8)),
        )
        setattr(cfg.scene, name, body)
    return cfg


def holding(env, steps=1):
    """How far what the gripper holds is pulled within 5 s, and how far the linkage is off before that and meanwhile.

    Steps of the env make 1/15 s.
    """
    robot = env.scene["robot"]
    (flange,), _ = robot.find_bodies("panda_link8")
    closed = torch.full((env.num_envs, 1), 0.8, device=env.device)
    action = torch.cat([robot.data.default_joint_pos.torch[:, :7], closed], dim=1)
    names = list(HELD)

    def play(errors):
        for _ in range(steps):
            env.step(action)
            errors.append(linkage_error(env))

    closing, pulled = [], []
    for step in range(25):
        if step < 14:
            for env_id, (name, (_, width, height)) in enumerate(HELD.items()):
                x, y, z = (
                    robot.data.body_link_pose_w.torch[env_id, flange, :3] - env.scene.env_origins[env_id]
                ).tolist()
                put(env, name, env_id, (x, y, z - pad_height(finger_angle(width)) - height / 2))
        play(closing)
    begun = [place(env, name, env_id) for env_id, name in enumerate(names)]
    for name in names:
        forces = torch.zeros(env.num_envs, 1, 3, device=env.device)
        forces[..., 2] = -PULL
        composer = env.scene[name].permanent_wrench_composer
        composer.set_forces_and_torques_index(forces=forces, torques=torch.zeros_like(forces), is_global=True)
    for _ in range(75):
        play(pulled)
    ended = [place(env, name, env_id) for env_id, name in enumerate(names)]
    angles = robot.data.joint_pos.torch[:, robot.joint_names.index(FINGER_JOINT)].tolist()
    slipped = [float(np.linalg.norm(np.subtract(a, b))) for a, b in zip(begun, ended, strict=True)]
    told = {"angles": angles, "closing": max(closing), "linkage": max(pulled)}
    return {"slipped": dict(zip(names, slipped, strict=True))} | told


def seen(made):
    """What a policy of N1.7 is shown, of three envs of which two begin from the same seed, and what the joints do."""
    chosen = embodiment("oxe_droid_relative_eef_relative_joint")
    check_env(IsaacLabEnv(made), chosen)
    wrapped = Gr00tObservationWrapper(made, chosen, delta_indices={"video": (-15, 0), "state": (0,)})
    env = Gr00tActionWrapper(wrapped, chosen, execution=15, horizon=40)
    observation, _ = env.reset(
        options={"env_ids": [0, 1, 2], "seeds": [7, 8, 7], "instructions": ["put the red mug on the plate"] * 3}
    )
    things = ("red_mug", "blue_mug", "plate", "bowl")
    begun = {name: [place(made.unwrapped, name, env_id) for env_id in range(3)] for name in things}
    pictures = {key: pictures.copy() for key, pictures in observation["video"].items()}
    state = {key: values[:, 0].tolist() for key, values in observation["state"].items()}
    chunk = {
        "joint_position": np.repeat(observation["state"]["joint_position"], 40, axis=1),
        "gripper_position": np.full((3, 40, 1), 0.9, np.float32),
    }
    chunk["joint_position"][1, :, 0] += 0.2
    after, *_ = env.step(chunk)
    return pictures, {
        "begun": begun,
        "state": state,
        "after": {key: values[:, 0].tolist() for key, values in after["state"].items()},
        "digests": [[digest(pictures[key][env_id]) for key in pictures] for env_id in range(3)],
        "past": [digest(after["video"][key][0, 0]) == digest(pictures[key][0, 1]) for key in pictures],
        "moved": [digest(after["video"][key][1, 1]) != digest(pictures[key][1, 1]) for key in pictures],
    }


def succeeded(made):
    """What is told of things that are carried by hand: the red mug in env 0, the wrong one in env 1."""
    env = made.unwrapped
    tool = [0.36, 0.0, 0.49 - TOOL_POINT[2]]
    action = torch.cat([env.scene["robot"].data.default_joint_pos.torch[:, :7], torch.zeros(3, 1)], dim=1)

    def told():
        terms = env.obs_buf["progress"]
        return {name: values[:2].tolist() for name, values in terms.items()}

    episode_context(env).instructions[1] = "put the blue mug in the bowl"
    env.reset(seed=3)
    facts = {"begun": told()}
    for env_id in (0, 1):
        put(env, "red_mug", env_id, (tool[0], tool[1], tool[2] - 0.042))
    env.step(action)
    facts["carried"] = told()
    x, y, z = place(env, "plate", 0)
    put(env, "red_mug", 0, (x, y, z + 0.009))
    done = None
    for step in range(1, 15):
        env.step(action)
        if done is None and bool(env.termination_manager.get_term("success")[0]):
            done = step
            break
        facts["placed"] = told()
    other = bool(env.termination_manager.get_term("success")[1])
    x, y, z = place(env, "plate", 0)  # the next episode has begun
    put(env, "red_mug", 0, (x, y - 0.07, z + 0.04), ON_ITS_SIDE)
    env.step(action)
    facts["lying"] = told()
    put(env, "red_mug", 0, (x, y + 0.03, z + 0.04), ON_ITS_SIDE)
    env.step(action)
    facts["lying_off"] = told()
    return facts | {"success_after": done, "other": other}


def by_velocity(env):
    """Where DROID's joint velocities put the arm's targets, and where it goes, rad (3, 7), in two control steps."""
    term = DroidJointVelocityAction(JointVelocityActionsCfg().arm_action, env)
    joints = env.scene["robot"].data.joint_pos
    velocities = torch.tensor([[1.0, 0, 0, 0, 0, 0, 0], [2.0, 0, 0, 0, 0, 0, -1.0], [0.0] * 7])
    env.reset(seed=3)
    facts = {"beyond": [], "moved": []}
    for _ in range(2):
        before = joints.torch[:, :7].clone()
        term.process_actions(velocities)
        facts["beyond"].append((term.processed_actions - before).tolist())
        env.step(torch.cat([term.processed_actions, torch.zeros(3, 1)], dim=1))
        facts["moved"].append((joints.torch[:, :7] - before).tolist())
    return facts


def main(path):
    """Gather the facts."""
    cfg = with_held_things()
    with launch_simulation(cfg, {"device": "cpu", "livestream": 0}):
        made = gym.make("Isaac-Groot-Droid-Table-v0", cfg=cfg)
        assert mdp._things(made.unwrapped) == ("red_mug", "blue_mug", "plate", "bowl")
        pictures, facts = seen(made)
        np.savez(Path(path).with_suffix(".npz"), **pictures)
        facts["success"] = succeeded(made)
        facts["velocity"] = by_velocity(made.unwrapped)
        made.unwrapped.reset(seed=3)
        facts["holding"] = holding(made.unwrapped)
        Path(path).write_text(json.dumps(facts))
        made.close()


if __name__ == "__main__":
    main(sys.argv[1])
