"""An articulation's joints as arrays of Newton's own state and control, for kernels to read and write."""

from typing import Any

import mujoco
import warp as wp
from isaaclab.assets import Articulation
from isaaclab.envs import ManagerBasedEnv

from groot_wrappers.errors import ContractError

__all__ = ["Joints"]


class Joints:
    """The joints of ``robot`` in Newton's order; the arrays are (num_envs, joints), float32.

    Attributes:
        names: Of the joints.
        position: rad or m.
        velocity: rad/s or m/s.
        effort: What is given to the joints beside their drives, N m or N.
        target: Where the drives would have the joints, rad or m.
        model: The env's, as the solver has it.

    Raises:
        ContractError: It is not Newton that simulates.
    """

    def __init__(self, env: ManagerBasedEnv, robot: Articulation, who: str) -> None:
        manager = env.sim.physics_manager
        if not hasattr(manager, "mujoco_model"):
            raise ContractError(
                f"{who} works within Newton's physics steps, but {manager} takes them. Set sim=newton, "
                "and let the env's physics be run by tasks.common.newton_replay.NewtonReplaySolverCfg"
            )
        state, control, view = manager.get_state_0(), manager.get_control(), robot.root_view
        self.names: list[str] = list(view.joint_dof_names)
        self.position: wp.array[Any] = view.get_attribute("joint_q", state)[:, 0]
        self.velocity: wp.array[Any] = view.get_attribute("joint_qd", state)[:, 0]
        self.effort: wp.array[Any] = view.get_attribute("joint_f", control)[:, 0]
        self.target: wp.array[Any] = view.get_attribute("joint_target_q", control)[:, 0]
        self.model: mujoco.MjModel = manager.mujoco_model()

    def column(self, name: str) -> int:
        """Return the place of a joint in the arrays.

        Raises:
            ContractError: There is no such joint.
        """
        if name not in self.names:
            raise ContractError(f"the robot has no joint {name!r}; it has {self.names}")
        return self.names.index(name)
