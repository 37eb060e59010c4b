"""Run the real lift in this process and write what happened as JSON: ``python -m ... NUM_ENVS FILE``.

One simulation a process, so each number of envs is a run of its own; `test_env.py` compares them.
"""

import hashlib
import json
import sys
import time
from collections import Counter
from pathlib import Path

import gymnasium as gym
import msgspec
import numpy as np
import torch
import yaml
from isaaclab.app import launch_simulation
from isaaclab_newton.renderers import NewtonWarpRenderer

import tasks  # noqa: F401, registers the ids
from groot_wrappers import Gr00tActionWrapper, Gr00tObservationWrapper
from groot_wrappers.embodiment.embodiment import Embodiment
from groot_wrappers.embodiment.env_checks import check_env
from groot_wrappers.embodiment.isaaclab_env import IsaacLabEnv
from groot_wrappers.embodiment.matching import match_embodiment
from groot_wrappers.errors import ContractError
from runners.again.action_log import ActionLog
from runners.again.comparison import compare_again
from runners.again.kept_client import KeptClient
from runners.episodes.episode_log import EpisodeLog
from runners.episodes.plan import make_plan
from runners.experiment.wrapped_env import wrapped_env
from runners.recorders.recorder import RunInfo
from runners.rollout.rollout import Rollout
from runners.run_folder.manifest import write_manifest
from tasks.common.newton_replay import NewtonReplayManager
from tasks.gr00t_env_cfg import eef_pose, joint_velocities
from tasks.lift_cube_franka.env_cfg import LiftCubeFrankaEnvCfg
from tasks.lift_cube_franka.expert.joint_expert import LiftCubeExpert
from tasks.lift_cube_franka.expert.open_handed import OpenHandedExpert
from tests.verify.support.perturbed_policies import Mirrored

SEEDS = (7, 8, 9, 10)
CAMERAS = ("scene_camera", "wrist_camera")
EPISODE_STEPS = 120
EMBODIMENTS = Path(__file__).parents[3] / "conf" / "embodiment"


def digest(array):
    """A short name of an array's exact bytes."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


class Lift:
    """The env with what the facts below are read from."""

    def __init__(self, env):
        self.env = env
        self.cube, self.robot = env.scene["object"], env.scene["robot"]
        self.start_joints = self.robot.data.default_joint_pos.torch.clone()

    def reset(self, env_id, seed):
        self.env.reset(seed=seed, env_ids=torch.tensor([env_id]))

    def state(self, env_id):
        """Exact pose and speed of cube and joints of an env, in the env's frame."""
        pose = self.cube.data.root_link_pose_w.torch[env_id].clone()
        pose[:3] -= self.env.scene.env_origins[env_id]
        parts = [pose, self.cube.data.root_link_vel_w.torch[env_id]]
        parts += [self.robot.data.joint_pos.torch[env_id], self.robot.data.joint_vel.torch[env_id]]
        return torch.cat(parts).numpy().copy()

    def picture(self, camera):
        return self.env.scene[camera].data.output["rgb"].torch.numpy().copy()

    def wave(self, steps):
        """Move every arm alike, in a way that depends on nothing."""
        for step in range(steps):
            targets = self.start_joints.clone()
            targets[:, :7] += 0.2 * np.sin(0.3 * (step + 1))
            self.env.step(targets)

    def put_cube(self, height):
        pose = self.cube.data.default_root_pose.torch.clone()
        pose[:, :3] += self.env.scene.env_origins
        pose[:, 2] += height
        self.cube.write_root_pose_to_sim_index(root_pose=pose)
        self.cube.write_root_velocity_to_sim_index(root_velocity=torch.zeros(len(pose), 6))


def starts(lift):
    """What each seed starts and moves like, in the last envs; and again after an autoreset."""
    env_ids = range(lift.env.num_envs)[-len(SEEDS) :]
    facts = {}
    for round_name in ("first", "after_autoreset"):
        for env_id, seed in zip(env_ids, SEEDS, strict=False):
            lift.reset(env_id, seed)
        begun = {seed: lift.state(env_id) for env_id, seed in zip(env_ids, SEEDS, strict=False)}
        pictures = {camera: lift.picture(camera) for camera in CAMERAS}
        lift.wave(6)
        facts[round_name] = {
            str(seed): {
                "start": digest(begun[seed]),
                "cube": begun[seed][:7].tolist(),
                "moved": digest(lift.state(env_id)),
                "pictures": [digest(pictures[camera][env_id]) for camera in CAMERAS],
            }
            for env_id, seed in zip(env_ids, SEEDS, strict=False)
        }
        lift.env.episode_length_buf[:] = lift.env.max_episode_length - 2
        lift.wave(3)
        facts[round_name]["autoreset"] = bool((lift.env.episode_length_buf < 3).all())
    return facts


def reset_in_one_call(lift, made):
    """What the seeds start and move like when one call of the wrapper resets them all, the last env first."""
    env = Gr00tObservationWrapper(made, embodiment("new_embodiment"))
    env_ids, base_reset, calls = range(lift.env.num_envs)[-len(SEEDS) :][::-1], lift.env.reset, []
    env.reset(seed=0)
    lift.env.reset = lambda **options: calls.append(options) or base_reset(**options)
    env.reset(options={"env_ids": env_ids, "seeds": SEEDS[: len(env_ids)]})
    lift.env.reset = base_reset
    begun = [digest(lift.state(env_id)) for env_id in env_ids]
    lift.wave(6)
    moved = [digest(lift.state(env_id)) for env_id in env_ids]
    return {"calls": len(calls), "start": begun, "moved": moved}


def without_replay(lift):
    """How a seed moves when IsaacLab steps Newton in its own way."""
    assert NewtonReplayManager._recorded is not None
    replay, NewtonReplayManager._replay = NewtonReplayManager._replay, lambda simulate: simulate()
    lift.reset(0, SEEDS[0])
    lift.wave(6)
    NewtonReplayManager._replay = replay
    return digest(lift.state(0))


def step_by_step(lift):
    """How a seed moves when each physics step of a control step is a call of its own."""
    assert lift.env._physics_handles_decimation
    lift.env._physics_handles_decimation = NewtonReplayManager._whole = False
    NewtonReplayManager._invalidate_graph()
    lift.reset(0, SEEDS[0])
    lift.wave(6)
    moved = digest(lift.state(0))
    lift.env._physics_handles_decimation = True
    NewtonReplayManager.step_whole_control_steps()
    return moved


def success_after(lift, heights):
    """Step at which success comes when the cube is put at these heights above its resting place, one a step."""
    for step, height in enumerate(heights, start=1):
        lift.put_cube(height)
        lift.env.step(lift.start_joints)
        if bool(lift.env.termination_manager.get_term("success")[0]):
            return step
    return None


def success_term(lift):
    """When holding the cube up succeeds. Within a control step it falls by about 5 mm."""
    facts = {}
    for name, heights in {
        "held": [0.12] * 20,
        "too_low": [0.09] * 40,
        "interrupted": [0.12] * 14 + [0.0] + [0.12] * 20,
    }.items():
        lift.reset(0, 1)
        facts[name] = success_after(lift, heights)
    lift.reset(0, 1)
    before = success_after(lift, [0.12] * 14)
    lift.reset(0, 1)
    facts["across_a_reset"] = [before, success_after(lift, [0.12] * 14)]
    return facts


def observed(lift, expert):
    """The states that the base config offers, beside the expert's own kinematics."""
    for env_id in range(lift.env.num_envs):
        lift.reset(env_id, 3)
    before = {camera: lift.picture(camera)[0].astype(int) for camera in CAMERAS}
    lift.wave(6)
    terms = {key: value[0].tolist() for key, value in lift.env.obs_buf["policy"].items()}
    position, yaw = expert._arm.hand_pose(np.array(terms["joint_positions"][:7], float))
    after = {camera: lift.picture(camera)[0].astype(int) for camera in CAMERAS}
    return {
        "terms": terms,
        "dtypes": sorted({str(value.dtype) for value in lift.env.obs_buf["policy"].values()}),
        "tool": [*position.tolist(), yaw],
        "changed_pixels": {camera: float((before[camera] != after[camera]).any(-1).mean()) for camera in CAMERAS},
        "picture_shape": list(lift.picture("scene_camera").shape),
        "action_terms": dict(
            zip(lift.env.action_manager.active_terms, lift.env.action_manager.action_term_dim, strict=True)
        ),
        "joint_names": list(lift.robot.joint_names),
    }


def lifted(lift, expert):
    """Steps in which the expert succeeds in each env, playing 8 steps of each chunk; None where it does not."""
    env = lift.env
    for env_id in range(env.num_envs):
        lift.reset(env_id, 20 + env_id)
    done = [None] * env.num_envs
    for beat in range(EPISODE_STEPS // 8):
        observation = {
            "video": {camera: lift.picture(camera)[:, None] for camera in CAMERAS},
            "state": {"joint_positions": env.obs_buf["policy"]["joint_positions"].numpy()[:, None]},
            "language": {"task": [["pick up the cube"]] * env.num_envs},
        }
        chunk = expert.get_action(observation)[0]["joint_positions"]
        for step in range(8):
            *_, terminated, _, _ = env.step(torch.from_numpy(chunk[:, step]))
            for env_id in torch.nonzero(terminated).flatten().tolist():
                done[env_id] = done[env_id] or 8 * beat + step + 1
        if all(done):
            break
    return done


def embodiment(name):
    """An embodiment that ships; what the task changes for it is left out, as this process has one env for all."""
    told = yaml.safe_load((EMBODIMENTS / f"{name}.yaml").read_text()) or {}
    for other in told.pop("defaults", []):
        told = yaml.safe_load((EMBODIMENTS / f"{other}.yaml").read_text()) | told
    return Embodiment.from_config(told)


def contracts(made):
    """What `check_env` says of each embodiment that ships; None where it fits the lift."""
    facts = {}
    for name in sorted(path.stem for path in EMBODIMENTS.glob("*.yaml")):
        chosen = embodiment(name)
        if chosen.is_empty:
            chosen = Embodiment.from_env_cfg(made.unwrapped.cfg)
        try:
            check_env(IsaacLabEnv(made), chosen)
            facts[name] = None
        except ContractError as error:
            facts[name] = str(error)
    return facts


def droid(made):
    """What a policy of oxe_droid_panda_hand sees, beat by beat of 5 steps, while the gripper closes and opens."""
    beat, keys = 5, ("exterior_image_1_left", "wrist_image_left")
    env = Gr00tObservationWrapper(
        made, embodiment("oxe_droid_panda_hand"), delta_indices={"video": (-15, 0), "state": (0,)}
    )
    env = Gr00tActionWrapper(env, embodiment("oxe_droid_panda_hand"), execution=beat, horizon=32)
    observation, _ = env.reset(seed=5)
    chunk = {"joint_position": np.repeat(observation["state"]["joint_position"], 32, axis=1)}
    fingers = made.unwrapped.scene["robot"].data.joint_pos
    facts = {"shapes": {key: list(observation["video"][key].shape) for key in keys}, "frames": [], "gripper": []}

    def look():
        video = observation["video"]
        facts["frames"].append([[digest(video[key][1, t]) for t in (0, 1)] for key in keys])
        seen = observation["state"]["gripper_position"][1, 0].tolist()
        facts["gripper"].append(seen + fingers.torch[1, 7:].tolist())

    look()
    for number in range(10):
        chunk["gripper_position"] = np.full((made.unwrapped.num_envs, 32, 1), 0.9 if number < 5 else 0.2, np.float32)
        chunk["joint_position"][:, :, 0] += 0.1
        observation, *_ = env.step(chunk)
        look()
    facts["turned"] = float(observation["state"]["joint_position"][1, 0, 0])
    observation, _ = env.reset(options={"env_ids": [1], "seeds": [6]})
    look()
    return facts


def draws(made):
    """How often each camera was drawn at the renderer's own function, beside what the wrapper counts, by who looks."""
    drawn, draw = Counter(), NewtonWarpRenderer.render

    def counted(renderer, render_data):
        drawn[id(render_data)] += 1
        draw(renderer, render_data)

    def play(delta_indices, watcher):
        drawn.clear()
        env = Gr00tObservationWrapper(made, embodiment("new_embodiment"), delta_indices=delta_indices)
        played = Gr00tActionWrapper(env, embodiment("new_embodiment"), execution=4, watcher=watcher)
        observation, _ = played.reset(seed=3)
        chunk = {"joint_positions": np.repeat(observation["state"]["joint_positions"], 4, axis=1)}
        for _ in range(3):
            _ = observation["video"]
            observation, *_ = played.step(chunk)
        return {"drawn": sorted(drawn.values()), "renders": env.renders}

    NewtonWarpRenderer.render = counted
    facts = {
        "present": play({}, None),
        "states_watched": play({}, lambda step: step.observation["state"]),
        "history": play({"video": (-2, 0)}, None),
        "full_rate": play({}, lambda step: step.observation["video"]),
    }
    NewtonWarpRenderer.render = draw
    return facts


class PolicyHere:
    """A policy of this process as a client asks it."""

    def __init__(self, policy):
        self.get_modality_config, self.policy = policy.get_modality_config, policy

    def get_action(self, observation, options=None, *, row_noise=None):
        return self.policy.get_action(observation, options)

    def reset(self, options=None):
        return {}


def played_again(made, folder):
    """Episodes of an expert that sees left as right, played again from their kept actions in another order."""
    made.unwrapped.cfg.episode_length_s = 23.5 * made.unwrapped.step_dt
    plan = make_plan(6, 0, ["pick up the cube"])
    shapes = {"action": {"joint_positions": (9,)}, "state": {"joint_positions": (9,)}}

    def play(client, plan, folder):
        folder.mkdir()
        log = ActionLog()
        log.on_run_start(RunInfo(folder=folder, config={}, fps=30.0, task="", shapes=shapes))
        modality = client.get_modality_config()
        chosen = match_embodiment(embodiment("new_embodiment"), modality, execution=8)
        _, env = wrapped_env(made, chosen, modality, execution=8, watcher=log.on_control_step)
        with EpisodeLog(folder / "episodes.jsonl") as rows:
            Rollout(env, client, plan, rows, log).play()

    play(PolicyHere(Mirrored()), plan, folder / "run")
    config = {"sim": {"device": "cpu"}, "horizons": {"execution": 8}}
    modality = Mirrored().get_modality_config()
    write_manifest(folder / "run/manifest.json", config=config, modality=modality, reset_mode="per_env")
    client = KeptClient(folder / "run", pictures=False)
    play(client, plan[::-1], folder / "again")
    return msgspec.to_builtins(compare_again(client.run, folder / "again"))


def progress(made):
    """What the episodes of three policies come to: one fails to grasp, one lets go, and one presses on the table."""
    distances = []
    env = Gr00tObservationWrapper(made, embodiment("new_embodiment"), instruction="pick up the cube")
    played = Gr00tActionWrapper(
        env,
        embodiment("new_embodiment"),
        execution=8,
        horizon=16,
        watcher=lambda step: distances.append(step.distance.tolist()),
    )

    def play(beats, policy, change=lambda beat, chunk: chunk):
        distances.clear()
        observation, _ = played.reset(seed=20)
        for beat in range(beats):
            chunk = change(beat, policy.get_action(dict(observation.items()))[0])
            observation, *_, info = played.step(chunk)
        came = info["progress"]
        told = {name: first.tolist() for name, first in (came.stages | came.events).items()}
        return told | {"distance": [distances[0], distances[-1]]}

    def let_go(beat, chunk):
        if beat >= 6:  # the cube is a few centimetres up
            chunk["joint_positions"][:, :, 7:] = 0.04
        return chunk

    def lean_forward(beat, chunk):
        chunk["joint_positions"][:] = 0.04
        chunk["joint_positions"][:, :, :7] = [0, 0.9, 0, -1.9, 0, 2.8, 0.78]
        return chunk

    return {
        "open_handed": play(6, OpenHandedExpert()),
        "lets_go": play(10, LiftCubeExpert(), let_go),
        "leans": play(4, LiftCubeExpert(), lean_forward),
    }


def main(num_envs, path):
    """Gather the facts that are asked of a run with this many envs."""
    begun = time.monotonic()
    nucleus = LiftCubeFrankaEnvCfg(assets="nucleus")
    spawn = nucleus.scene.robot.spawn
    facts = {"nucleus": [spawn.usd_path, spawn.variants, nucleus.scene.wrist_camera.prim_path]}
    cfg = LiftCubeFrankaEnvCfg()
    cfg.scene.num_envs = num_envs
    cfg.observations.policy.joint_velocities = joint_velocities(["panda_joint.*", "panda_finger_joint.*"])
    cfg.observations.policy.eef_pose = eef_pose("panda_hand")
    facts["attributes"] = {
        key: getattr(cfg, key) for key in ("camera_keys", "state_keys", "action_keys", "language_key", "instruction")
    }
    with launch_simulation(cfg, {"device": "cpu", "livestream": 0}):
        made = gym.make("Isaac-Groot-Lift-Cube-Franka-v0", cfg=cfg)
        env = made.unwrapped
        facts["start_s"] = time.monotonic() - begun
        env.reset(seed=0)
        lift, expert = Lift(env), LiftCubeExpert()
        facts["starts"] = starts(lift)
        if num_envs == 1:
            facts["without_replay"] = without_replay(lift)
            facts["step_by_step"] = step_by_step(lift)
            facts["success"] = success_term(lift)
            facts["draws"] = draws(made)
        if num_envs == 4:
            facts["observed"] = observed(lift, expert)
            facts["lifted"] = lifted(lift, expert)
            facts["contracts"] = contracts(made)
            facts["droid"] = droid(made)
            facts["progress"] = progress(made)
            facts["again"] = played_again(made, Path(path).parent)
        facts["one_call"] = reset_in_one_call(lift, made)
        facts["total_s"] = time.monotonic() - begun
        Path(path).write_text(json.dumps(facts))
        env.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
