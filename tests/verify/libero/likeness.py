"""How alike two pictures are, as the field measures it: ``ssim`` and ``psnr``, both of uint8 (H, W, 3)."""

import numpy as np
from scipy.ndimage import uniform_filter

WINDOW = 7
"""Side of the windows that are compared, pixels: scikit-image's, whose numbers these are."""


def ssim(one, other):
    """Structural similarity, 1 for the same picture; mean over channels and windows."""
    one, other = np.float64(one), np.float64(other)
    size, unbiased = (WINDOW, WINDOW, 1), WINDOW**2 / (WINDOW**2 - 1)
    mean, mean_other = uniform_filter(one, size), uniform_filter(other, size)
    variance = unbiased * (uniform_filter(one**2, size) - mean**2)
    variance_other = unbiased * (uniform_filter(other**2, size) - mean_other**2)
    covariance = unbiased * (uniform_filter(one * other, size) - mean * mean_other)
    small, small_too = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    alike = (2 * mean * mean_other + small) * (2 * covariance + small_too)
    alike /= (mean**2 + mean_other**2 + small) * (variance + variance_other + small_too)
    edge = WINDOW // 2
    return float(alike[edge:-edge, edge:-edge].mean())


def psnr(one, other):
    """Ratio of the full range to the difference's root mean square, dB."""
    return float(10 * np.log10(255**2 / np.mean((np.float64(one) - other) ** 2)))
