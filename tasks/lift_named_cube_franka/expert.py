"""``NamedCubeExpert``, the lift's scripted policy for two cubes: it takes the one that the instruction names."""

import numpy as np

from tasks.lift_cube_franka.expert.joint_expert import LiftCubeExpert
from tasks.lift_named_cube_franka.geometry import named_cube

__all__ = ["NamedCubeExpert"]


class NamedCubeExpert(LiftCubeExpert):
    """Policy that lifts the red or the blue cube of ``Isaac-Groot-Lift-Named-Cube-Franka-v0``, as the text says.

    Observation and action are those of ``LiftCubeExpert``, which looks for red. With the channels of a picture swapped,
    the blue cube is the red one. Where the text names no cube, or both, there is none to see, and the arm holds still.
    """

    def plan(
        self, images: dict[str, np.ndarray], states: dict[str, np.ndarray], instruction: str
    ) -> dict[str, np.ndarray]:
        """Plan ``joint_positions`` (16, 9)."""
        colour = named_cube(instruction)
        return super().plan({key: _named_as_red(seen, colour) for key, seen in images.items()}, states, instruction)


def _named_as_red(picture: np.ndarray, colour: str | None) -> np.ndarray:
    """A picture (H, W, 3) in which only the cube of that colour is red; a black one for None."""
    if colour is None:
        return np.zeros_like(picture)
    return picture if colour == "red" else picture[..., ::-1]
