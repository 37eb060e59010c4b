"""The red cube in the scene camera's picture: ``red_pixels`` finds it, ``fit_cube`` says where it lies and how it turns.

A cube of known size on a table of known height has three unknowns, x, y and yaw. The centre of its pixels gives x and y
for each yaw, and the yaw is the one whose silhouette covers the red pixels best.
"""

from dataclasses import dataclass

import numpy as np

from .layout import CUBE_SIDE, SCENE_CAMERA

__all__ = ["CubePose", "fit_cube", "red_pixels"]

_MIN_PIXELS = 20
"""Fewer red pixels than this are no cube; a whole one covers more than 100."""

_YAWS = np.radians(np.arange(-45.0, 45.0, 5.0))
"""Yaws tried; a cube looks the same after a quarter turn."""

_FACES = np.array(
    # The faces that a camera above the cube can see, in units of half a side, each counter-clockwise from outside.
    [
        [(-1, -1, 1), (1, -1, 1), (1, 1, 1), (-1, 1, 1)],
        [(1, -1, -1), (1, 1, -1), (1, 1, 1), (1, -1, 1)],
        [(1, 1, -1), (-1, 1, -1), (-1, 1, 1), (1, 1, 1)],
        [(-1, 1, -1), (-1, -1, -1), (-1, -1, 1), (-1, 1, 1)],
        [(-1, -1, -1), (1, -1, -1), (1, -1, 1), (-1, -1, 1)],
    ]
) * (CUBE_SIDE / 2)


def _turned(corners: np.ndarray, yaw: np.ndarray) -> np.ndarray:
    """Corners (..., 3) turned about the vertical by each yaw (Y,), (Y, ..., 3)."""
    cos, sin = np.cos(yaw), np.sin(yaw)
    zero, one = np.zeros_like(yaw), np.ones_like(yaw)
    rotations = np.array([[cos, -sin, zero], [sin, cos, zero], [zero, zero, one]])
    return np.einsum("ijy,...j->y...i", rotations, corners)


_TURNED_FACES = _turned(_FACES, _YAWS)


@dataclass(frozen=True)
class CubePose:
    """Where the cube appears and, if it lies on the table, where it is.

    Attributes:
        pixel: Centre of its red pixels, (u to the right, v down), from the corner of the picture.
        position: Its centre in the robot's base frame, metres (3,).
        yaw: Its turn about the vertical, rad in [-pi/4, pi/4).
    """

    pixel: np.ndarray
    position: np.ndarray
    yaw: float


def red_pixels(image: np.ndarray) -> np.ndarray:
    """Which pixels of an RGB picture, uint8 (H, W, 3), show something red, bool (H, W)."""
    red, green, blue = (image[..., channel] for channel in range(3))
    # Halving keeps the comparison within uint8.
    half = red >> 1
    return (red > 60) & (half > green) & (half > blue)


def fit_cube(image: np.ndarray) -> CubePose | None:
    """Find the cube, taken to lie on the table, in the scene camera's picture.

    Args:
        image: uint8 (224, 224, 3), RGB.

    Returns:
        Its pose, or None where too little red is to be seen.
    """
    red = red_pixels(image)
    rows, columns = np.nonzero(red)
    if len(rows) < _MIN_PIXELS:
        return None
    pixel = np.array([columns.mean() + 0.5, rows.mean() + 0.5])

    resting = CUBE_SIDE / 2
    centres = np.tile(SCENE_CAMERA.point_at_height(pixel, resting), (len(_YAWS), 1))
    for _ in range(2):
        # The camera sees the near faces only, so the middle of their pixels is not where the cube's middle appears.
        corners, areas = _silhouettes(centres)
        middles = np.einsum("yf,yfci->yi", areas, corners) / (4 * areas.sum(axis=1, keepdims=True))
        centres = SCENE_CAMERA.point_at_height(pixel - middles + SCENE_CAMERA.project(centres), resting)

    top, left = rows.min() - 2, columns.min() - 2
    seen = red[max(top, 0) : rows.max() + 3, max(left, 0) : columns.max() + 3]
    v, u = np.indices(seen.shape)
    pixels = np.stack([u.ravel() + max(left, 0), v.ravel() + max(top, 0)], axis=-1) + 0.5
    corners, areas = _silhouettes(centres)
    wrong = (_covered(corners, areas > 0, pixels) != seen.ravel()).sum(axis=1)
    best = int(np.argmin(wrong))
    return CubePose(pixel, centres[best], float(_YAWS[best]))


def _silhouettes(centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Faces in the picture of a cube at ``centres`` (Y, 3), a yaw each: corners (Y, 5, 4, 2) and areas (Y, 5) in pixels.

    Faces that look away have area 0.
    """
    corners = SCENE_CAMERA.project(centres[:, None, None] + _TURNED_FACES)
    following = np.roll(corners, -1, axis=2)
    areas = (following[..., 0] * corners[..., 1] - corners[..., 0] * following[..., 1]).sum(axis=2) / 2
    return corners, np.maximum(areas, 0.0)


def _covered(corners: np.ndarray, visible: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Which pixels (P, 2) lie inside a visible face, bool (Y, P)."""
    edges = np.roll(corners, -1, axis=2) - corners
    # Faces run clockwise in the picture (v points down): inside is where every edge has the pixel on its right hand.
    offsets = edges[..., 1] * corners[..., 0] - edges[..., 0] * corners[..., 1]
    sides = edges[..., 1:] * pixels[:, 0] - edges[..., :1] * pixels[:, 1] - offsets[..., None]
    return ((sides >= 0).all(axis=2) & visible[..., None]).any(axis=1)
