"""Where things stand in the lift: cube, table, start pose and cameras. Shared by the environment and the expert.

Plain numbers and numpy, no simulator. Lengths in metres, angles in radians; the frame is the robot's base, x forward,
y left, z up, with z = 0 on the table top.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

__all__ = [
    "CUBE_SIDE",
    "CUBE_START",
    "CUBE_START_RANGE",
    "IMAGE_SIZE",
    "SCENE_CAMERA",
    "START_JOINTS",
    "WRIST_CAMERA",
    "PinholeCamera",
    "look_at",
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


@dataclass(frozen=True)
class PinholeCamera:
    """A camera by its pose in some frame, in the ROS convention: x right, y down, z into the picture.

    Attributes:
        position: Its centre, metres.
        rotation: Columns are its x, y and z axes, (3, 3).
        focal_length: Millimetres, as USD has it (for the aperture below).
    """

    position: tuple[float, float, float]
    rotation: tuple[tuple[float, float, float], ...]
    focal_length: float
    horizontal_aperture: float = 20.955

    @property
    def focal_pixels(self) -> float:
        """Focal length in pixels; the pixels are square and the centre is the image's."""
        return self.focal_length / self.horizontal_aperture * IMAGE_SIZE

    @cached_property
    def quaternion(self) -> tuple[float, float, float, float]:
        """``rotation`` as a unit quaternion x, y, z, w."""
        r = np.asarray(self.rotation)
        # Each row holds the quaternion up to sign and scale; the one with the largest diagonal is well conditioned.
        k = np.array(
            [
                [1 + r[0, 0] - r[1, 1] - r[2, 2], r[0, 1] + r[1, 0], r[0, 2] + r[2, 0], r[2, 1] - r[1, 2]],
                [r[0, 1] + r[1, 0], 1 - r[0, 0] + r[1, 1] - r[2, 2], r[1, 2] + r[2, 1], r[0, 2] - r[2, 0]],
                [r[0, 2] + r[2, 0], r[1, 2] + r[2, 1], 1 - r[0, 0] - r[1, 1] + r[2, 2], r[1, 0] - r[0, 1]],
                [r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1], 1 + r[0, 0] + r[1, 1] + r[2, 2]],
            ]
        )
        row = k[np.argmax(np.diag(k))]
        x, y, z, w = (row / np.linalg.norm(row)).tolist()
        return (x, y, z, w)

    def project(self, points: np.ndarray) -> np.ndarray:
        """Pixel coordinates (u right, v down, from the image's corner) of points, (..., 3) -> (..., 2)."""
        local = (points - np.asarray(self.position)) @ np.asarray(self.rotation)
        return local[..., :2] / local[..., 2:] * self.focal_pixels + IMAGE_SIZE / 2

    def point_at_height(self, pixels: np.ndarray, height: float) -> np.ndarray:
        """The points of the plane ``z = height`` that pixels (u, v) show, (..., 2) -> (..., 3)."""
        local = np.concatenate([(pixels - IMAGE_SIZE / 2) / self.focal_pixels, np.ones((*pixels.shape[:-1], 1))], -1)
        rays = local @ np.asarray(self.rotation).T
        return np.asarray(self.position) + rays * ((height - self.position[2]) / rays[..., 2:])


def look_at(
    position: tuple[float, float, float], target: tuple[float, float, float], up: tuple[float, float, float]
) -> tuple[tuple[float, float, float], ...]:
    """Rotation of a camera at ``position`` that has ``target`` in its centre and ``up`` upwards in the picture."""
    forward = np.subtract(target, position)
    forward = forward / np.linalg.norm(forward)
    right = np.cross(forward, up)
    right = right / np.linalg.norm(right)
    rows = np.stack([right, np.cross(forward, right), forward], axis=1)
    return tuple(tuple(row) for row in rows.tolist())


_SCENE_POSITION = (1.45, 0.08, 0.55)
SCENE_CAMERA = PinholeCamera(
    position=_SCENE_POSITION,
    rotation=look_at(_SCENE_POSITION, target=(0.36, 0.0, 0.22), up=(0.0, 0.0, 1.0)),
    focal_length=20.0,
)
"""Looks at robot and table from in front, so low that the hand does not hide the cube, and a little from the left."""

_WRIST_POSITION = (0.075, 0.0, 0.01)
WRIST_CAMERA = PinholeCamera(
    position=_WRIST_POSITION,
    rotation=look_at(_WRIST_POSITION, target=(0.0, 0.0, 0.22), up=(1.0, 0.0, 0.0)),
    focal_length=16.0,
)
"""Mounted on the hand, in the frame of ``panda_hand`` (z towards the finger tips, y along the fingers' travel)."""
