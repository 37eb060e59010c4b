"""Buffers: what an env gives in whatever array it has, as a tensor.

* ``as_torch``: any array.
* ``as_flags``: one truth an env.
"""

from typing import Any

import torch

from groot_wrappers.errors import ContractError

__all__ = ["as_flags", "as_torch"]


def as_torch(buffer: Any, where: str = "the env") -> torch.Tensor:
    """Return a tensor on the memory of ``buffer``: a tensor, a proxy array of IsaacLab 3, or one of Warp or numpy.

    Args:
        buffer: What the env gives.
        where: What the message names.

    Raises:
        ContractError: It holds no numbers.
    """
    if isinstance(buffer, torch.Tensor):
        return buffer
    view = getattr(buffer, "torch", None)
    if isinstance(view, torch.Tensor):
        return view
    try:
        return torch.as_tensor(buffer)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ContractError(
            f"{where}: numbers are wanted, but the env gives a {type(buffer).__name__}, which cannot become a tensor "
            f"({error}). Let it return a torch.Tensor."
        ) from error


def as_flags(buffer: Any, num_envs: int, where: str) -> torch.Tensor:
    """Return bool (num_envs,).

    Args:
        buffer: Bools, or numbers that are all 0 or 1; of shape (num_envs,).
        num_envs: How many there must be.
        where: What the message names.

    Raises:
        ContractError: Another shape, or a number that is neither true nor false.
    """
    flags = as_torch(buffer, where)
    fits = flags.shape == (num_envs,)
    if fits and flags.dtype == torch.bool:
        return flags
    if fits and bool(((flags == 0) | (flags == 1)).all()):
        return flags == 1
    raise ContractError(
        f"{where}: one true or false for each of {num_envs} envs is wanted, but the env gives {flags.dtype} of shape "
        f"{tuple(flags.shape)}{f', such as {flags.tolist()[:4]}' if fits else ''}. Let it return bool (num_envs,)."
    )
