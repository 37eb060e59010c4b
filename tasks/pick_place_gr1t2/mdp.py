"""What the humanoid's pick and place adds to IsaacLab.

``FollowerJointsActionCfg`` bends the outer finger joints along with the inner ones; ``Placed`` is the success term;
``above_zone``, ``in_zone``, ``let_go`` and ``way_to_zone`` tell how far an episode has come.
"""

import math
from collections.abc import Sequence

import torch
from isaaclab.envs import ManagerBasedEnv, ManagerBasedRLEnv
from isaaclab.managers import ActionTerm, ActionTermCfg, ManagerTermBase, SceneEntityCfg, TerminationTermCfg
from isaaclab.utils import configclass

from tasks.common.stages import aside_of, hand_gap, height_of

__all__ = [
    "FollowerJointsAction",
    "FollowerJointsActionCfg",
    "Placed",
    "above_zone",
    "in_zone",
    "let_go",
    "way_to_zone",
]

ON_TABLE = 0.015
"""What stands on the table is no more than this off its resting height, m."""


class FollowerJointsAction(ActionTerm):
    """Gives each follower the position target of its leader; it takes no numbers of the action itself.

    It must come after the terms that move the leaders.
    """

    cfg: "FollowerJointsActionCfg"

    def __init__(self, cfg: "FollowerJointsActionCfg", env: ManagerBasedEnv):
        super().__init__(cfg, env)
        self._follower_ids, _ = self._asset.find_joints(list(cfg.followers), preserve_order=True)
        leaders = list(cfg.followers.values())
        self._leader_ids = [self._asset.find_joints(leader)[0][0] for leader in leaders]
        self._nothing = torch.zeros((self.num_envs, 0), device=self.device)

    @property
    def action_dim(self) -> int:
        """Always 0."""
        return 0

    @property
    def raw_actions(self) -> torch.Tensor:
        """Always (num_envs, 0)."""
        return self._nothing

    @property
    def processed_actions(self) -> torch.Tensor:
        """Always (num_envs, 0)."""
        return self._nothing

    def process_actions(self, actions: torch.Tensor) -> None:
        """There is nothing to process."""

    def apply_actions(self) -> None:
        """Pass the leaders' targets on."""
        targets = self._asset.data.joint_pos_target.torch[:, self._leader_ids]
        self._asset.set_joint_position_target_index(target=targets, joint_ids=self._follower_ids)


@configclass
class FollowerJointsActionCfg(ActionTermCfg):
    """Config of :class:`FollowerJointsAction`."""

    class_type: type[ActionTerm] = FollowerJointsAction

    followers: dict[str, str] = {}  # noqa: RUF012 - configclass copies mutable defaults for each instance
    """Joint -> the joint whose target it takes; names, not patterns."""


class Placed(ManagerTermBase):
    """True once an object that had been lifted stands in a zone, at rest and let go, for some time without a break.

    Params of the term:
        asset_cfg: The rigid object; its resting height is that of its initial state in the config.
        hands_cfg: The robot and the bodies of its hands' roots.
        centre: Of the zone, (x, y), metres in the env's frame.
        half_side: The object's origin must be this near to the centre, in x and in y.
        lift: Metres above its resting height that the object must once have been.
        let_go: Metres from the object's origin at which a hand no longer holds it.
        duration: Seconds that it must stand there; counted in whole control steps, rounded up.
    """

    max_speed, max_turning = 0.03, 0.3
    """What is at rest: m/s, rad/s."""

    def __init__(self, cfg: TerminationTermCfg, env: ManagerBasedRLEnv):
        super().__init__(cfg, env)
        self._steps = torch.zeros(env.num_envs, dtype=torch.int32, device=env.device)
        self._was_lifted = torch.zeros(env.num_envs, dtype=torch.bool, device=env.device)

    def reset(self, env_ids: Sequence[int] | torch.Tensor | slice | None = None) -> None:
        """Forget what happened in the given envs; the termination manager calls this on every reset."""
        env_ids = slice(None) if env_ids is None else env_ids
        self._steps[env_ids] = 0
        self._was_lifted[env_ids] = False

    def __call__(
        self,
        env: ManagerBasedRLEnv,
        *,
        asset_cfg: SceneEntityCfg,
        hands_cfg: SceneEntityCfg,
        centre: tuple[float, float],
        half_side: float,
        lift: float,
        let_go: float,
        duration: float,
    ) -> torch.Tensor:
        """Count one control step and say which envs have succeeded, bool (num_envs,)."""
        self._was_lifted |= height_of(env, asset_cfg) >= lift
        velocity = env.scene[asset_cfg.name].data.root_vel_w.torch
        stands = (
            self._was_lifted
            & in_zone(env, asset_cfg, centre, half_side)
            & (velocity[:, :3].norm(dim=1) <= self.max_speed)
            & (velocity[:, 3:].norm(dim=1) <= self.max_turning)
            & (hand_gap(env, asset_cfg, hands_cfg) >= let_go)
        )
        self._steps = torch.where(stands, self._steps + 1, 0)
        # The small allowance keeps 0.5 s at 20 Hz at 10 steps in the face of floating point.
        return self._steps >= math.ceil(duration / env.step_dt - 1e-6)


def above_zone(
    env: ManagerBasedEnv, *, asset_cfg: SceneEntityCfg, centre: tuple[float, float], half_side: float, height: float
) -> torch.Tensor:
    """Whether an object is over the zone, at that height or more, bool (num_envs,); params as of ``Placed``."""
    return (aside_of(env, asset_cfg, centre) <= half_side) & (height_of(env, asset_cfg) >= height)


def in_zone(
    env: ManagerBasedEnv, asset_cfg: SceneEntityCfg, centre: tuple[float, float], half_side: float
) -> torch.Tensor:
    """Whether an object stands in the zone, bool (num_envs,); params as of ``Placed``."""
    return (aside_of(env, asset_cfg, centre) <= half_side) & (height_of(env, asset_cfg).abs() <= ON_TABLE)


def let_go(
    env: ManagerBasedEnv,
    *,
    asset_cfg: SceneEntityCfg,
    hands_cfg: SceneEntityCfg,
    centre: tuple[float, float],
    half_side: float,
    away: float,
) -> torch.Tensor:
    """Whether an object stands in the zone with no hand within ``away`` metres of it, bool (num_envs,)."""
    return in_zone(env, asset_cfg, centre, half_side) & (hand_gap(env, asset_cfg, hands_cfg) >= away)


def way_to_zone(
    env: ManagerBasedEnv,
    *,
    asset_cfg: SceneEntityCfg,
    hands_cfg: SceneEntityCfg,
    centre: tuple[float, float],
    half_side: float,
    away: float,
) -> torch.Tensor:
    """What is left of the way, m, (num_envs,).

    Beside the zone: the nearest hand's way to where it can hold the object (``away`` from its origin), and the
    object's way aside; over it: the way down, and the hand's way back to there.
    """
    gap, aside = hand_gap(env, asset_cfg, hands_cfg), aside_of(env, asset_cfg, centre) - half_side
    down = (height_of(env, asset_cfg).abs() - ON_TABLE).clamp_min(0)
    return torch.where(aside > 0, aside + (gap - away).clamp_min(0), down + (away - gap).clamp_min(0))
