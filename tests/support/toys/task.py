"""The toy env as a task of groot-play: ids that start in no time, with a config that IsaacLab's launcher understands.

Toy-v0 is played as fast as it goes; Toy-Slow-v0 takes a twentieth of a second a control step, for what a test does to a
run in its middle; Toy-Crashing-v0 ends its process.
"""

import math
import os
import signal
import time
from pathlib import Path

import gymnasium as gym

from runners.recorders import Recorder
from tests.support.toys.env import ToyEnv


class Section:
    """A part of a config."""


class ToyEnvCfg:
    """What ``runners.simulation.env_cfg`` and ``runners.simulation.simulated_env`` set.

    The physics makes IsaacLab's launcher go without Kit.
    """

    def __init__(self):
        from isaaclab_newton.physics import NewtonCfg

        self.scene, self.sim = Section(), Section()
        self.sim.dt, self.decimation = 0.01, 5
        self.sim.physics = NewtonCfg()


class SlowToyEnv(ToyEnv):
    """A toy env in which a control step takes its time."""

    def step(self, action):
        time.sleep(self.step_dt)
        return super().step(action)


class CrashingToyEnv(ToyEnv):
    """A toy env whose first step ends the process as a fault of the simulator would."""

    def step(self, action):
        os.kill(os.getpid(), signal.SIGSEGV)


class WhereRecorder(Recorder):
    """Writes ``where.txt`` into the folder that the process works in."""

    def on_run_start(self, run):
        Path("where.txt").write_text(str(run.folder))


def make(cfg, env_cfg_entry_point, kind=ToyEnv):
    """Build the env as IsaacLab builds its own: from a config, with the entry point among its arguments."""
    assert cfg.sim.device == "cpu"
    step_s = cfg.sim.dt * cfg.decimation
    return kind(cfg.scene.num_envs, episode_steps=math.ceil(cfg.episode_length_s / step_s))


def make_slow(**arguments):
    return make(**arguments, kind=SlowToyEnv)


def make_crashing(**arguments):
    return make(**arguments, kind=CrashingToyEnv)


for name, entry_point in {"Toy-v0": make, "Toy-Slow-v0": make_slow, "Toy-Crashing-v0": make_crashing}.items():
    gym.register(
        name, entry_point, disable_env_checker=True, kwargs={"env_cfg_entry_point": f"{__name__}:{ToyEnvCfg.__name__}"}
    )
