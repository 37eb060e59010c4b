"""Where things stand in the pick and place: robot, table, wheel, zone and eyes. Shared by environment and expert.

Plain numbers and numpy, no simulator. Lengths in metres, angles in radians. The frame is that of the env, as in
IsaacLab's own pick and place of the GR1T2: the robot stands at the origin and looks along y, x is to its right, z up.
"""

import numpy as np

from tasks.common.pinhole_camera import PinholeCamera, look_at

__all__ = [
    "EYES",
    "IMAGE_SIZE",
    "ROBOT_POSITION",
    "ROBOT_QUATERNION",
    "START_ARM",
    "TABLE_HEIGHT",
    "TWO_HANDS_START",
    "TWO_HANDS_ZONE_CENTRE",
    "TWO_HANDS_ZONE_SIZE",
    "WHEEL_START",
    "WHEEL_START_RANGE",
    "ZONE_CENTRE",
    "ZONE_SIDE",
    "ZONE_THICKNESS",
]

IMAGE_SIZE = 256
"""Height and width of the picture, pixels."""

ROBOT_POSITION = (0.0, 0.0, 0.93)
"""Of the base link, the pelvis; the legs are fixed, and the base too."""
ROBOT_QUATERNION = (0.0, 0.0, float(np.sqrt(0.5)), float(np.sqrt(0.5)))
"""x, y, z, w: the robot's x axis, its forward, is the env's y axis."""

START_ARM: tuple[float, ...] = (0.5, 0.0, 0.0, -2.2, 0.0, 0.0, 0.0)
"""Start of both arms: elbows drawn back, so that the hands are clear of the wheel. All other joints start at 0."""

TABLE_HEIGHT = 0.98

WHEEL_START = (0.10, 0.46, TABLE_HEIGHT)
"""Centre of the wheel's starts; its origin is the foot of its axis."""
WHEEL_START_RANGE: dict[str, tuple[float, float]] = {
    "x": (-0.05, 0.05),
    "y": (-0.05, 0.05),
    "yaw": (-np.pi / 6, np.pi / 6),
}
"""Drawn uniformly about ``WHEEL_START`` at each reset."""

ZONE_CENTRE = (0.40, 0.46)
ZONE_SIDE = 0.28
"""The marked square that the wheel is to be placed on, to the right of its start."""

ZONE_THICKNESS = 0.002
"""As flat as paint."""

TWO_HANDS_START = (-0.45, 0.45)
TWO_HANDS_ZONE_CENTRE, TWO_HANDS_ZONE_SIZE = (0.625, 0.475), (0.45, 0.25)
"""Of the registered task: x from 0.40 to 0.85 and y from 0.35 to 0.60."""

_EYES_POSITION = (0.14, 0.0, 0.09)
EYES = PinholeCamera(
    position=_EYES_POSITION,
    rotation=look_at(_EYES_POSITION, target=(0.14 + 0.52, 0.0, 0.09 - 0.54), up=(0.0, 0.0, 1.0)),
    focal_length=9.0,
    image_size=(IMAGE_SIZE, IMAGE_SIZE),
)
"""The head camera in the frame of ``head_pitch_link`` (x forward, z up): it looks down over table and hands. The
wheel's starts lie off the middle of the picture both ways, so that no mirror image of it is a view of another start."""
