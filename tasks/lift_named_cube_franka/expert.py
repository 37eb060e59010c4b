"""The lift's scripted policies for two cubes.

* ``NamedCubeExpert``: takes the one that the instruction names.
* ``OtherCubeExpert``: takes the other one, and so fails.
"""

import numpy as np

from tasks.lift_cube_franka.expert.joint_expert import LiftCubeExpert
from tasks.lift_named_cube_franka.geometry import COLOURS, named_cube

__all__ = ["NamedCubeExpert", "OtherCubeExpert"]


class NamedCubeExpert(LiftCubeExpert):
    """Policy that lifts the red or the blue cube of ``Isaac-Groot-Lift-Named-Cube-Franka-v0``, as the text says.

    Observation and action are those of ``LiftCubeExpert``, which looks for red. With the channels of a picture swapped,
    the blue cube is the red one. Where the text names no cube, or both, there is none to see, and the arm holds still.
    """

    def plan(
        self, images: dict[str, np.ndarray], states: dict[str, np.ndarray], instruction: str
    ) -> dict[str, np.ndarray]:
        """Plan ``joint_positions`` (16, 9)."""
        colour = self.chosen(instruction)
        return super().plan({key: _named_as_red(seen, colour) for key, seen in images.items()}, states, instruction)

    def chosen(self, instruction: str) -> str | None:
        """Return the colour of the cube to take, None for none."""
        return named_cube(instruction)


class OtherCubeExpert(NamedCubeExpert):
    """The same, who takes the cube that is not named. Made to fail, so that it can be seen whether events tell how."""

    def chosen(self, instruction: str) -> str | None:
        """Return the colour of the cube to take, None for none."""
        named = named_cube(instruction)
        return next((colour for colour in COLOURS if named not in (None, colour)), None)


def _named_as_red(picture: np.ndarray, colour: str | None) -> np.ndarray:
    """A picture (H, W, 3) in which only the cube of that colour is red; a black one for None."""
    if colour is None:
        return np.zeros_like(picture)
    return picture if colour == "red" else picture[..., ::-1]
