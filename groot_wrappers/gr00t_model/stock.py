"""NVIDIA's own forward: what it is given, what it answers, with the noise put in, and in fp32.

* ``stock_inputs``: what NVIDIA's processor makes of an observation.
* ``stock_actions``: the normalised actions of NVIDIA's model.
* ``put_noise``: the noise put in for what the head draws.
* ``in_fp32``: the same model with its weights in fp32, for a reference.

After Isaac-GR00T N1.6 ``gr00t/policy/gr00t_policy.py``, ``gr00t/model/gr00t_n1d6/gr00t_n1d6.py``.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  # as everywhere

__all__ = ["EXACT", "in_fp32", "noise_shape", "put_noise", "stock_actions", "stock_inputs"]

EXACT = "gr00t_isaaclab_exact"
"""Attention of any dtype, as N1.6's vision tower calls it."""


class _SeenError(Exception):
    """Ends a call of NVIDIA's policy once its model's inputs are there."""


def noise_shape(model: Any) -> tuple[int, int]:
    """Return (H, A) of what the head denoises: its whole horizon and all its dimensions."""
    return int(model.action_head.config.action_horizon), int(model.action_head.action_dim)


def stock_inputs(policy: Any, observation: dict[str, Any]) -> dict[str, Any]:
    """Return what NVIDIA's policy gives its model for an observation, as keywords of ``model.get_action``."""
    seen: dict[str, Any] = {}

    def catch(**inputs: Any) -> None:
        seen.update(inputs)
        raise _SeenError

    policy.model.get_action = catch
    try:
        policy._get_action(observation)
    except _SeenError:
        return seen
    finally:
        del policy.model.get_action
    raise RuntimeError("NVIDIA's policy did not ask its model's get_action")


def stock_actions(policy: Any, inputs: dict[str, Any], noise: torch.Tensor | None = None) -> torch.Tensor:
    """Return the normalised actions of NVIDIA's model.

    Args:
        policy: NVIDIA's.
        inputs: Of ``stock_inputs``, or made like them.
        noise: (B, H, A) that the actions begin from; None lets the head draw it.

    Returns:
        float32 (B, H, A), on the model's device.
    """
    with torch.inference_mode(), put_noise(noise):
        actions: torch.Tensor = policy.model.get_action(**inputs)["action_pred"]
    return actions.float()


@contextlib.contextmanager
def put_noise(noise: torch.Tensor | None) -> Iterator[None]:
    """Give the head ``noise`` where it draws its own; nothing changes where that is None.

    Raises:
        RuntimeError: The head drew none of that shape, or drew twice: it is not the sampling that is known here.
    """
    if noise is None:
        yield
        return
    draw = torch.randn
    times = 0

    def put(*size: Any, **named: Any) -> torch.Tensor:
        nonlocal times
        shape = tuple(named.get("size", size[0] if len(size) == 1 and not isinstance(size[0], int) else size))
        if shape != tuple(noise.shape):
            drawn: torch.Tensor = draw(*size, **named)
            return drawn
        times += 1
        return noise.to(device=named.get("device"), dtype=named.get("dtype")).clone()

    torch.randn = put
    try:
        yield
    finally:
        torch.randn = draw
    if times != 1:
        raise RuntimeError(f"the action head drew noise of {tuple(noise.shape)} {times} times in a chunk, not once")


@contextlib.contextmanager
def in_fp32(model: torch.nn.Module, attention: str = EXACT) -> Iterator[None]:
    """Hold a model's weights in fp32, and its attention too; they come back as they were, to the bit.

    Args:
        model: NVIDIA's.
        attention: What stands for flash-attn, which takes 16 bits alone: a name that transformers knows.

    Raises:
        torch.OutOfMemoryError: The card has no room for weights of twice the size; they are as they were.
    """
    tensors = [x for x in itertools.chain(model.parameters(), model.buffers()) if x.is_floating_point()]
    before = [x.dtype for x in tensors]
    found: list[Any] = [getattr(module, "config", None) for module in model.modules()]
    configs = {id(c): c for c in found if getattr(c, "_attn_implementation", None) == "flash_attention_2"}
    if configs:
        from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS  # noqa: PLC0415  # there where its model is

        ALL_ATTENTION_FUNCTIONS.register(EXACT, _exact_attention)
    try:
        for config in configs.values():
            config._attn_implementation = attention
        for x in tensors:
            x.data = x.data.float()
        yield
    finally:
        for x, dtype in zip(tensors, before):  # noqa: B905  # of one length
            x.data = x.data.to(dtype)
        for config in configs.values():
            config._attn_implementation = "flash_attention_2"


def _exact_attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    scaling: float | None = None,
    seq_len_list: list[int] | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attend as flash-attn does: pictures that are packed into one row see themselves alone (``seq_len_list``)."""
    groups = query.shape[1] // key.shape[1]
    key, value = (x.repeat_interleave(groups, 1) if groups > 1 else x for x in (key, value))
    if seq_len_list is not None:
        parts = [torch.split(x, seq_len_list, 2) for x in (query, key, value)]
        rows = [F.scaled_dot_product_attention(q, k, v, scale=scaling) for q, k, v in zip(*parts)]  # noqa: B905
        return torch.cat(rows, 2).transpose(1, 2), None
    mask = None if attention_mask is None else attention_mask[..., : key.shape[2]]
    out = F.scaled_dot_product_attention(query, key, value, mask, is_causal=mask is None, scale=scaling)
    return out.transpose(1, 2), None
