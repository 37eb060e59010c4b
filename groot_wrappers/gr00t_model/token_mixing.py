"""What N1.7's action head has before it denoises: the backbone's tokens, pictures and text, attend to one another.

* ``TokenMixing``: those layers, over NVIDIA's loaded weights, with padding left out.
* ``sees_padding``: whether a head has them.

NVIDIA's own layers take no mask: in a batch of prompts of several lengths they attend to the padding too, so that a
row's answer there hangs on its neighbours. After ``SelfAttentionTransformer`` of ``gr00t/model/modules/dit.py``.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  # as everywhere

from groot_wrappers.gr00t_model.fallback import UnsupportedError
from groot_wrappers.gr00t_model.layers import fused

__all__ = ["TokenMixing", "sees_padding"]


def sees_padding(head: Any) -> bool:
    """Return whether NVIDIA's head mixes tokens, so that its answers of padded rows are others than of rows alone."""
    mixing = getattr(head, "vl_self_attention", None)
    return mixing is not None and not isinstance(mixing, torch.nn.Identity)


class TokenMixing:
    """The layers of a head that mixes tokens.

    Args:
        module: ``vl_self_attention`` of NVIDIA's head; its projections become views of joined ones.

    Raises:
        UnsupportedError: It is set up in a way that is not known here.
    """

    def __init__(self, module: Any) -> None:
        self._blocks = list(module.transformer_blocks)
        config = module.config
        known = {
            "activation_fn": (config.activation_fn, "gelu-approximate"),
            "upcast_attention": (bool(config.upcast_attention), False),
            "norm_type": ({block.norm_type for block in self._blocks}, {"layer_norm"}),
            "positional_embeddings": ({block.positional_embeddings for block in self._blocks}, {None}),
        }
        for name, (found, expected) in known.items():
            if found != expected:
                raise UnsupportedError(f"the action head's vl_self_attention has {name} {found!r}, not {expected!r}")
        self._heads = int(config.num_attention_heads)
        self._joined = [fused(own.to_q, own.to_k, own.to_v) for own in (block.attn1 for block in self._blocks)]

    def __call__(self, features: torch.Tensor, attended: torch.Tensor) -> torch.Tensor:
        """Return features (B, N, D) that know of one another; those of padding mean nothing.

        Args:
            features: (B, N, D), normalised.
            attended: bool (B, N), which are no padding.
        """
        x, mask = features, attended[:, None, None]
        b, n, _ = x.shape
        for block, (weight, bias) in zip(self._blocks, self._joined):  # noqa: B905  # of one length
            parts = F.linear(block.norm1(x), weight, bias).view(b, n, 3, self._heads, -1)
            q, k, v = parts.permute(2, 0, 3, 1, 4).unbind(0)
            h = F.scaled_dot_product_attention(q, k, v, mask)
            x = block.attn1.to_out[0](h.transpose(1, 2).reshape(b, n, -1)) + x
            x = block.ff(block.norm3(x)) + x
        return x
