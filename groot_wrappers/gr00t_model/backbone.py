"""The vision and language model of GR00T N1.6, over NVIDIA's loaded weights.

* ``Backbone``: pictures and prompts to features.

What NVIDIA's forward does beside and this does not: the order of windows that no window attention uses, logits over the
whole vocabulary that nobody reads, and padding on the left, which needs a mask. After
``gr00t/model/modules/eagle_backbone.py`` and ``Eagle-Block2A-2B-v2/modeling_eagle3_vl.py``, ``modeling_siglip2.py``.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  # as everywhere

from groot_wrappers.gr00t_model.fallback import UnsupportedError
from groot_wrappers.gr00t_model.layers import Layers, Weights, fused

__all__ = ["Backbone"]


class Backbone:
    """N1.6's Eagle: Siglip2 and Qwen3.

    Args:
        model: NVIDIA's ``Gr00tN1d6``; its projections become views of joined ones.
        layers: The functions of the layers.

    Raises:
        UnsupportedError: It is set up in a way that is not known here.
    """

    def __init__(self, model: Any, layers: Layers) -> None:
        self._eagle = eagle = model.backbone.model
        vision, text = eagle.config.vision_config, eagle.config.text_config
        _require_known(eagle, vision, text)
        self._layers = layers
        self._tower = eagle.vision_model.vision_model
        self._language = eagle.language_model.model
        self.patch = int(vision.patch_size)
        self._vision_heads, self._vision_eps = int(vision.num_attention_heads), float(vision.layer_norm_eps)
        self._heads = (int(text.num_attention_heads), int(text.num_key_value_heads), int(text.head_dim))
        self._eps = float(text.rms_norm_eps)
        self._vision_weights = [_vision_weights(layer) for layer in self._tower.encoder.layers]
        self._language_weights = [_language_weights(layer) for layer in self._language.layers]
        self._positions: dict[int, torch.Tensor] = {}
        self._rotations: dict[int, list[tuple[torch.Tensor, torch.Tensor]]] = {}

    def tokens_of(self, size: int) -> int:
        """Return how many ids a picture takes in a prompt."""
        return (size // self.patch // 2) ** 2

    def features(self, pictures: torch.Tensor, ids: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        """Return what the action head attends to.

        Args:
            pictures: (B * P, S, S, 3), normalised, in the model's dtype.
            ids: int64 (B, N), padded on the right with anything: later tokens are not seen by those before.
            places: int64 (B, K), where the pictures' ids are.

        Returns:
            (B, N, D).
        """
        seen = self._seen(pictures).view(ids.shape[0], places.shape[1], -1)
        x = F.embedding(ids, self._language.embed_tokens.weight)
        x = x.scatter(1, places[:, :, None].expand(-1, -1, x.shape[-1]), seen)
        for weights, rotation in zip(self._language_weights, self._rotation(ids.shape[1])):  # noqa: B905  # of one length
            x = self._layers.language(x, self._heads, self._eps, rotation, weights)
        return F.rms_norm(x, x.shape[-1:], self._language.norm.weight, self._eps)

    def _seen(self, pictures: torch.Tensor) -> torch.Tensor:
        n, size, patch = pictures.shape[0], pictures.shape[1], self.patch
        grid = size // patch
        patches = pictures.reshape(n, grid, patch, grid, patch, 3).permute(0, 1, 3, 2, 4, 5)
        x = self._tower.embeddings.patch_embedding(patches.reshape(n, grid * grid, -1)) + self._position(grid)
        for weights in self._vision_weights:
            x = self._layers.vision(x, self._vision_heads, self._vision_eps, weights)
        x = self._tower.post_layernorm(x)
        # Four neighbours become one token, a number of theirs after the other.
        cells = x.view(n, grid // 2, 2, grid // 2, 2, -1).permute(0, 1, 3, 5, 2, 4)
        joined: torch.Tensor = self._eagle.mlp1(cells.reshape(n, grid * grid // 4, -1))
        return joined

    def _position(self, grid: int) -> torch.Tensor:
        if grid not in self._positions:
            embeddings = self._tower.embeddings
            side = embeddings.position_embedding_size
            table = embeddings.position_embedding.weight.reshape(side, side, -1)
            resized = embeddings.resize_positional_embeddings(table, torch.tensor([[grid, grid]]))
            self._positions[grid] = resized[0].clone()
        return self._positions[grid]

    def _rotation(self, length: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Return each layer's cosines and sines, with the weights of the norms that come right before them."""
        if length not in self._rotations:
            weight = self._language.embed_tokens.weight
            positions = torch.arange(length, device=weight.device)[None]
            cosine, sine = (table[0, :, None] for table in self._language.rotary_emb(weight[None, :1], positions))
            half = cosine.shape[-1] // 2
            sign = torch.ones_like(sine)
            sign[..., :half] = -1
            queries, keys, _ = self._heads
            self._rotations[length] = []
            for layer in self._language.layers:
                own = layer.self_attn
                norm = torch.stack([own.q_norm.weight] * queries + [own.k_norm.weight] * keys)
                tables = (norm.float() * cosine.float(), norm.roll(half, -1).float() * sine.float() * sign.float())
                self._rotations[length].append((tables[0].to(weight.dtype), tables[1].to(weight.dtype)))
        return self._rotations[length]


def _vision_weights(layer: Any) -> Weights:
    own = layer.self_attn
    qkv, bias = fused(own.q_proj, own.k_proj, own.v_proj)
    assert bias is not None  # noqa: S101  # of Siglip2, see _require_known
    return {
        "norm1": layer.layer_norm1.weight,
        "norm1_bias": layer.layer_norm1.bias,
        "qkv": qkv,
        "qkv_bias": bias,
        "out": own.out_proj.weight,
        "out_bias": own.out_proj.bias,
        "norm2": layer.layer_norm2.weight,
        "norm2_bias": layer.layer_norm2.bias,
        "up": layer.mlp.fc1.weight,
        "up_bias": layer.mlp.fc1.bias,
        "down": layer.mlp.fc2.weight,
        "down_bias": layer.mlp.fc2.bias,
    }


def _language_weights(layer: Any) -> Weights:
    own = layer.self_attn
    return {
        "norm1": layer.input_layernorm.weight,
        "qkv": fused(own.q_proj, own.k_proj, own.v_proj)[0],
        "out": own.o_proj.weight,
        "norm2": layer.post_attention_layernorm.weight,
        "gate_up": fused(layer.mlp.gate_proj, layer.mlp.up_proj)[0],
        "down": layer.mlp.down_proj.weight,
    }


def _require_known(eagle: Any, vision: Any, text: Any) -> None:
    known = {
        "vision_config.model_type": (vision.model_type, "siglip2_vision_model"),
        "vision_config.use_rope": (bool(getattr(vision, "use_rope", False)), False),
        "vision_config.use_windows_attn": (bool(getattr(vision, "use_windows_attn", False)), False),
        "vision_config.hidden_act": (vision.hidden_act, "gelu_pytorch_tanh"),
        "text_config.architectures": (list(text.architectures), ["Qwen3ForCausalLM"]),
        "text_config.hidden_act": (text.hidden_act, "silu"),
        "text_config.attention_bias": (bool(text.attention_bias), False),
        "text_config.use_sliding_window": (bool(text.use_sliding_window), False),
        "select_layer": (eagle.select_layer, -1),
        "downsample_ratio": (eagle.downsample_ratio, 0.5),
        "use_llm_lora": (bool(eagle.config.use_llm_lora), False),
        "use_backbone_lora": (bool(eagle.config.use_backbone_lora), False),
    }
    for name, (found, expected) in known.items():
        if found != expected:
            raise UnsupportedError(f"the backbone's {name} is {found!r}, and {expected!r} is known here")
