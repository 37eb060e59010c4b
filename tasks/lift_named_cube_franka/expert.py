"""``NamedCubeExpert``, the lift's scripted policy for two cubes: it takes the one that the instruction names."""

from typing import Any

import numpy as np

from groot_wrappers.modality import check_observation
from tasks.lift_cube_franka.expert import LiftCubeExpert

from .layout import named_cube

__all__ = ["NamedCubeExpert"]


class NamedCubeExpert(LiftCubeExpert):
    """Policy that lifts the red or the blue cube of ``Isaac-Groot-Lift-Named-Cube-Franka-v0``, as the text says.

    Observation and action are those of ``LiftCubeExpert``, which looks for red. With the channels of a picture swapped,
    the blue cube is the red one. Where the text names no cube, or both, there is none to see, and the arm holds still.
    """

    def get_action(
        self, observation: dict[str, Any], options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Plan one chunk for each row of the observation, as ``LiftCubeExpert`` does.

        Raises:
            ContractError: The observation is not as ``get_modality_config`` asks.
        """
        check_observation(observation, self.get_modality_config())
        named = [named_cube(text) for [text] in observation["language"]["task"]]
        video = {
            key: np.stack([_named_as_red(row, colour) for row, colour in zip(pictures, named, strict=True)])
            for key, pictures in observation["video"].items()
        }
        return super().get_action({**observation, "video": video}, options)


def _named_as_red(pictures: np.ndarray, colour: str | None) -> np.ndarray:
    """Pictures (..., 3) in which only the cube of that colour is red; black ones for None."""
    if colour is None:
        return np.zeros_like(pictures)
    return pictures if colour == "red" else pictures[..., ::-1]
