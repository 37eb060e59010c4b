"""Gr00tEnv: IsaacLab's manager-based env, without Python between physics steps where kernels do all that is due."""

from isaaclab.actuators import ImplicitActuator
from isaaclab.envs import ManagerBasedRLEnv
from isaaclab.envs.mdp import JointPositionAction
from isaaclab.managers import ActionTerm

from tasks.common.newton_replay import PhysicsStepTerm

__all__ = ["Gr00tEnv"]


class Gr00tEnv(ManagerBasedRLEnv):
    """Takes a control step's physics steps in one call, where joint targets stand and the solver drives the joints.

    Targets stand too where an action term renews them at each physics step by kernels of its own (``PhysicsStepTerm``).
    On a GPU a control step's time is else that of launching small kernels from Python, four times over.
    """

    def load_managers(self) -> None:
        """Load the managers; called by IsaacLab when scene and physics are there."""
        super().load_managers()
        manager = self.sim.physics_manager
        for term in self._action_terms():
            if isinstance(term, PhysicsStepTerm):
                manager.add_physics_step_term(term)
        step_whole = getattr(manager, "step_whole_control_steps", None)
        if step_whole is not None and self._targets_stand():
            step_whole()
            self._physics_handles_decimation = True

    def _action_terms(self) -> list[ActionTerm]:
        return [self.action_manager.get_term(name) for name in self.action_manager.active_terms]

    def _targets_stand(self) -> bool:
        """Whether no action term and no actuator computes anything in Python between two physics steps."""
        robots = self.scene.articulations.values()
        return all(
            type(term) is JointPositionAction or isinstance(term, PhysicsStepTerm) for term in self._action_terms()
        ) and all(isinstance(actuator, ImplicitActuator) for robot in robots for actuator in robot.actuators.values())
