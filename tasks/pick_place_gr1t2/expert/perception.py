"""The steering wheel in the ego view: ``find_cap`` says where its red cap appears."""

import numpy as np

__all__ = ["find_cap"]

_MIN_PIXELS = 12
"""Fewer red pixels than this are no cap; a whole one covers more than 80."""


def find_cap(image: np.ndarray) -> np.ndarray | None:
    """Find the wheel's red cap.

    Args:
        image: uint8 (256, 256, 3), RGB.

    Returns:
        Middle of its pixels, (u right, v down), from the picture's corner; None where too little red is seen.
    """
    red, green, blue = (image[..., channel] for channel in range(3))
    # Halving keeps the comparison within uint8.
    half = red >> 1
    rows, columns = np.nonzero((red > 60) & (half > green) & (half > blue))
    if len(rows) < _MIN_PIXELS:
        return None
    return np.array([columns.mean() + 0.5, rows.mean() + 0.5])
