"""``PinholeCamera``, a camera as numbers, so that a config and an expert agree on what it sees."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

__all__ = ["PinholeCamera", "look_at"]

Matrix3 = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class PinholeCamera:
    """A camera by its pose in some frame, in the ROS convention: x right, y down, z into the picture.

    Attributes:
        position: Its centre, metres.
        rotation: Columns are its x, y and z axes, (3, 3).
        focal_length: Millimetres, as USD has it (for the aperture below).
        image_size: Height and width of its pictures, pixels.
    """

    position: tuple[float, ...]
    rotation: Matrix3
    focal_length: float
    image_size: tuple[int, int]
    horizontal_aperture: float = 20.955

    @property
    def focal_pixels(self) -> float:
        """Focal length in pixels; the pixels are square and the centre is the image's."""
        return self.focal_length / self.horizontal_aperture * self.image_size[1]

    @property
    def _middle(self) -> np.ndarray:
        """Middle of the picture, (u, v) in pixels."""
        return np.array(self.image_size[::-1]) / 2

    @property
    def quaternion(self) -> tuple[float, float, float, float]:
        """``rotation`` as a unit quaternion x, y, z, w."""
        x, y, z, w = Rotation.from_matrix(np.asarray(self.rotation)).as_quat().tolist()
        return (x, y, z, w)

    def carried_by(self, pose: np.ndarray) -> "PinholeCamera":
        """The same camera in the frame in which the one that it is mounted on has the pose (4, 4)."""
        position = pose[:3, :3] @ np.asarray(self.position) + pose[:3, 3]
        rotation = pose[:3, :3] @ np.asarray(self.rotation)
        return replace(self, position=tuple(position.tolist()), rotation=tuple(map(tuple, rotation.tolist())))

    def project(self, points: np.ndarray) -> np.ndarray:
        """Pixel coordinates (u right, v down, from the image's corner) of points, (..., 3) -> (..., 2)."""
        local = (points - np.asarray(self.position)) @ np.asarray(self.rotation)
        return local[..., :2] / local[..., 2:] * self.focal_pixels + self._middle

    def point_at_height(self, pixels: np.ndarray, height: float) -> np.ndarray:
        """The points of the plane ``z = height`` that pixels (u, v) show, (..., 2) -> (..., 3)."""
        local = np.concatenate([(pixels - self._middle) / self.focal_pixels, np.ones((*pixels.shape[:-1], 1))], -1)
        rays = local @ np.asarray(self.rotation).T
        return np.asarray(self.position) + rays * ((height - self.position[2]) / rays[..., 2:])


def look_at(position: tuple[float, ...], target: tuple[float, ...], up: tuple[float, ...]) -> Matrix3:
    """Rotation of a camera at ``position`` that has ``target`` in its centre and ``up`` upwards in the picture."""
    forward = np.subtract(target, position)
    forward = forward / np.linalg.norm(forward)
    right = np.cross(forward, up)
    right = right / np.linalg.norm(right)
    return tuple(map(tuple, np.stack([right, np.cross(forward, right), forward], axis=1).tolist()))
