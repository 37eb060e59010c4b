"""The red cube in the scene camera's picture: ``find_cube`` gives its pixel, ``locate_on_table`` its place."""

import numpy as np

from .layout import CUBE_SIDE, SCENE_CAMERA

__all__ = ["find_cube", "locate_on_table", "silhouette_centre"]

_MIN_PIXELS = 20
"""Fewer red pixels than this are no cube; a whole one covers about 100."""

_FACES = np.array(
    # Corners of the faces that a camera in front of and above the cube can see, in units of half its side.
    [
        [(-1, -1, 1), (1, -1, 1), (1, 1, 1), (-1, 1, 1)],  # top
        [(1, -1, -1), (1, 1, -1), (1, 1, 1), (1, -1, 1)],  # x+
        [(-1, 1, -1), (1, 1, -1), (1, 1, 1), (-1, 1, 1)],  # y+
        [(-1, -1, -1), (1, -1, -1), (1, -1, 1), (-1, -1, 1)],  # y-
    ],
    dtype=float,
)
_NORMALS = np.array([(0, 0, 1), (1, 0, 0), (0, 1, 0), (0, -1, 0)], dtype=float)


def find_cube(image: np.ndarray) -> np.ndarray | None:
    """Centre of the red pixels of a picture, or None where there is no cube.

    Args:
        image: The scene camera's picture, uint8 (H, W, 3) in RGB.

    Returns:
        Pixel coordinates (u to the right, v down, from the corner of the picture), float (2,), or None.
    """
    red, green, blue = (image[..., i].astype(np.int16) for i in range(3))
    rows, columns = np.nonzero((red > 60) & (red > 2 * green) & (red > 2 * blue))
    if len(rows) < _MIN_PIXELS:
        return None
    return np.array([columns.mean() + 0.5, rows.mean() + 0.5])


def locate_on_table(pixel: np.ndarray) -> np.ndarray:
    """Centre of the cube that lies on the table and appears about ``pixel``, (3,), metres in the robot's base frame.

    The camera sees the near faces only, so that the middle of the red pixels is not the middle of the cube; the
    difference is that of a cube at the place found so far.
    """
    resting = CUBE_SIDE / 2
    centre = SCENE_CAMERA.point_at_height(pixel, resting)
    for _ in range(3):
        offset = silhouette_centre(centre) - SCENE_CAMERA.project(centre)
        centre = SCENE_CAMERA.point_at_height(pixel - offset, resting)
    return centre


def silhouette_centre(centre: np.ndarray) -> np.ndarray:
    """Centre of the pixels that a whole cube at ``centre`` covers in the scene camera, square to the base frame, (2,).

    Each visible face counts by the area that it covers.
    """
    facing = np.einsum("fi,fi->f", np.asarray(SCENE_CAMERA.position) - centre - _NORMALS * CUBE_SIDE / 2, _NORMALS) > 0
    corners = SCENE_CAMERA.project(centre + _FACES[facing] * CUBE_SIDE / 2)
    following = np.roll(corners, -1, axis=1)
    areas = np.abs(np.sum(corners[..., 0] * following[..., 1] - corners[..., 1] * following[..., 0], axis=1)) / 2
    return np.average(corners.mean(axis=1), axis=0, weights=areas)
