"""robosuite 1.4's OSC_POSE as an IsaacLab action term, run by a kernel at each physics step."""

from collections.abc import Sequence
from typing import Any

import torch
import warp as wp
from isaaclab.envs import ManagerBasedEnv
from isaaclab.managers import ActionTerm, ActionTermCfg
from isaaclab.utils import configclass

from tasks.libero.control.arm_model import PANDA, arm_model, links_of
from tasks.libero.control.joints import Joints
from tasks.libero.control.kernels import Quat, Vec3, aim, control, read_tool

__all__ = ["OscPoseAction", "OscPoseActionCfg"]

REACH = (0.05,) * 3 + (0.5,) * 3  # the largest change of a control step: m, rad


class OscPoseAction(ActionTerm):
    """Changes of the tool's pose, float32 (num_envs, 6), played by torques: m, and axis times angle in rad.

    A change counts from where the tool is when the control step begins, along the axes of the world, and is clipped to
    0.05 m and 0.5 rad a number. A change without rotation leaves the goal of rotation where it was. That of a new
    episode is where robosuite's own reset has the arm, wherever a published start then puts it, and the arm would
    rather be in that posture ever after. The goal of position is not kept from there: LIBERO's evaluations wait for ten
    control steps after such a start, each of which sets it anew.
    """

    cfg: "OscPoseActionCfg"

    def __init__(self, cfg: "OscPoseActionCfg", env: ManagerBasedEnv) -> None:
        super().__init__(cfg, env)
        joints = Joints(env, self._asset, f"action {type(self).__name__}")
        origin = env.scene.env_origins[0].tolist()
        self._arm = arm_model(joints.model, joints.names, PANDA, origin, self.device)
        self._links = links_of(self._arm, self.num_envs, self.device)
        self._q, self._qd, self._effort = joints.position, joints.velocity, joints.effort
        rest = torch.zeros(self.num_envs, len(joints.names), device=self.device)
        rest[:, [joints.column(name) for name in PANDA.joints]] = torch.tensor(PANDA.rest, device=self.device)
        self._rest = wp.from_torch(rest)
        self._raw_actions = torch.zeros(self.num_envs, 6, device=self.device)
        self._changes = torch.zeros_like(self._raw_actions)
        self._reach = torch.tensor(REACH, device=self.device)
        self._fresh = torch.ones(self.num_envs, dtype=torch.int32, device=self.device)
        self._goals = self._zeros(Vec3), self._zeros(Quat)
        self._pose = self._zeros(wp.vec3), self._zeros(wp.quat)

    @property
    def action_dim(self) -> int:
        """Six."""
        return len(REACH)

    @property
    def raw_actions(self) -> torch.Tensor:
        """What came, (num_envs, 6)."""
        return self._raw_actions

    @property
    def processed_actions(self) -> torch.Tensor:
        """The same, clipped."""
        return self._changes

    def tool_pose(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return where the tool's point is in its env, float32 (num_envs, 3), m, and the hand's quaternion.

        The quaternion (num_envs, 4), x y z w, has robosuite's sign, which goes on with the joints: its w may be
        negative.
        """
        wp.launch(read_tool, self.num_envs, [self._arm, self._q, self._links, *self._pose], device=self.device)
        position, rotation = self._pose
        return wp.to_torch(position), wp.to_torch(rotation)

    def process_actions(self, actions: torch.Tensor) -> None:
        """Set the goals of a control step from ``actions`` (num_envs, 6)."""
        self._raw_actions[:] = actions
        self._changes[:] = actions.clamp(-self._reach, self._reach)
        inputs = [self._arm, self._q, self._rest, wp.from_torch(self._changes), self._links, wp.from_torch(self._fresh)]
        wp.launch(aim, self.num_envs, [*inputs, *self._goals], device=self.device)

    def apply_actions(self) -> None:
        """Do nothing here: the torques are those of each physics step."""

    def launch_physics_step(self) -> None:
        """Write the torques of a physics step (see ``PhysicsStepTerm``)."""
        inputs = [self._arm, self._q, self._qd, self._links, *self._goals]
        wp.launch(control, self.num_envs, [*inputs, self._effort], device=self.device)

    def reset(self, env_ids: Sequence[int] | slice | torch.Tensor | None = None) -> dict[str, Any]:
        """Have the goal of rotation of these envs where robosuite's own reset has the arm."""
        envs = slice(None) if env_ids is None else env_ids
        self._fresh[envs] = 1
        self._raw_actions[envs] = 0.0
        self._changes[envs] = 0.0
        return {}

    def _zeros(self, dtype: type) -> wp.array[Any]:
        return wp.zeros(self.num_envs, dtype=dtype, device=self.device)


@configclass
class OscPoseActionCfg(ActionTermCfg):
    """robosuite's controller of its Panda, whose arm's actuators take torques (stiffness and damping 0)."""

    class_type: type[ActionTerm] = OscPoseAction
