"""How fast the lift goes on a GPU: ``python -m tests.verify.time_on_gpu FILE NUM_ENVS``, on its machine.

Two 224 x 224 cameras are delivered to the host once a beat of ``EXECUTION`` control steps. Rates are control steps a
second over all envs: of a naive loop, which fetches pictures by ``.cpu()`` or into page-locked memory; through the
wrappers while no episode ends; through the wrappers while episodes of about 130 steps end at random, counting only
steps inside of episodes; and with a policy server in the loop that takes as long as a GR00T model. One simulation a
process, so that each number of envs is a run of its own.
"""

import json
import multiprocessing
import sys
import time
from pathlib import Path

import gymnasium as gym
import numpy as np
import torch
from isaaclab.app import launch_simulation
from isaaclab.managers import ManagerTermBase
from isaaclab.managers import TerminationTermCfg as DoneTerm

import tasks  # noqa: F401, registers the ids
from groot_wrappers import Gr00tActionWrapper, Gr00tObservationWrapper, PolicyClient
from groot_wrappers.embodiment.embodiment import Embodiment
from groot_wrappers.modality import ModalityConfig
from groot_wrappers.protocol.server import PolicyServer
from runners.servers.latency_policy import LatencyPolicy
from tasks.lift_cube_franka import geometry
from tasks.lift_cube_franka.env_cfg import LiftCubeFrankaEnvCfg

EXECUTION = 16
EPISODE_STEPS = (100, 160)
"""Shortest and longest episode; each length between them is as likely."""
BASE_MS, PER_OBSERVATION_MS = 190, 18
"""Of GR00T N1.6 on one H100."""
CAMERAS = ("wrist_camera", "scene_camera")


class EndsAtRandom(ManagerTermBase):
    """Termination term: an episode is over after a length that is drawn as it begins; never while ``off``."""

    off = True

    def __init__(self, cfg, env):
        super().__init__(cfg, env)
        self._lengths = torch.randint(*EPISODE_STEPS, (env.num_envs,), device=env.device)

    def reset(self, env_ids=None):
        ids = slice(None) if env_ids is None else env_ids
        self._lengths[ids] = torch.randint(*EPISODE_STEPS, self._lengths[ids].shape, device=self.device)

    def __call__(self, env):
        over = env.episode_length_buf >= self._lengths
        return torch.zeros_like(over) if EndsAtRandom.off else over


class StaysPolicy:
    """Answers with the joints' present positions."""

    def get_modality_config(self):
        return {
            "video": ModalityConfig((0,), CAMERAS),
            "state": ModalityConfig((0,), ("joint_positions",)),
            "action": ModalityConfig(tuple(range(EXECUTION)), ("joint_positions",)),
            "language": ModalityConfig((0,), ("task",)),
        }

    def get_action(self, observation, options=None):
        return {"joint_positions": observation["state"]["joint_positions"].repeat(EXECUTION, axis=1)}, {}

    def reset(self, options=None):
        return {}


def serve(ports):
    """Serve StaysPolicy behind the delay of a model, in a process of its own."""
    with PolicyServer(LatencyPolicy(StaysPolicy(), BASE_MS, PER_OBSERVATION_MS), port=0) as server:
        ports.put(server.port)
        server.serve_forever()


def settle():
    """Wait for what the GPU still has to do."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def by_cpu(env):
    """Return a function that fetches both cameras' frames as anybody would."""
    return lambda: [env.scene[camera].data.output["rgb"].torch.cpu().numpy() for camera in CAMERAS]


def by_page_locked_memory(env):
    """Return a function that fetches both cameras' frames as fast as the bus goes."""
    shape = (env.num_envs, *env.scene[CAMERAS[0]].image_shape, 3)
    into = [torch.empty(shape, dtype=torch.uint8, pin_memory=torch.cuda.is_available()) for _ in CAMERAS]

    def fetch():
        for frames, camera in zip(into, CAMERAS, strict=True):
            frames.copy_(env.scene[camera].data.output["rgb"].torch, non_blocking=True)
        settle()

    return fetch


def naive(env, beats, fetch=None, every=EXECUTION):
    """Step the bare env, and fetch both cameras' frames on every ``every``-th step."""
    action = torch.tensor(geometry.START_JOINTS, device=env.device).repeat(env.num_envs, 1)
    settle()
    begun = time.perf_counter()
    for step in range(beats * EXECUTION):
        env.step(action)
        if fetch is not None and step % every == every - 1:
            fetch()
    settle()
    return beats * EXECUTION * env.num_envs / (time.perf_counter() - begun)


def through_wrappers(env, beats, ask=None):
    """Play beats; envs that are parked begin their next episode on the next beat. Returns steps inside episodes a s."""
    chunk = {"joint_positions": np.tile(np.float32(geometry.START_JOINTS), (env.num_envs, EXECUTION, 1))}
    seeds = iter(range(10**9))
    settle()
    begun, steps = time.perf_counter(), 0
    waiting = list(range(env.num_envs))
    for _ in range(beats):
        if waiting:
            observation, _ = env.reset(options={"env_ids": waiting, "seeds": [next(seeds) for _ in waiting]})
        if ask is None:
            observation["video"], observation["state"]
        else:
            chunk, _ = ask(observation)
        observation, *_, info = env.step(chunk)
        steps += int(info["steps"].sum())
        waiting = env.parked.nonzero().flatten().tolist()
    settle()
    return steps / (time.perf_counter() - begun)


def host_copy(env, repeats=20):
    """GB/s at which both cameras' frames, drawn already, come to the host."""
    frames = {camera: env.unwrapped.scene[camera].data.output["rgb"].torch for camera in CAMERAS}
    copy = env.get_wrapper_attr("_copy_to_host")["video"]

    def read(key):
        return frames[key].unsqueeze(1)

    taken = []
    for _ in range(repeats):
        settle()
        begun = time.perf_counter()
        copied = copy(read)
        taken.append(time.perf_counter() - begun)
    assert all((copied[camera][:, 0] == frames[camera].cpu().numpy()).all() for camera in CAMERAS)
    return sum(array.nbytes for array in copied.values()) / float(np.median(taken)) / 1e9


def beats_for(num_envs):
    """Beats that take a few seconds."""
    return 20 if num_envs < 1024 else 30


def measure(num_envs, device):
    """Return every figure for one number of envs."""
    cfg = LiftCubeFrankaEnvCfg()
    cfg.scene.num_envs, cfg.sim.device, cfg.episode_length_s = num_envs, device, 1e6
    cfg.terminations.at_random = DoneTerm(func=EndsAtRandom)
    with launch_simulation(cfg, {"device": device, "livestream": 0}):
        made = gym.make("Isaac-Groot-Lift-Cube-Franka-v0", cfg=cfg)
        embodiment = Embodiment.from_env_cfg(cfg)
        observed = Gr00tObservationWrapper(made, embodiment, instruction="pick up the cube")
        env = Gr00tActionWrapper(observed, embodiment, EXECUTION)
        env.reset(seed=0)
        bare, beats = made.unwrapped, beats_for(num_envs)
        naive(bare, 2, by_cpu(bare))  # compiles, allocates
        facts = {
            "card": torch.cuda.get_device_name() if device.startswith("cuda") else device,
            "envs": num_envs,
            "no camera": naive(bare, beats),
            "naive, every step": naive(bare, 2, by_cpu(bare), every=1),
            "naive, every beat": naive(bare, beats // 2, by_cpu(bare)),
            "naive, every beat, page-locked": naive(bare, beats, by_page_locked_memory(bare)),
        }
        through_wrappers(env, 3)
        facts["no episode ends"] = through_wrappers(env, beats)
        facts["copy to host, GB/s"] = host_copy(env)
        EndsAtRandom.off = False
        through_wrappers(env, 12)  # envs come out of step
        facts["episodes end at random"] = through_wrappers(env, 2 * beats)
        EndsAtRandom.off = True
        context = multiprocessing.get_context("spawn")
        ports = context.Queue()
        server = context.Process(target=serve, args=(ports,), daemon=True)
        server.start()
        with PolicyClient(port=ports.get(timeout=120), timeout_s=120) as client:
            facts["policy in the loop"] = through_wrappers(env, 2 if num_envs > 256 else 3, client.get_action)
        server.kill()
        made.close()
    return facts


def main(path, num_envs, device="cuda:0"):
    """Append a line of figures to a file."""
    begun = time.monotonic()
    facts = measure(int(num_envs), device)
    facts["wall_s"] = time.monotonic() - begun
    print(json.dumps(facts, indent=1), flush=True)
    with Path(path).open("a") as file:
        file.write(json.dumps(facts) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
