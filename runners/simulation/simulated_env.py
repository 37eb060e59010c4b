"""The simulated env of a run: started, and closed with the block."""

import functools
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gymnasium as gym

from groot_wrappers.errors import ContractError, Gr00tError
from runners.utils.remedies import cache_remedy, disk_failed

__all__ = ["simulated_env"]

logger = logging.getLogger(__name__)


@contextmanager
def simulated_env(
    env_id: str, env_cfg: Any, *, num_envs: int, episode_steps: int, device: str, seed: int
) -> Iterator[gym.Env[Any, Any]]:
    """Start the simulator that an env's config asks for, and yield the env.

    Args:
        env_id: Gym id.
        env_cfg: Its config, which is changed by what follows.
        num_envs: Envs side by side.
        episode_steps: Control steps after which an episode is truncated.
        device: ``cpu`` or ``cuda:0``.
        seed: For what the env draws when it is made; episodes have seeds of their own.

    Raises:
        ContractError: The env cannot be made.
    """
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
    failure: Exception | None = None
    with launch_simulation(env_cfg, {"device": device, "livestream": 0}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning, module="isaaclab")
        try:
            env = gym.make(env_id, cfg=env_cfg)
        except Exception as error:  # whatever an env of anybody's raises
            logger.info("%s could not be made", env_id, exc_info=True)
            if disk_failed(error) or cache_remedy(error):
                failure = error  # which its own message tells, with what mends it
            else:
                failure = ContractError(
                    f"The env {env_id} could not be made: {type(error).__name__}: {error}\n"
                    "The traceback is in groot-play.log of a run's folder; groot-inspect prints it with "
                    "hydra.verbose=true. Where an asset is missing: NVIDIA's come over the network, "
                    "ISAACSIM_ASSET_ROOT=<folder> names a local copy, and task.env changes or leaves out what needs "
                    "one (+task.env.scene.ground=null)."
                )
        else:
            try:
                yield env
            except (Gr00tError, OSError) as error:
                failure = error  # told by its message, past the launcher, which prints a traceback of any error
            finally:
                env.close()
    if failure is not None:
        raise failure


def _is_at_least(level: int, record: logging.LogRecord) -> bool:
    return record.levelno >= level
