"""What ends a lift: ``HeldAbove``, the success term."""

import math

import torch
from isaaclab.envs import ManagerBasedRLEnv
from isaaclab.managers import ManagerTermBase, SceneEntityCfg, TerminationTermCfg

from tasks.common.stages import height_of

__all__ = ["HeldAbove"]


class HeldAbove(ManagerTermBase):
    """True once an object has been some height above its resting place for some time without a break.

    Params of the term:
        asset_cfg: The rigid object; its resting height is that of its initial state in the config.
        height: Metres above the resting height that its origin must reach.
        duration: Seconds that it must stay there; counted in whole control steps, rounded up.
    """

    def __init__(self, cfg: TerminationTermCfg, env: ManagerBasedRLEnv):
        super().__init__(cfg, env)
        self._steps = torch.zeros(env.num_envs, dtype=torch.int32, device=env.device)

    def reset(self, env_ids: torch.Tensor | slice | None = None) -> None:
        """Forget the steps counted in the given envs; the termination manager calls this on every reset."""
        self._steps[slice(None) if env_ids is None else env_ids] = 0

    def __call__(
        self, env: ManagerBasedRLEnv, asset_cfg: SceneEntityCfg, height: float, duration: float
    ) -> torch.Tensor:
        """Count one control step and say which envs have succeeded, bool (num_envs,)."""
        self._steps = torch.where(height_of(env, asset_cfg) >= height, self._steps + 1, 0)
        # The small allowance keeps 0.5 s at 30 Hz at 15 steps in the face of floating point.
        return self._steps >= math.ceil(duration / env.step_dt - 1e-6)
