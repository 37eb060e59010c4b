"""What several tasks tell of their progress: an object reached, held and dropped, a table touched, the way left.

These are terms of the observation group ``progress`` (``Gr00tProgressCfg``) and what such terms are made of. They look
at poses alone, so they mean the same for any solver, hand and embodiment: who closes the fingers on nothing holds
nothing, and what is off its resting place beside a hand is held.

A hand is a body named by ``hands_cfg`` and a point ``offset`` in its frame, m; of several hands the nearest counts. An
object's height is that of its origin above where it rests, by its initial state in the config.
"""

from collections.abc import Callable, Hashable
from functools import cache
from typing import TypeVar

import torch
from isaaclab.envs import ManagerBasedEnv
from isaaclab.managers import ManagerTermBase, ObservationTermCfg, SceneEntityCfg
from isaaclab.utils.math import quat_apply

__all__ = [
    "Dropped",
    "aside_of",
    "at_this_moment",
    "hand_gap",
    "height_of",
    "held",
    "reached",
    "touched",
    "way_to_lift",
]

T = TypeVar("T")

Point = tuple[float, float, float]

ORIGIN: Point = (0.0, 0.0, 0.0)

_KEPT = "_gr00t_this_moment"
"""Attribute of an env: since when, and what is known of that moment by what was asked."""


def height_of(env: ManagerBasedEnv, asset_cfg: SceneEntityCfg) -> torch.Tensor:
    """Height of an object above where it rests, m, (num_envs,)."""
    data = env.scene[asset_cfg.name].data
    resting = data.default_root_pose.torch[:, 2] + env.scene.env_origins[:, 2]
    height: torch.Tensor = data.root_pos_w.torch[:, 2] - resting
    return height


def at_this_moment(env: ManagerBasedEnv, asked: Hashable, compute: Callable[[], T]) -> T:
    """Return what ``compute`` gives, once for all who ask for the same at the same moment.

    It is kept until the env steps on or resets: both write the lengths of the episodes, and PyTorch counts what is
    written into a tensor.
    """
    lengths = getattr(env, "episode_length_buf", None)
    if lengths is None or lengths.is_inference():  # which PyTorch does not count
        return compute()
    moment = lengths.data_ptr(), lengths._version
    since, known = vars(env).get(_KEPT, (None, {}))
    if since != moment:
        known = {}
        setattr(env, _KEPT, (moment, known))
    if asked not in known:
        known[asked] = compute()
    kept: T = known[asked]
    return kept


def hand_gap(
    env: ManagerBasedEnv, asset_cfg: SceneEntityCfg, hands_cfg: SceneEntityCfg, offset: Point = ORIGIN
) -> torch.Tensor:
    """Distance of an object's origin from the nearest hand, m, (num_envs,)."""
    asked = "hand_gap", asset_cfg.name, hands_cfg.name, str(hands_cfg.body_ids), offset
    return at_this_moment(env, asked, lambda: _hand_gap(env, asset_cfg, hands_cfg, offset))


def aside_of(env: ManagerBasedEnv, asset_cfg: SceneEntityCfg, centre: tuple[float, float]) -> torch.Tensor:
    """How far an object is aside of a place (x, y) of the env's frame, in x or y, whichever is more; m, (num_envs,)."""
    position = env.scene[asset_cfg.name].data.root_pos_w.torch - env.scene.env_origins
    return (position[:, :2] - _vector(centre, str(env.device))).abs().amax(dim=1)


def reached(
    env: ManagerBasedEnv,
    *,
    asset_cfg: SceneEntityCfg,
    hands_cfg: SceneEntityCfg,
    within: float,
    offset: Point = ORIGIN,
) -> torch.Tensor:
    """Whether a hand is within some metres of an object, bool (num_envs,)."""
    return hand_gap(env, asset_cfg, hands_cfg, offset) <= within


def held(
    env: ManagerBasedEnv,
    *,
    asset_cfg: SceneEntityCfg,
    hands_cfg: SceneEntityCfg,
    within: float,
    height: float,
    offset: Point = ORIGIN,
) -> torch.Tensor:
    """Whether an object is at that height or more, with a hand within some metres, bool (num_envs,).

    A height of more than what a push tips it up by tells a grip, before it lifts anything worth the name.
    """
    return (hand_gap(env, asset_cfg, hands_cfg, offset) <= within) & (height_of(env, asset_cfg) >= height)


def touched(
    env: ManagerBasedEnv, *, bodies_cfg: SceneEntityCfg, table_height: float, margin: float, offset: Point = ORIGIN
) -> torch.Tensor:
    """Whether one of some bodies' points is at a table's top, bool (num_envs,).

    Heights are compared, since a sensor of contacts costs every control step, and under Newton what presses on a table
    sinks into it by some millimetres. The points must lie on the bodies' ends, and over the table alone: what is beside
    it and lower counts too.

    Args:
        env: The env.
        bodies_cfg: The bodies.
        table_height: Of the top, in the env's frame, m.
        margin: What is no higher above the top than this touches it, m.
        offset: The point in each body's frame, m.
    """
    heights = _points(env, bodies_cfg, offset)[..., 2] - env.scene.env_origins[:, None, 2]
    return (heights <= table_height + margin).any(dim=1)


def way_to_lift(
    env: ManagerBasedEnv,
    *,
    asset_cfg: SceneEntityCfg,
    hands_cfg: SceneEntityCfg,
    within: float,
    height: float,
    offset: Point = ORIGIN,
) -> torch.Tensor:
    """What is left of a lift, m, (num_envs,): the hand's way to the object, and the object's way up; see ``held``."""
    way = (hand_gap(env, asset_cfg, hands_cfg, offset) - within).clamp_min(0)
    return way + (height - height_of(env, asset_cfg)).clamp_min(0)


class Dropped(ManagerTermBase):
    """True while an object that had been held (``held``) is in no hand, and not where it may be let go.

    Whether it fell or was put down there makes no difference.

    Params of the term:
        asset_cfg, hands_cfg, within, height, offset: As ``held`` takes them.
        centre: Of the place where it may be let go, (x, y), m in the env's frame; None where there is no such place.
        half_side: How far its origin may be from there, in x and in y, m.
    """

    def __init__(self, cfg: ObservationTermCfg, env: ManagerBasedEnv):
        super().__init__(cfg, env)
        self._was_held = torch.zeros(env.num_envs, dtype=torch.bool, device=env.device)

    def reset(self, env_ids: torch.Tensor | slice | None = None) -> None:
        """Forget what was held in the given envs; the observation manager calls this on every reset."""
        self._was_held[slice(None) if env_ids is None else env_ids] = False

    def __call__(
        self,
        env: ManagerBasedEnv,
        *,
        asset_cfg: SceneEntityCfg,
        hands_cfg: SceneEntityCfg,
        within: float,
        height: float,
        offset: Point = ORIGIN,
        centre: tuple[float, float] | None = None,
        half_side: float = 0.0,
    ) -> torch.Tensor:
        """Look at one moment, bool (num_envs,)."""
        in_hand = hand_gap(env, asset_cfg, hands_cfg, offset) <= within
        self._was_held |= in_hand & (height_of(env, asset_cfg) >= height)
        dropped = self._was_held & ~in_hand
        return dropped if centre is None else dropped & (aside_of(env, asset_cfg, centre) > half_side)


def _hand_gap(
    env: ManagerBasedEnv, asset_cfg: SceneEntityCfg, hands_cfg: SceneEntityCfg, offset: Point
) -> torch.Tensor:
    gaps = _points(env, hands_cfg, offset) - env.scene[asset_cfg.name].data.root_pos_w.torch[:, None]
    return torch.linalg.vector_norm(gaps, dim=2).amin(dim=1)


@cache
def _vector(point: tuple[float, ...], device: str) -> torch.Tensor:
    return torch.tensor(point, device=device)


def _points(env: ManagerBasedEnv, bodies_cfg: SceneEntityCfg, offset: Point) -> torch.Tensor:
    """The point of each body, m in the world's frame, (num_envs, bodies, 3)."""
    data = env.scene[bodies_cfg.name].data
    position: torch.Tensor = data.body_pos_w.torch[:, bodies_cfg.body_ids]
    if offset == ORIGIN:
        return position
    turned = data.body_quat_w.torch[:, bodies_cfg.body_ids]
    return position + quat_apply(turned, _vector(offset, str(env.device)).expand_as(position))
