"""Gr00tEnv: IsaacLab's manager-based env, without Python between physics steps where kernels do all that is due."""

from collections.abc import Sequence
from typing import Any

from isaaclab.actuators import ImplicitActuator
from isaaclab.envs import ManagerBasedRLEnv
from isaaclab.envs.mdp import JointPositionAction
from isaaclab.managers import ActionTerm

from groot_wrappers.episode_context import episode_context
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

    def reset(
        self, seed: int | None = None, env_ids: Sequence[int] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Reset some envs or all; terms find ``places`` of the options, env index to place, in ``EpisodeContext``."""
        places = episode_context(self).places
        places.update((options or {}).get("places", {}))
        try:
            return super().reset(seed=seed, env_ids=env_ids, options=options)
        finally:
            places.clear()

    def _action_terms(self) -> list[ActionTerm]:
        return [self.action_manager.get_term(name) for name in self.action_manager.active_terms]

    def _targets_stand(self) -> bool:
        """Whether no action term and no actuator computes anything in Python between two physics steps."""
        robots = self.scene.articulations.values()
        return all(
            type(term) is JointPositionAction or isinstance(term, PhysicsStepTerm) for term in self._action_terms()
        ) and all(isinstance(actuator, ImplicitActuator) for robot in robots for actuator in robot.actuators.values())
