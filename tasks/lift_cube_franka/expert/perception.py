"""The red cube in the pictures: ``fit_cube`` says where it lies and how it turns, ``shows_red_about`` checks that.

A cube of known size on a table of known height has three unknowns, x, y and yaw. The centre of its pixels gives x and y
for each yaw, and the yaw is the one whose silhouette covers the red pixels best. The wrist camera, which sees the cube
from close by, has to agree.
"""

from dataclasses import dataclass

import numpy as np

from tasks.lift_cube_franka.geometry import CUBE_SIDE, IMAGE_SIZE, SCENE_CAMERA

__all__ = ["CubePose", "fit_cube", "shows_red_about"]

_MIN_PIXELS = 20
"""Fewer red pixels than this are no cube; a whole one covers more than 100."""

_DARK = 40
"""Red values up to this are taken for black."""

_AGREEING_PIXELS, _BORDER_PIXELS = 15.0, 25.0
"""How near to where it is expected the middle of the red has to be in the wrist camera's picture, and how near to the
edge of that picture nothing is expected."""

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


def fit_cube(image: np.ndarray) -> CubePose | None:
    """Find the cube, taken to lie on the table, in the scene camera's picture.

    Args:
        image: uint8 (224, 224, 3), RGB.

    Returns:
        Its pose, or None where too little red is to be seen.
    """
    red = _red(image)
    pixel = _middle(red)
    if pixel is None:
        return None
    resting = CUBE_SIDE / 2
    centres = np.tile(SCENE_CAMERA.point_at_height(pixel, resting), (len(_YAWS), 1))
    for _ in range(2):
        # The camera sees the near faces only, so the middle of their pixels is not where the cube's middle appears.
        corners, areas = _silhouettes(centres)
        middles = np.einsum("yf,yfci->yi", areas, corners) / (4 * areas.sum(axis=1, keepdims=True))
        centres = SCENE_CAMERA.point_at_height(pixel - middles + SCENE_CAMERA.project(centres), resting)

    rows, columns = np.flatnonzero(red.any(axis=1)), np.flatnonzero(red.any(axis=0))
    top, left = max(rows[0] - 2, 0), max(columns[0] - 2, 0)
    seen = red[top : rows[-1] + 3, left : columns[-1] + 3]
    v, u = np.indices(seen.shape)
    corners, areas = _silhouettes(centres)
    covered = _covered(corners, areas > 0, np.stack([u.ravel() + left, v.ravel() + top], axis=-1) + 0.5)
    wrong = (covered != seen.ravel()).sum(axis=1)
    best = int(np.argmin(wrong))
    return CubePose(pixel, centres[best], float(_YAWS[best]))


def shows_red_about(image: np.ndarray, pixel: np.ndarray) -> bool:
    """Whether a picture of the wrist camera has its red where it is expected, or cannot tell.

    Args:
        image: uint8 (224, 224, 3), RGB.
        pixel: Where the middle of the cube should appear, (u, v).

    Returns:
        False if that pixel is well inside the picture and red is elsewhere or nowhere.
    """
    if pixel.min() < _BORDER_PIXELS or pixel.max() > IMAGE_SIZE - _BORDER_PIXELS:
        return True
    middle = _middle(_red(image))
    return middle is not None and float(np.linalg.norm(middle - pixel)) < _AGREEING_PIXELS


def _red(image: np.ndarray) -> np.ndarray:
    """Which pixels of an RGB picture, uint8 (H, W, 3), show something red, bool (H, W)."""
    red, green, blue = (image[..., channel] for channel in range(3))
    half = red >> 1  # compared within uint8, which doubling the others would leave
    return (red > _DARK) & (half > green) & (half > blue)


def _middle(red: np.ndarray) -> np.ndarray | None:
    """Middle of the red pixels, (u, v), or None for too few of them."""
    rows, columns = np.nonzero(red)
    return None if len(rows) < _MIN_PIXELS else np.array([columns.mean() + 0.5, rows.mean() + 0.5])


def _silhouettes(centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Faces in the picture of a cube at ``centres`` (Y, 3), a yaw each.

    Returns:
        Corners (Y, 5, 4, 2) and areas (Y, 5) in pixels; faces that look away have area 0.
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
