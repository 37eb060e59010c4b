"""The transformer layers of GR00T N1.6, as functions of their weights.

* ``vision_layer``: of the vision tower. * ``language_layer``: of the language model.
* ``self_layer``, ``cross_layer``: of the action head.
* ``fused``: one matrix for several projections of one input.
* ``compiled``: the same functions through ``torch.compile``.

Weights come as a dict, so that all layers of a kind are one function, which is compiled once. After
``Eagle-Block2A-2B-v2/modeling_siglip2.py``, transformers' ``modeling_qwen3.py`` and ``gr00t/model/modules/dit.py``.
Sums that NVIDIA's layers round to 16 bits between two steps are rounded once where a kernel does both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  # as everywhere

__all__ = ["Layers", "Weights", "compiled", "cross_layer", "fused", "language_layer", "self_layer", "vision_layer"]

Weights = dict[str, torch.Tensor]
Pair = tuple[torch.Tensor, torch.Tensor]

_NORM_EPS = 1e-5  # of the action head's layer norms


def _gelu_of_linear(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Return GELU (by tanh) of a linear layer, within the matrix product where the card's library can."""
    if not x.is_cuda:
        return F.gelu(F.linear(x, weight, bias), approximate="tanh")
    flat: torch.Tensor = torch.ops.aten._addmm_activation(bias, x.reshape(-1, x.shape[-1]), weight.t(), use_gelu=True)
    return flat.view(*x.shape[:-1], weight.shape[0])


@torch.library.custom_op("gr00t_isaaclab::gelu_of_linear", mutates_args=())
def _opaque_gelu_of_linear(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    # To the compiler a box that it cannot look into: it would take the GELU out of the product.
    return _gelu_of_linear(x, weight, bias)


@_opaque_gelu_of_linear.register_fake
def _(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    return x.new_empty(*x.shape[:-1], weight.shape[0])


def _gelu(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    if torch.compiler.is_compiling():
        opaque: torch.Tensor = _opaque_gelu_of_linear(x, weight, bias)
        return opaque
    return _gelu_of_linear(x, weight, bias)


def vision_layer(x: torch.Tensor, heads: int, eps: float, w: Weights) -> torch.Tensor:
    """Return x (N, patches, D) after one layer; a picture sees itself alone."""
    n, patches, width = x.shape
    h = F.layer_norm(x, (width,), w["norm1"], w["norm1_bias"], eps)
    parts = F.linear(h, w["qkv"], w["qkv_bias"]).view(n, patches, 3, heads, width // heads)
    q, k, v = parts.permute(2, 0, 3, 1, 4).unbind(0)
    h = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, patches, width)
    x = x + F.linear(h, w["out"], w["out_bias"])
    h = F.layer_norm(x, (width,), w["norm2"], w["norm2_bias"], eps)
    return x + F.linear(_gelu(h, w["up"], w["up_bias"]), w["down"], w["down_bias"])


def language_layer(
    x: torch.Tensor, heads: tuple[int, int, int], eps: float, rotation: Pair, w: Weights
) -> torch.Tensor:
    """Return x (B, N, D) after one layer; a token sees those before it.

    Args:
        x: What comes in.
        heads: Number of queries' heads, number of keys' heads, size of a head.
        eps: Of the norms.
        rotation: (N, queries' and keys' heads, size) of its cosines, times the weight of the norm before it; and of its
            sines, for the other half of a head, with their sign.
        w: Weights.
    """
    queries, keys, size = heads
    cosine, sine = rotation
    b, n, _ = x.shape
    parts = F.linear(F.rms_norm(x, x.shape[-1:], w["norm1"], eps), w["qkv"]).view(b, n, queries + 2 * keys, size)
    turned = F.rms_norm(parts[:, :, : queries + keys], (size,), None, eps)
    turned = torch.addcmul(turned * cosine, turned.roll(size // 2, -1), sine).transpose(1, 2)
    value = parts[:, :, queries + keys :].transpose(1, 2)
    h = F.scaled_dot_product_attention(
        turned[:, :queries], turned[:, queries:], value, is_causal=True, enable_gqa=queries != keys
    )
    x = x + F.linear(h.transpose(1, 2).reshape(b, n, queries * size), w["out"])
    gate, up = F.linear(F.rms_norm(x, x.shape[-1:], w["norm2"], eps), w["gate_up"]).chunk(2, -1)
    return x + F.linear(F.silu(gate) * up, w["down"])


def self_layer(x: torch.Tensor, norm: Pair, heads: int, w: Weights) -> torch.Tensor:
    """Return x (B, 1 + H, D) after a layer that attends to itself.

    Args:
        x: What comes in.
        norm: (D,) of the adaptive norm in this denoising step: one plus its scale, and its shift.
        heads: Their number.
        w: Weights.
    """
    b, n, width = x.shape
    h = F.layer_norm(x, (width,), *norm, _NORM_EPS)
    parts = F.linear(h, w["qkv"], w.get("qkv_bias")).view(b, n, 3, heads, -1)
    q, k, v = parts.permute(2, 0, 3, 1, 4).unbind(0)
    h = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, -1)
    return _feed_forward(F.linear(h, w["out"], w["out_bias"]) + x, w)


def cross_layer(
    x: torch.Tensor,
    norm: Pair,
    attended: tuple[torch.Tensor, torch.Tensor, torch.Tensor | None],
    heads: int,
    w: Weights,
) -> torch.Tensor:
    """Return x (B, 1 + H, D) after a layer that attends to what the backbone saw.

    Args:
        x: What comes in.
        norm: See ``self_layer``.
        attended: Keys and values (B, heads, M, size), the same in all denoising steps; and bool (B, 1, 1, M), True for
            what is attended to, None for all.
        heads: Their number.
        w: Weights.
    """
    key, value, mask = attended
    b, n, width = x.shape
    h = F.layer_norm(x, (width,), *norm, _NORM_EPS)
    q = F.linear(h, w["q"], w.get("q_bias")).view(b, n, heads, -1).transpose(1, 2)
    h = F.scaled_dot_product_attention(q, key, value, mask).transpose(1, 2).reshape(b, n, -1)
    return _feed_forward(F.linear(h, w["out"], w["out_bias"]) + x, w)


def _feed_forward(x: torch.Tensor, w: Weights) -> torch.Tensor:
    h = F.layer_norm(x, x.shape[-1:], None, None, _NORM_EPS)
    return x + F.linear(_gelu(h, w["up"], w["up_bias"]), w["down"], w["down_bias"])


def fused(*linears: Any) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return one weight and bias for several linear layers of one input.

    Their own parameters become views of it, with the values that they had: no memory is spent.
    """
    weight = torch.cat([linear.weight.data for linear in linears])
    has_bias = linears[0].bias is not None
    bias = torch.cat([linear.bias.data for linear in linears]) if has_bias else None
    first = 0
    for linear in linears:
        last = first + linear.weight.shape[0]
        linear.weight.data = weight[first:last]
        if bias is not None:
            linear.bias.data = bias[first:last]
        first = last
    return weight, bias


@dataclass(frozen=True)
class Layers:
    """The functions that a forward calls."""

    vision: Callable[..., torch.Tensor] = vision_layer
    language: Callable[..., torch.Tensor] = language_layer
    self_attending: Callable[..., torch.Tensor] = self_layer
    cross_attending: Callable[..., torch.Tensor] = cross_layer


def compiled() -> Layers:
    """Return the layers through ``torch.compile``, each compiled once for all layers of its kind."""
    torch._dynamo.config.cache_size_limit = max(torch._dynamo.config.cache_size_limit, 256)
    functions: Sequence[Callable[..., torch.Tensor]] = (vision_layer, language_layer, self_layer, cross_layer)
    return Layers(*(torch.compile(function, fullgraph=True) for function in functions))
