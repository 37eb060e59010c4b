"""Things in the pictures: ``find`` says where one stands by its colour, ``shows_at`` whether it fills a place.

A round thing of known size that stands at a known height has two unknowns, x and y: those for which the middle of its
silhouette, the hull of its circles, is where the middle of its pixels is.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.spatial import ConvexHull

from tasks.common.pinhole_camera import PinholeCamera
from tasks.droid_table.things import THINGS, Thing

__all__ = ["Sight", "find", "shows_at"]

_MIN_PIXELS = 8
"""Fewer pixels than this are nothing."""
_HUE_WIDTH, _MIN_SATURATION, _MIN_VALUE = 0.035, 0.45, 25
"""How far hues of one thing spread, of 1; how strong its colour is at least, of 1; and how bright, of 255."""
_FILLED = 0.3
"""Share of the place between the fingers that what is held fills there; it is 0.5 to 1, and 0.1 from the start pose."""
_BITS = 6
"""Of each channel of a pixel that are looked at."""
_CIRCLE = np.stack([np.cos(a := np.linspace(0, 2 * np.pi, 16, endpoint=False)), np.sin(a)], axis=1)


@dataclass(frozen=True)
class Sight:
    """What a picture shows of a thing.

    Attributes:
        position: Where it stands, (x, y) in the camera's frame, m.
        share: Pixels seen of those that it would fill unhidden.
        whole: Whether all that it would fill is within the picture.
    """

    position: np.ndarray
    share: float
    whole: bool


def find(picture: np.ndarray, name: str, camera: PinholeCamera, height: float = 0.0) -> Sight | None:
    """Find a thing that stands upright at some height.

    Args:
        picture: uint8 (180, 320, 3), RGB.
        name: Of the thing.
        camera: What took the picture, in a frame whose z axis points up.
        height: Of the thing's origin in that frame, m.

    Returns:
        Where it is, or None where too little of its colour is to be seen.
    """
    thing = THINGS[name]
    seen = _mask(picture, thing)
    rows, columns = np.nonzero(seen)
    if len(rows) < _MIN_PIXELS:
        return None
    middle = np.array([columns.mean() + 0.5, rows.mean() + 0.5])
    outline = np.concatenate(
        [np.pad(radius * _CIRCLE, ((0, 0), (0, 1)), constant_values=z) for radius, z in thing.outline]
    )
    position = np.append(camera.point_at_height(middle, height + outline[:, 2].mean())[:2], height)
    for _ in range(3):
        corners, centre, area = _silhouette(camera.project(position + outline))
        origin = camera.project(position)
        position = camera.point_at_height(middle - centre + origin, height)
    size = np.array(picture.shape[1::-1])
    return Sight(position[:2], len(rows) / area, bool((corners > 1).all() and (corners < size - 1).all()))


def shows_at(picture: np.ndarray, name: str, pixel: np.ndarray, within: float) -> bool:
    """Whether a thing fills some of what is within some pixels of a place (u, v), as it does from close by alone."""
    rows, columns = np.nonzero(_mask(picture, THINGS[name]))
    near = np.hypot(columns + 0.5 - pixel[0], rows + 0.5 - pixel[1]) <= within
    return float(near.sum()) >= _FILLED * np.pi * within**2


def _mask(picture: np.ndarray, thing: Thing) -> np.ndarray:
    """Which pixels have a thing's colour, bool (H, W), in light or shade."""
    red, green, blue = np.moveaxis(picture.astype(np.int32) >> (8 - _BITS), -1, 0)
    mask: np.ndarray = _is_of(thing.colour)[(red << 2 * _BITS) | (green << _BITS) | blue]
    return mask


@cache
def _is_of(colour: tuple[float, float, float]) -> np.ndarray:
    """Whether each colour that a pixel can have, to some bits a channel, is one of a thing of this colour."""
    levels = (np.arange(1 << _BITS) + 0.5) * (256 >> _BITS)
    hues, strong = _hues(np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3))
    (wanted,), _ = _hues(np.array([colour]) * 255)
    apart = np.abs((hues - wanted + 0.5) % 1 - 0.5)
    is_of: np.ndarray = strong & (apart < _HUE_WIDTH)
    return is_of


def _hues(colours: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hue of each colour (N, 3) in [0, 1), and whether it is strong enough to have one."""
    high, low = colours.max(axis=-1), colours.min(axis=-1)
    spread = np.maximum(high - low, 1e-6)
    red, green, blue = colours.T
    hue = np.select(
        [high == red, high == green],
        [(green - blue) / spread % 6, (blue - red) / spread + 2],
        (red - green) / spread + 4,
    )
    return hue / 6, (high - low > _MIN_SATURATION * high) & (high > _MIN_VALUE)


def _silhouette(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Corners of the hull of points (N, 2), the middle of its area, and the area."""
    corners = points[ConvexHull(points).vertices]
    following = np.roll(corners, -1, axis=0)
    cross = corners[:, 0] * following[:, 1] - following[:, 0] * corners[:, 1]
    area = cross.sum() / 2
    return corners, ((corners + following) * cross[:, None]).sum(axis=0) / (6 * area), float(area)
