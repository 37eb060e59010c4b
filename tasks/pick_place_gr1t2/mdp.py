"""What the humanoid's pick and place adds to IsaacLab.

``FollowerJointsActionCfg`` bends the outer finger joints along with the inner ones; ``Placed`` is the success term.
"""

import math
from collections.abc import Sequence

import torch
from isaaclab.envs import ManagerBasedEnv, ManagerBasedRLEnv
from isaaclab.managers import ActionTerm, ActionTermCfg, ManagerTermBase, SceneEntityCfg, TerminationTermCfg
from isaaclab.utils import configclass

__all__ = ["FollowerJointsAction", "FollowerJointsActionCfg", "Placed"]


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

    max_height, max_speed, max_turning = 0.015, 0.03, 0.3
    """What is at rest: metres off the resting height, m/s, rad/s."""

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
        data = env.scene[asset_cfg.name].data
        position = data.root_pos_w.torch - env.scene.env_origins
        height = position[:, 2] - data.default_root_pose.torch[:, 2]
        self._was_lifted |= height >= lift
        aside = (position[:, :2] - torch.tensor(centre, device=env.device)).abs().amax(dim=1)
        velocity = data.root_vel_w.torch
        hands = env.scene[hands_cfg.name].data.body_pos_w.torch[:, hands_cfg.body_ids] - env.scene.env_origins[:, None]
        reach = (hands - position[:, None]).norm(dim=2).amin(dim=1)
        stands = (
            self._was_lifted
            & (aside <= half_side)
            & (height.abs() <= self.max_height)
            & (velocity[:, :3].norm(dim=1) <= self.max_speed)
            & (velocity[:, 3:].norm(dim=1) <= self.max_turning)
            & (reach >= let_go)
        )
        self._steps = torch.where(stands, self._steps + 1, 0)
        # The small allowance keeps 0.5 s at 20 Hz at 10 steps in the face of floating point.
        return self._steps >= math.ceil(duration / env.step_dt - 1e-6)
