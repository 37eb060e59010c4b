"""Where a simulator cannot start, or the disk fails under it: an error that a person can mend, past the launcher."""

import contextlib
import errno
import os
import sys
from types import SimpleNamespace

import gymnasium as gym
import pytest

from groot_wrappers.errors import ContractError
from runners.simulation.simulated_env import simulated_env

SETTINGS = {"num_envs": 1, "episode_steps": 5, "device": "cpu", "seed": 0}


@pytest.fixture
def simulate(monkeypatch):
    """Start an env that fails where it is told to; ``seen`` holds what went through IsaacLab's launcher."""
    seen = []

    @contextlib.contextmanager
    def launch_simulation(cfg, arguments):
        try:
            yield
        except Exception as error:  # of which IsaacLab prints the traceback
            seen.append(error)
            raise

    monkeypatch.setitem(sys.modules, "isaaclab.app", SimpleNamespace(launch_simulation=launch_simulation))

    def run(on_make=None, on_step=None):
        def make(env_id, cfg):
            if on_make:
                raise on_make
            return SimpleNamespace(close=lambda: None)

        monkeypatch.setattr(gym, "make", make)
        cfg = SimpleNamespace(scene=SimpleNamespace(), sim=SimpleNamespace(dt=0.1), decimation=1)
        with simulated_env("Toy-v0", cfg, **SETTINGS):
            if on_step:
                raise on_step

    run.seen = seen
    return run


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EROFS, "Read-only file system", "/anywhere"),
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EACCES, "Permission denied", os.path.expanduser("~/.cache/warp/1.17.0/wp_newton")),
        OSError(errno.ENOENT, "No such file or directory", os.path.expanduser("~/.cache/gr00t-isaaclab")),
    ],
)
@pytest.mark.parametrize("when", ["on_make", "on_step"])
def test_disk_or_cache_that_fails_is_told_as_that_past_the_launcher(simulate, error, when, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("WARP_CACHE_PATH", raising=False)
    with pytest.raises(OSError, match=error.strerror) as raised:
        simulate(**{when: error})
    assert raised.value is error
    assert simulate.seen == []


@pytest.mark.parametrize(
    "error", [FileNotFoundError(2, "no such file", "/assets/robot.usd"), ValueError("no such joint")]
)
def test_env_that_cannot_be_made_is_told_with_what_may_be_missing(simulate, error):
    with pytest.raises(ContractError, match=r"(?s)Toy-v0 could not be made: .*no such.*ISAACSIM_ASSET_ROOT"):
        simulate(on_make=error)
    assert simulate.seen == []
