"""The simulated env of a bench.

* ``bench_env``: a task's env, started and closed with the block.
* ``DrawnLengthWrapper``: episodes whose lengths are known before they are played.
* ``drawn_length``: how long an episode is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from omegaconf import DictConfig, OmegaConf

from groot_wrappers import Embodiment, Gr00tActionWrapper
from runners.simulation.env_cfg import chosen_embodiment, load_env_cfg
from runners.simulation.simulated_env import simulated_env

__all__ = ["DrawnLengthWrapper", "bench_env", "drawn_length"]

LONGEST = 100_000
"""Longest episode, in control steps: none ends by itself while it is measured."""


@contextmanager
def bench_env(config: DictConfig, num_envs: int) -> Iterator[tuple[gym.Env[Any, Any], Embodiment, str]]:
    """Start a task's env; yield it, its embodiment and its instruction.

    Args:
        config: ``conf/bench.yaml``.
        num_envs: Envs side by side.

    Raises:
        ContractError: As a run of the task is refused.
    """
    plain: Any = OmegaConf.to_container(config, resolve=True, enum_to_str=True)
    env_cfg = load_env_cfg(plain["task"], OmegaConf.to_object(config.sim))  # type: ignore[arg-type]
    embodiment = chosen_embodiment(Embodiment.from_config(plain["embodiment"]), env_cfg)
    with simulated_env(
        plain["task"]["id"],
        env_cfg,
        num_envs=num_envs,
        episode_steps=LONGEST,
        device=config.sim.device,
        seed=config.seed,
    ) as env:
        yield env, embodiment, getattr(env_cfg, "instruction", None) or ""


def drawn_length(seed: int, shortest: int, longest: int) -> int:
    """Return the control steps of the episode of a seed."""
    return int(np.random.default_rng(seed).integers(shortest, longest, endpoint=True))


class DrawnLengthWrapper(Gr00tActionWrapper):
    """Plays episodes that end by the env's own time limit, after a number of control steps drawn from their seed.

    So a plan takes the same control steps whoever plays it, as long as nothing else ends an episode before.

    Args:
        env: As of :class:`Gr00tActionWrapper`; its time limit must be at least ``longest``.
        embodiment: As there.
        shortest: Fewest control steps of an episode.
        longest: Most.
        **settings: The others of that class.
    """

    def __init__(
        self, env: gym.Env[Any, Any], embodiment: Embodiment, *, shortest: int, longest: int, **settings: Any
    ) -> None:
        super().__init__(env, embodiment, **settings)
        self._range = shortest, longest

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin episodes; ``options`` must hold ``env_ids`` and ``seeds``."""
        observation, info = super().reset(seed=seed, options=options)
        given = options or {}
        env: Any = self.unwrapped
        lengths = [drawn_length(each, *self._range) for each in given["seeds"]]
        env_ids = torch.as_tensor(given["env_ids"], device=self.device)
        left = torch.as_tensor(lengths, device=self.device, dtype=env.episode_length_buf.dtype)
        env.episode_length_buf[env_ids] = int(env.max_episode_length) - left
        return observation, info
