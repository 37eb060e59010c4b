"""Pixels: any env's image as the uint8 RGB that GR00T takes.

Each frame is judged when it is read, by its dtype, shape and range, so that nothing is cast without a word:

======================================  ==============================  =================================
what the env gives                      a camera's ``rgb`` output       an observation term
======================================  ==============================  =================================
uint8, three channels                   taken as it is                  the same, channels last or first
floats of any width in [0, 1]           times 255, rounded              the same
four channels                           the first three, without alpha  refused: they may be four frames
one channel                             grey: R, G and B are the same   refused: it may be depth or labels
floats outside [0, 1], NaN              refused                         refused
uint16, other integers, bool            refused                         refused
another height or width than was said   refused                         refused
======================================  ==============================  =================================
"""

import torch

from groot_wrappers.errors import ContractError

__all__ = ["camera_rgb", "fit_into", "term_rgb", "where_channels_are"]

_TOLERANCE = 1e-3  # rounding of a renderer that leaves [0, 1] by a little


def where_channels_are(shape: tuple[int, ...], where: str) -> int:
    """Return the dimension of one env's image (-1 or -3) that holds R, G and B.

    Args:
        shape: Of one env's image, of an observation term.
        where: The key that the message names.

    Raises:
        ContractError: It is no image of three channels.
    """
    if len(shape) == 3 and shape[-1] == 3:
        return -1
    if len(shape) == 3 and shape[0] == 3:
        return -3
    hint = "Take a camera ({sensor: ...}), or a term that gives one"
    if len(shape) == 3 and 1 in (shape[0], shape[-1]):
        hint = "One channel may be depth or labels; if it is grey, let the term repeat it: .expand(-1, -1, -1, 3)"
    elif len(shape) == 3 and 4 in (shape[0], shape[-1]):
        hint = "If the fourth channel is alpha, let the term leave it out: [..., :3]"
    elif len(shape) == 3 and any(n > 3 and n % 3 == 0 for n in (shape[0], shape[-1])):
        hint = "Frames are stacked in it; take the camera itself ({sensor: ...})"
    raise ContractError(
        f"{where}: GR00T takes an RGB image, (H, W, 3) or (3, H, W), but the env gives {shape}. {hint}."
    )


def term_rgb(image: torch.Tensor, channels: int, where: str) -> torch.Tensor:
    """Return uint8 (num_envs, H, W, 3) of an observation term.

    Args:
        image: uint8, or floats in [0, 1], (num_envs, H, W, 3) or (num_envs, 3, H, W).
        channels: As ``where_channels_are`` returned it.
        where: The key that the message names.

    Raises:
        ContractError: Another dtype, or floats outside [0, 1], which cannot be told from a picture of other colours.
    """
    return _to_uint8(
        image.movedim(-3, -1) if channels == -3 else image,
        where,
        "Take the camera itself ({sensor: ...}), or let the term return uint8 (mdp.image_rgb: normalize=False) or "
        "floats in [0, 1]",
    )


def camera_rgb(image: torch.Tensor, where: str) -> torch.Tensor:
    """Return uint8 (num_envs, H, W, 3) of a camera's ``rgb`` output.

    Args:
        image: uint8, or floats in [0, 1], (num_envs, H, W, C); C is 3, 4 (the last is alpha) or 1 (grey).
        where: The key that the message names.

    Raises:
        ContractError: Another dtype or number of channels, or floats outside [0, 1].
    """
    mend = f"Let the camera give uint8 or floats in [0, 1], or name a term that does: {where}={{obs: GROUP.TERM}}"
    if image.ndim != 4 or image.shape[-1] not in (1, 3, 4):
        raise ContractError(
            f"{where}: the camera's rgb output must be (num_envs, H, W, 3), with alpha 4, or 1 of grey; it is "
            f"{tuple(image.shape)}. {mend}."
        )
    return _to_uint8(image.expand(-1, -1, -1, 3) if image.shape[-1] == 1 else image[..., :3], where, mend)


def _to_uint8(image: torch.Tensor, where: str, mend: str) -> torch.Tensor:
    """Return an image of uint8 as it is, and of floats in [0, 1] times 255."""
    if image.dtype == torch.uint8:
        return image
    if not image.is_floating_point():
        raise ContractError(
            f"{where}: GR00T takes uint8, but the env gives {image.dtype}, and nothing says which number is white. "
            f"{mend}."
        )
    values = image.float()
    low, high = (float(extreme) for extreme in torch.aminmax(values))
    if not (low >= -_TOLERANCE and high <= 1 + _TOLERANCE):  # so that NaN is neither
        reason = "which is no picture"
        if low < -_TOLERANCE:
            reason = "which looks as if its mean had been taken away, so that its colours are lost"
        elif 1 < high <= 255 + _TOLERANCE:
            reason = "which is neither uint8 nor in [0, 1]; if white is 255, .round().to(torch.uint8) makes it so"
        raise ContractError(f"{where}: the env gives {image.dtype} from {low:.3g} to {high:.3g}, {reason}. {mend}.")
    return (values.clamp(0, 1) * 255).round().to(torch.uint8)


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
