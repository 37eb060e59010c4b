"""Draws of reset terms that depend on the episode's seed alone, for any number of envs that are reset together.

* ``uses_episode_generators``: marks a reset term that draws by ``uniform`` alone.
* ``uniform``: numbers within ranges, a row an env.
* ``reset_root_pose``: reset term that puts something anew within a range about its initial pose.

Where all reset terms of an env are so marked, one call resets any number of envs, each from its own seed; otherwise
``Gr00tObservationWrapper`` resets them one by one, which takes 5 to 8 ms each.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import torch
from isaaclab.envs import ManagerBasedEnv
from isaaclab.managers import SceneEntityCfg
from isaaclab.utils.math import quat_from_euler_xyz, quat_mul

from groot_wrappers.episode_context import episode_context

__all__ = ["reset_root_pose", "uniform", "uses_episode_generators"]

T = TypeVar("T")

_AXES = ("x", "y", "z", "roll", "pitch", "yaw")


def uses_episode_generators(term: T) -> T:
    """Mark a reset term, a function or the class of one, that draws by ``uniform`` alone, or not at all."""
    term.uses_episode_generators = True  # type: ignore[attr-defined]  # a function takes any
    return term


def uniform(env: ManagerBasedEnv, env_ids: torch.Tensor | slice, ranges: Sequence[tuple[float, float]]) -> torch.Tensor:
    """Draw numbers within ranges, float32 (envs, ranges), on the env's device.

    The row of an env that begins a planned episode comes from its generator in the env's ``EpisodeContext``, which
    ``Gr00tObservationWrapper`` gives it; others are drawn from torch's, as by IsaacLab's terms. All are drawn on the
    CPU, so that a seed means the same start on any device.

    Args:
        env: The env.
        env_ids: The envs that are reset.
        ranges: Lowest and highest of each number.
    """
    ids = torch.arange(env.num_envs)[env_ids].tolist() if isinstance(env_ids, slice) else env_ids.tolist()
    generators = episode_context(env).generators
    drawn = torch.stack([torch.rand(len(ranges), generator=generators.get(env_id)) for env_id in ids])
    low, high = torch.tensor(ranges).unbind(-1)
    return (drawn * (high - low) + low).to(env.device)


@uses_episode_generators
def reset_root_pose(
    env: ManagerBasedEnv,
    env_ids: torch.Tensor | slice,
    pose_range: Mapping[str, tuple[float, float]],
    asset_cfg: SceneEntityCfg,
) -> None:
    """Reset term: an asset at rest, anew within a range about its initial pose.

    It is IsaacLab's ``reset_root_state_uniform`` with draws by ``uniform``.

    Args:
        env: The env.
        env_ids: The envs that are reset.
        pose_range: Of x, y, z (m) and roll, pitch, yaw (rad) those that are drawn.
        asset_cfg: The asset.
    """
    asset = env.scene[asset_cfg.name]
    drawn = uniform(env, env_ids, [pose_range.get(axis, (0.0, 0.0)) for axis in _AXES])
    pose = asset.data.default_root_pose.torch[env_ids]
    position = pose[:, :3] + env.scene.env_origins[env_ids] + drawn[:, :3]
    orientation = quat_mul(pose[:, 3:], quat_from_euler_xyz(*drawn[:, 3:].unbind(-1)))
    asset.write_root_pose_to_sim_index(root_pose=torch.cat([position, orientation], dim=-1), env_ids=env_ids)
    velocity = asset.data.default_root_vel.torch[env_ids]
    asset.write_root_velocity_to_sim_index(root_velocity=velocity, env_ids=env_ids)
