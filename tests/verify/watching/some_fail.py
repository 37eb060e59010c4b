"""``OpenHandedAtTheRight``, an expert that fails where the cube lies at the right: nothing but the policy decides."""

from tasks.lift_cube_franka.expert.joint_expert import LiftCubeExpert
from tasks.lift_cube_franka.geometry import START_JOINTS


class OpenHandedAtTheRight(LiftCubeExpert):
    """The lift's expert, whose fingers stay open while the arm points to the right, where half of the cubes lie."""

    def plan(self, images, states, instruction):
        """Plan ``joint_positions`` (16, 9)."""
        planned = super().plan(images, states, instruction)
        if states["joint_positions"][0] < 0:
            planned["joint_positions"][:, 7:] = START_JOINTS[7:]
        return planned
