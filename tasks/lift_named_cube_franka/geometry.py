"""The two cubes: their colours, where they start, and which of them an instruction names. No simulator."""

import re

from tasks.lift_cube_franka.geometry import CUBE_START, CUBE_START_RANGE

__all__ = ["COLOURS", "CUBE_STARTS", "named_cube"]

COLOURS = ("red", "blue")

CUBE_STARTS: dict[str, tuple[float, float]] = {
    "x": (CUBE_START[0] + CUBE_START_RANGE["x"][0], CUBE_START[0] + CUBE_START_RANGE["x"][1]),
    "y": (0.07, CUBE_START_RANGE["y"][1]),
    "yaw": CUBE_START_RANGE["yaw"],
}
"""Drawn uniformly for each cube, in the robot's base frame, m and rad. One has its y as drawn, the other the opposite:
so an open hand fits between them, and in the scene camera's picture neither hides the other."""


def named_cube(instruction: str) -> str | None:
    """Return the colour of the one cube that an instruction names; None where it names none, or both."""
    named = [colour for colour in COLOURS if re.search(rf"\b{colour}\b", instruction, re.IGNORECASE)]
    return named[0] if len(named) == 1 else None
