"""The gripper of robosuite's Panda as an IsaacLab action term: fingers that are told to go slowly, or to stay."""

from collections.abc import Sequence
from typing import Any

import torch
import warp as wp
from isaaclab.envs import ManagerBasedEnv
from isaaclab.managers import ActionTerm, ActionTermCfg
from isaaclab.utils import configclass

from tasks.libero.control.joints import Joints
from tasks.libero.control.kernels import move_fingers

__all__ = ["SlowGripperAction", "SlowGripperActionCfg"]


class SlowGripperAction(ActionTerm):
    """One number an env, float32 (num_envs, 1): above 0 the fingers go apart, below 0 together, at 0 they stay.

    Their targets go at one speed, physics step by physics step, between closed (0) and open. A reset has them half
    open, as robosuite's own, or open, as LIBERO's wait leaves them, whichever the fingers are nearer to. The sign is of
    IsaacLab's own grippers, not robosuite's.
    """

    cfg: "SlowGripperActionCfg"

    def __init__(self, cfg: "SlowGripperActionCfg", env: ManagerBasedEnv) -> None:
        super().__init__(cfg, env)
        joints = Joints(env, self._asset, f"action {type(self).__name__}")
        self._target, self._step = joints.target, cfg.speed * env.physics_dt
        columns = [joints.column(name) for name in cfg.opened]
        self._finger = wp.to_torch(joints.position)[:, columns[0]]
        self._wide = next(iter(cfg.opened.values()))
        self._columns: wp.array[Any] = wp.array(columns, dtype=wp.int32, device=self.device)
        self._opened: wp.array[Any] = wp.array(list(cfg.opened.values()), dtype=wp.float32, device=self.device)
        self._raw_actions = torch.zeros(self.num_envs, 1, device=self.device)
        self._apart = torch.zeros(self.num_envs, device=self.device)

    @property
    def action_dim(self) -> int:
        """One."""
        return 1

    @property
    def raw_actions(self) -> torch.Tensor:
        """What came, (num_envs, 1)."""
        return self._raw_actions

    @property
    def processed_actions(self) -> torch.Tensor:
        """The same: its sign alone counts."""
        return self._raw_actions

    def process_actions(self, actions: torch.Tensor) -> None:
        """Take the way of the fingers for a control step, (num_envs, 1)."""
        self._raw_actions[:] = actions

    def apply_actions(self) -> None:
        """Do nothing here: the fingers move a little with each physics step."""

    def launch_physics_step(self) -> None:
        """Write the targets of a physics step (see ``PhysicsStepTerm``)."""
        inputs = [wp.from_torch(self._raw_actions[:, 0]), self._step, self._columns, self._opened]
        wp.launch(move_fingers, self.num_envs, [*inputs, wp.from_torch(self._apart), self._target], device=self.device)

    def reset(self, env_ids: Sequence[int] | slice | torch.Tensor | None = None) -> dict[str, Any]:
        """Take over where the fingers of these envs were told to be."""
        envs = slice(None) if env_ids is None else env_ids
        self._raw_actions[envs] = 0.0
        self._apart[envs] = (2.0 * self._finger[envs] / self._wide - 1.0).round().clamp(-1.0, 1.0)
        return {}


@configclass
class SlowGripperActionCfg(ActionTermCfg):
    """Fingers that the solver drives to position targets."""

    class_type: type[ActionTerm] = SlowGripperAction
    opened: dict[str, float] = {"gripper0_finger_joint1": 0.04, "gripper0_finger_joint2": -0.04}  # noqa: RUF012 - copied
    """Joint -> where it is when the gripper is open, m; at 0 it is closed."""
    speed: float = 5.0
    """How fast the targets go, half ranges a second: robosuite's 0.01 at each of 500 physics steps."""
