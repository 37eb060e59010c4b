"""Where things stand on DROID's table: start of the robot, places, cameras, linkage. Shared by environment and expert.

Plain numbers and numpy, no simulator. Lengths in metres, angles in radians; the frame is the robot's base, x forward,
y left, z up, with z = 0 on the table top.
"""

import numpy as np

from tasks.common.pinhole_camera import PinholeCamera, look_at

__all__ = [
    "CLOSED",
    "EXTERIOR_CAMERA",
    "FASTEST",
    "IMAGE_SIZE",
    "JITTER",
    "PAD_HALF",
    "PLACES",
    "START_JOINTS",
    "STEP",
    "TOOL_POINT",
    "WRIST_CAMERA",
    "finger_angle",
    "finger_opening",
    "pad_height",
]

IMAGE_SIZE = (180, 320)
"""Height and width of both pictures, pixels."""
STEP = 1 / 15
"""Seconds a control step."""
FASTEST = 0.2
"""rad that DROID's joint velocity 1 puts a joint's target beyond where the joint is, anew in each control step:
``relative_max_joint_delta`` of its ``robot_ik_solver.py``."""

START_JOINTS: tuple[float, ...] = (0.0, -np.pi / 5, 0.0, -4 * np.pi / 5, 0.0, 3 * np.pi / 5, 0.0)
"""DROID's reset pose: the gripper points down, its tips 0.34 m above the table, and opens along the base's y axis."""

PLACES = tuple((x, y) for x in (0.42, 0.60) for y in (0.24, 0.0, -0.24))
"""(x, y) of the places, of which each thing gets one at each reset."""
JITTER: dict[str, tuple[float, float]] = {"x": (-0.02, 0.02), "y": (-0.03, 0.03), "yaw": (-0.35, 0.35)}
"""Drawn uniformly about its place for each thing."""

_EXTERIOR_POSITION = (0.05, 0.57, 0.66)
EXTERIOR_CAMERA = PinholeCamera(
    position=_EXTERIOR_POSITION,
    rotation=look_at(_EXTERIOR_POSITION, target=(0.70, 0.06, 0.03), up=(0.0, 0.0, 1.0)),
    focal_length=2.1,
    image_size=IMAGE_SIZE,
    horizontal_aperture=5.376,
)
"""To the robot's left, where DROID's first outer camera often stands, with the lens of its ZED 2."""

_WRIST_POSITION = (-0.074, 0.031, 0.011)
WRIST_CAMERA = PinholeCamera(
    position=_WRIST_POSITION,
    rotation=look_at(_WRIST_POSITION, target=(0.239, 0.031, 0.961), up=(-1.0, 0.0, 0.0)),
    focal_length=2.8,
    image_size=IMAGE_SIZE,
    horizontal_aperture=5.376,
)
"""The left eye of a ZED Mini on the flange, in the frame of ``panda_link8`` (z towards the finger tips, y along the
fingers' travel). At the start it is at (0.286, -0.031, 0.479), DROID's mean of 27 million frames at (0.287, -0.029,
0.466)."""

CLOSED = 0.8
"""Angle of the gripper's driven joint at which the fingers meet; 0 is open."""
PAD_HALF = 0.0187
"""Half the height of a finger pad."""
_PIVOT, _BAR, _BAR_ANGLE = (0.0306011, 0.054904), float(np.hypot(0.0376, 0.043)), float(np.arctan2(0.043, 0.0376))
"""Of an outer knuckle: its pivot (aside, along z) in the flange's frame, and the bar from there to the inner finger."""
_PAD = (-0.0252, 0.0324)
"""Middle of the pad's face in the frame of an inner finger (aside, along z), which stays parallel to the flange's."""


def finger_opening(angle: float) -> float:
    """Distance between the pads for an angle of the driven joint: the four bars are a parallelogram."""
    return 2 * float(_PIVOT[0] + _BAR * np.cos(_BAR_ANGLE + angle) + _PAD[0])


def finger_angle(opening: float) -> float:
    """Angle of the driven joint at which the pads are so far apart."""
    return float(np.arccos((opening / 2 - _PAD[0] - _PIVOT[0]) / _BAR)) - _BAR_ANGLE


def pad_height(angle: float) -> float:
    """Distance of the middle of the pads from the flange, along its z axis, for an angle of the driven joint."""
    return float(_PIVOT[1] + _BAR * np.sin(_BAR_ANGLE + angle) + _PAD[1])


TOOL_POINT = (0.0, 0.0, pad_height(finger_angle(0.055)))
"""The point between the pads where they hold something of 55 mm, in the frame of ``panda_link8``."""
