"""The simulated env of a run: an id that IsaacLab knows, with the config that the run asks for."""

import functools
import importlib
import importlib.util
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import gymnasium as gym

from groot_wrappers.errors import ContractError, Gr00tError

__all__ = ["simulated_env"]


@contextmanager
def simulated_env(
    task: Mapping[str, Any], *, num_envs: int, episode_steps: int, device: str, seed: int
) -> Iterator[gym.Env[Any, Any]]:
    """Start the simulator that a task's config asks for, and yield the env.

    Args:
        task: ``id``, ``import`` (the module that registers it) and, where the task has a choice, ``assets``.
        num_envs: Envs side by side.
        episode_steps: Control steps after which an episode is truncated.
        device: ``cpu`` or ``cuda:0``.
        seed: For what the env draws when it is made; episodes have seeds of their own.

    Raises:
        ContractError: IsaacLab or the task's module is missing, or no such id is registered.
    """
    env_cfg = _env_cfg(task)
    env_cfg.scene.num_envs = num_envs
    env_cfg.sim.device = device
    env_cfg.seed = seed
    step_s = env_cfg.sim.dt * env_cfg.decimation
    # IsaacLab rounds the quotient up: half a step less than the whole number gives the whole number.
    env_cfg.episode_length_s = (episode_steps - 0.5) * step_s

    from isaaclab.app import launch_simulation  # noqa: PLC0415  # known to be there only now

    for handler in logging.getLogger().handlers:
        # IsaacLab sets levels of its own on every handler; a filter keeps to the configured one.
        handler.addFilter(functools.partial(_is_at_least, handler.level))
    failure: Gr00tError | None = None
    with launch_simulation(env_cfg, {"device": device, "livestream": 0}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning, module="isaaclab")
        env = gym.make(task["id"], cfg=env_cfg)
        try:
            yield env
        except Gr00tError as error:
            failure = error  # told by its message, past the launcher, which prints a traceback of any error
        finally:
            env.close()
    if failure is not None:
        raise failure


def _is_at_least(level: int, record: logging.LogRecord) -> bool:
    return record.levelno >= level


def _env_cfg(task: Mapping[str, Any]) -> Any:
    """Import the task's module and build the env config of its id."""
    if importlib.util.find_spec("isaaclab") is None:
        raise ContractError(
            "IsaacLab is not installed here. Install it with: pip install 'gr00t-isaaclab[isaaclab]' (Python 3.12)."
        )
    try:
        importlib.import_module(task["import"])
    except ImportError as error:
        raise ContractError(
            f"task.import={task['import']} could not be imported: {error}. "
            "It names the Python module that registers task.id; is it on PYTHONPATH?"
        ) from error
    if task["id"] not in gym.registry:
        raise ContractError(
            f"task.id={task['id']} is not registered. Known with 'Groot' in the name: "
            f"{', '.join(sorted(name for name in gym.registry if 'Groot' in name)) or 'none'}. "
            "task.import=... names the module that registers it."
        )
    entry_point = gym.spec(task["id"]).kwargs["env_cfg_entry_point"]
    if isinstance(entry_point, str):
        module, name = entry_point.split(":")
        entry_point = getattr(importlib.import_module(module), name)
    if not task.get("assets"):
        return entry_point()
    try:
        return entry_point(assets=task["assets"])
    except (TypeError, ValueError) as error:
        raise ContractError(f"task.assets={task['assets']}: {error}") from error
