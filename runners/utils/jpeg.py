"""Pictures as JPEG."""

import io
from typing import Any

import numpy as np
from PIL import Image

__all__ = ["as_jpeg"]

QUALITY = 85


def as_jpeg(picture: np.ndarray[Any, Any]) -> bytes:
    """Return a picture, uint8 (H, W, 3), as JPEG."""
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
