"""``OpenHandedExpert``, a scripted policy that fails: it reaches the cube and never grasps it."""

import numpy as np

from tasks.lift_cube_franka.expert.joint_expert import LiftCubeExpert
from tasks.lift_cube_franka.geometry import START_JOINTS

__all__ = ["OpenHandedExpert"]


class OpenHandedExpert(LiftCubeExpert):
    """The lift's expert, whose fingers stay open: it waits at the cube for a grip that never comes.

    Made to fail, so that it can be seen whether a funnel tells where.
    """

    def plan(
        self, images: dict[str, np.ndarray], states: dict[str, np.ndarray], instruction: str
    ) -> dict[str, np.ndarray]:
        """Plan ``joint_positions`` (16, 9)."""
        planned = super().plan(images, states, instruction)
        planned["joint_positions"][:, 7:] = START_JOINTS[7:]
        return planned
