"""Gr00tEnv: IsaacLab's manager-based env, without Python between physics steps where nothing is to be done there."""

from isaaclab.actuators import ImplicitActuator
from isaaclab.envs import ManagerBasedRLEnv
from isaaclab.envs.mdp import JointPositionAction

__all__ = ["Gr00tEnv"]


class Gr00tEnv(ManagerBasedRLEnv):
    """Takes a control step's physics steps in one call, where joint targets stand and the solver drives the joints.

    On a GPU a control step's time is else that of launching small kernels from Python, four times over.
    """

    def load_managers(self) -> None:
        """Load the managers; called by IsaacLab when scene and physics are there."""
        super().load_managers()
        step_whole = getattr(self.sim.physics_manager, "step_whole_control_steps", None)
        if step_whole is not None and self._targets_stand():
            step_whole()
            self._physics_handles_decimation = True

    def _targets_stand(self) -> bool:
        """Whether no action term and no actuator computes anything between two physics steps."""
        terms = [self.action_manager.get_term(name) for name in self.action_manager.active_terms]
        robots = self.scene.articulations.values()
        return all(type(term) is JointPositionAction for term in terms) and all(
            isinstance(actuator, ImplicitActuator) for robot in robots for actuator in robot.actuators.values()
        )
