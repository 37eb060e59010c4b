"""Where things stand in the lift: cube, table, start pose and cameras. Shared by the environment and the expert.

Plain numbers and numpy, no simulator. Lengths in metres, angles in radians; the frame is the robot's base, x forward,
y left, z up, with z = 0 on the table top.
"""

import numpy as np

from tasks.common.pinhole_camera import PinholeCamera, look_at

__all__ = [
    "CUBE_SIDE",
    "CUBE_START",
    "CUBE_START_RANGE",
    "FINGER_TIP",
    "IMAGE_SIZE",
    "SCENE_CAMERA",
    "START_JOINTS",
    "TOOL_POINT",
    "WRIST_CAMERA",
]

IMAGE_SIZE = 224
"""Height and width of both images, pixels."""

CUBE_SIDE = 0.05
CUBE_START = (0.5, 0.0, CUBE_SIDE / 2)
"""Centre of the cube's starts; it rests on the table."""
CUBE_START_RANGE: dict[str, tuple[float, float]] = {
    "x": (-0.1, 0.1),
    "y": (-0.2, 0.2),
    "yaw": (-np.pi / 6, np.pi / 6),
}
"""Drawn uniformly about ``CUBE_START`` at each reset."""

START_JOINTS: tuple[float, ...] = (0.0, -0.3253, 0.0, -2.5509, 0.0, 2.2255, 0.7854, 0.04, 0.04)
"""Start of the seven arm joints (rad) and two fingers (m each, 0.04 is open): the open hand points down."""

TOOL_POINT = (0.0, 0.0, 0.1034)
"""The point between the finger tips in the frame of ``panda_hand``; the URDF's ``panda_hand_tcp``."""

FINGER_TIP = (0.0, 0.0, 0.0538)
"""The end of a finger in the frame of its link, 9 mm beyond the tool point."""


_SCENE_POSITION = (1.45, 0.08, 0.55)
SCENE_CAMERA = PinholeCamera(
    position=_SCENE_POSITION,
    rotation=look_at(_SCENE_POSITION, target=(0.36, 0.0, 0.22), up=(0.0, 0.0, 1.0)),
    focal_length=20.0,
    image_size=(IMAGE_SIZE, IMAGE_SIZE),
)
"""Looks at robot and table from in front, so low that the hand does not hide the cube, and a little from the left."""

_WRIST_POSITION = (0.075, 0.0, 0.01)
WRIST_CAMERA = PinholeCamera(
    position=_WRIST_POSITION,
    rotation=look_at(_WRIST_POSITION, target=(0.0, 0.0, 0.22), up=(1.0, 0.0, 0.0)),
    focal_length=16.0,
    image_size=(IMAGE_SIZE, IMAGE_SIZE),
)
"""Mounted on the hand, in the frame of ``panda_hand`` (z towards the finger tips, y along the fingers' travel)."""
