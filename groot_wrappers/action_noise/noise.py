"""ActionNoise: adds to what is played what each episode draws from a generator of its own."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from groot_wrappers.action_noise.ranges import action_ranges
from groot_wrappers.embodiment.embodiment import Embodiment
from groot_wrappers.embodiment.isaaclab_env import IsaacLabEnv
from groot_wrappers.embodiment.rotations import compose

__all__ = ["ActionNoise"]

_STREAM = 0x6E6F6973
"""Beside an episode's seed, so that the noise is no other draw that the same seed decides."""


class ActionNoise:
    """Adds normal noise to the env's action, anew on each control step.

    What an episode draws comes from its seed and the number of the control step in it alone, so that it is the same for
    any ``num_envs``, and when the episode is played again. Nothing is pushed beyond the limits that are known; an
    action that lies beyond them itself is played as it is.

    Args:
        share: Standard deviation, as a share of how far each number reaches.
        env: The env.
        embodiment: Its ``action`` fits the env.

    Raises:
        ContractError: It is not known how far a key reaches (see :func:`action_ranges`).
    """

    def __init__(self, share: float, env: IsaacLabEnv, embodiment: Embodiment) -> None:
        numbers, self._poses = action_ranges(env, embodiment)
        self._share, self._device = share, env.device
        self._spread = torch.zeros(env.action_dim)
        self._lowest, self._highest = (torch.full((env.action_dim,), bound) for bound in (-np.inf, np.inf))
        for each in numbers:
            self._spread[each.column] = share * each.width
            self._lowest[each.column], self._highest[each.column] = each.lowest, each.highest
        self._spread, self._lowest, self._highest = (
            values.to(env.device) for values in (self._spread, self._lowest, self._highest)
        )
        self._generators = [np.random.default_rng() for _ in range(env.num_envs)]

    def begin(self, env_ids: Sequence[int], seeds: Sequence[int] | None) -> None:
        """Know of envs that begin an episode.

        Args:
            env_ids: The envs.
            seeds: Of their episodes; None for episodes without, whose noise nobody can repeat.
        """
        for position, env_id in enumerate(env_ids):
            entropy = None if seeds is None else [int(seeds[position]), _STREAM]
            self._generators[env_id] = np.random.default_rng(entropy)

    def added_to(self, action: torch.Tensor, playing: np.ndarray[Any, Any]) -> torch.Tensor:
        """Return what is played in place of an action on one control step.

        Args:
            action: float32 (num_envs, action_dim), on the env's device.
            playing: bool (num_envs,), the envs whose episode goes on; others draw nothing.
        """
        draws = np.zeros(tuple(action.shape), np.float32)
        for env_id in np.flatnonzero(playing).tolist():
            draws[env_id] = self._generators[env_id].standard_normal(action.shape[1], np.float32)
        drawn = torch.as_tensor(draws, device=self._device)
        noisy = action + drawn * self._spread
        noisy = torch.clamp(noisy, torch.minimum(action, self._lowest), torch.maximum(action, self._highest))
        for pose in self._poses:
            columns = list(pose.columns)
            moved = _small_pose(drawn[:, columns[:6]], self._share * pose.metres, self._share * pose.radians)
            noisy[:, columns] = pose.term.to_env(compose(pose.term.from_env(action[:, columns]), moved))
        return noisy


def _small_pose(drawn: torch.Tensor, metres: float, radians: float) -> torch.Tensor:
    """Return small motions (..., 7) along and about the body's own axes, of normal draws (..., 6)."""
    turned = torch.cat([drawn[..., 3:] * (radians / 2), torch.ones_like(drawn[..., :1])], dim=-1)
    turned = turned / torch.linalg.vector_norm(turned, dim=-1, keepdim=True)
    return torch.cat([drawn[..., :3] * metres, turned], dim=-1)
