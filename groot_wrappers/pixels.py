"""Pixels: any env's image as the uint8 RGB that GR00T takes."""

import torch

from groot_wrappers.errors import ContractError

__all__ = ["fit_into", "to_rgb", "where_channels_are"]

_TOLERANCE = 1e-3  # rounding of a renderer that leaves [0, 1] by a little


def where_channels_are(shape: tuple[int, ...], where: str) -> int:
    """Return the dimension of one env's image (-1 or -3) that holds R, G and B.

    Args:
        shape: Of one env's image.
        where: The key that the message names.

    Raises:
        ContractError: It is no image of three channels.
    """
    if len(shape) == 3 and shape[-1] == 3:
        return -1
    if len(shape) == 3 and shape[0] == 3:
        return -3
    stacked = len(shape) == 3 and any(n > 3 and n % 3 == 0 for n in (shape[0], shape[-1]))
    hint = "Frames are stacked in it; take the camera itself ({sensor: ...})" if stacked else "Take a camera or term"
    raise ContractError(
        f"{where}: GR00T takes an RGB image, (H, W, 3) or (3, H, W), but the env gives {shape}. {hint} that gives one."
    )


def to_rgb(image: torch.Tensor, channels: int, where: str) -> torch.Tensor:
    """Return uint8 (num_envs, H, W, 3).

    Args:
        image: uint8, or floats in [0, 1], (num_envs, H, W, 3) or (num_envs, 3, H, W).
        channels: As ``where_channels_are`` returned it.
        where: The key that the message names.

    Raises:
        ContractError: Another dtype, or floats outside [0, 1], which cannot be told from a picture of other colours.
    """
    if channels == -3:
        image = image.movedim(-3, -1)
    if image.dtype == torch.uint8:
        return image
    if not image.is_floating_point():
        raise ContractError(
            f"{where}: GR00T takes uint8, but the env gives {image.dtype}. "
            "Let the term return uint8 or floats in [0, 1]."
        )
    low, high = (float(extreme) for extreme in torch.aminmax(image))
    if low < -_TOLERANCE or high > 1 + _TOLERANCE:
        reason = (
            "which looks as if its mean had been taken away, so that its colours are lost"
            if low < -_TOLERANCE
            else "which is neither uint8 nor in [0, 1]"
        )
        raise ContractError(
            f"{where}: the env gives floats from {low:.3g} to {high:.3g}, {reason}. Take the camera itself "
            "({sensor: ...}), or let the term return uint8 (mdp.image_rgb: normalize=False)."
        )
    return (image.clamp(0, 1) * 255).round().to(torch.uint8)


def fit_into(image: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Return the image as large as fits into (height, width), its proportions kept, between black bars.

    Args:
        image: uint8 (num_envs, H, W, 3).
        height: Of what is returned, uint8 (num_envs, height, width, 3).
        width: As height.
    """
    if tuple(image.shape[1:3]) == (height, width):
        return image
    scale = min(height / image.shape[1], width / image.shape[2])
    inner = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[2] * scale)))
    resized = torch.nn.functional.interpolate(
        image.movedim(-1, 1).float(), size=inner, mode="bilinear", antialias=True
    ).movedim(1, -1)
    top, left = (height - inner[0]) // 2, (width - inner[1]) // 2
    framed = torch.zeros((image.shape[0], height, width, 3), dtype=torch.uint8, device=image.device)
    framed[:, top : top + inner[0], left : left + inner[1]] = resized.round().clamp(0, 255).to(torch.uint8)
    return framed
