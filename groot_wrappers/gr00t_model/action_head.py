"""The action head of GR00T N1.6 and N1.7, over NVIDIA's loaded weights.

* ``ActionHead``: features, a state and noise to actions.

What depends on less than a denoising step and a row is computed on less: keys and values of the backbone's features
once a chunk, all that follows from the step's number once for all chunks, and the one embodiment's matrices are
taken out of NVIDIA's stacks once. After ``gr00t/model/gr00t_n1d6/gr00t_n1d6.py``, ``gr00t/model/modules/dit.py`` and
``gr00t/model/modules/embodiment_conditioned_mlp.py``.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  # as everywhere

from groot_wrappers.gr00t_model.fallback import UnsupportedError
from groot_wrappers.gr00t_model.layers import Layers, Weights, fused
from groot_wrappers.gr00t_model.token_mixing import TokenMixing, sees_padding

__all__ = ["ActionHead"]

_OUT_EPS = 1e-6  # of the last norm
Linear = tuple[torch.Tensor, torch.Tensor]


class ActionHead:
    """The flow-matching head of one embodiment.

    Args:
        model: NVIDIA's ``Gr00tN1d6`` or ``Gr00tN1d7``; its projections become views of joined ones.
        embodiment: Index of the embodiment's matrices.
        layers: The functions of the layers.

    Raises:
        UnsupportedError: It is set up in a way that is not known here.
    """

    def __init__(self, model: Any, embodiment: int, layers: Layers) -> None:
        self._head = head = model.action_head
        self._dit = dit = head.model
        _require_known(head, dit)
        self._layers = layers
        self._mixed = TokenMixing(head.vl_self_attention) if sees_padding(head) else None
        self._heads = int(dit.config.num_attention_heads)
        self._text_every = 2 * int(dit.attend_text_every_n_blocks)
        self._horizon, self._steps = int(head.config.action_horizon), int(head.num_inference_timesteps)
        self._weights = [_weights(block, bool(i % 2)) for i, block in enumerate(dit.transformer_blocks)]
        crossing = {i: block.attn1 for i, block in enumerate(dit.transformer_blocks) if i % 2 == 0}
        self._sources = {
            is_text: fused(*(x for own in parts for x in (own.to_k, own.to_v)))
            for is_text in (True, False)
            if (parts := [own for i, own in crossing.items() if (i % self._text_every == 0) is is_text])
        }
        with torch.inference_mode(False), torch.no_grad():
            self._take_embodiment(embodiment)
            self._take_steps(model.device)

    def actions(
        self,
        features: torch.Tensor,
        *,
        pictures: torch.Tensor,
        text: torch.Tensor,
        mask: torch.Tensor,
        attended: torch.Tensor,
        state: torch.Tensor,
        noise: torch.Tensor,
    ) -> torch.Tensor:
        """Return normalised actions.

        Args:
            features: (B, N, D) of the backbone.
            pictures: int64 (B, K), where the pictures' tokens are among them.
            text: int64 (B, M), where the others are; any place stands for what is masked.
            mask: bool (B, 1, 1, M), which of those there are.
            attended: bool (B, N), which features are no padding.
            state: (B, T, S).
            noise: (B, H, A), in the model's dtype as all of them.

        Returns:
            (B, H, A).
        """
        features = self._head.vlln(features)
        if self._mixed is not None:
            features = self._mixed(features, attended)
        places = {True: text, False: pictures}
        sources = {
            is_text: self._keys_and_values(_taken(features, places[is_text]), *source)
            for is_text, source in self._sources.items()
        }
        robot = _linear(F.relu(_linear(state, self._state[0])), self._state[1])
        actions = noise
        for step in range(self._steps):
            actions = actions + self._velocity(actions, robot, sources, mask, step) / self._steps
        return actions

    def _velocity(
        self,
        actions: torch.Tensor,
        robot: torch.Tensor,
        sources: dict[bool, torch.Tensor],
        mask: torch.Tensor,
        step: int,
    ) -> torch.Tensor:
        h = F.silu(_linear(_linear(actions, self._encoder[0]), (self._encoder[1], self._times[step])))
        h = _linear(h, self._encoder[2])
        if self._places is not None:
            h = h + self._places
        x = torch.cat((robot, h), 1)
        taken = {True: 0, False: 0}
        for i, weights in enumerate(self._weights):
            norm = self._norms[step][i]
            if i % 2:
                x = self._layers.self_attending(x, norm, self._heads, weights)
                continue
            is_text = i % self._text_every == 0
            key, value = sources[is_text][taken[is_text]]
            taken[is_text] += 1
            source = (key, value, mask if is_text else None)
            x = self._layers.cross_attending(x, norm, source, self._heads, weights)
        x = F.layer_norm(x[:, -self._horizon :], x.shape[-1:], *self._out_norm[step], _OUT_EPS)
        return _linear(F.relu(_linear(self._dit.proj_out_2(x), self._decoder[0])), self._decoder[1])

    def _keys_and_values(self, source: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        """Return (layers, 2, B, heads, M, size)."""
        b, m, _ = source.shape
        size = self._weights[0]["q"].shape[0] // self._heads
        parts = F.linear(source, weight, bias).view(b, m, -1, 2, self._heads, size)
        return parts.permute(2, 3, 0, 4, 1, 5)

    def _take_embodiment(self, index: int) -> None:
        def linear(stack: Any) -> Linear:
            return stack.W[index].detach().clone(), stack.b[index].detach().clone()

        head = self._head
        encoder = head.action_encoder
        self._state = linear(head.state_encoder.layer1), linear(head.state_encoder.layer2)
        self._decoder = linear(head.action_decoder.layer1), linear(head.action_decoder.layer2)
        (second, self._second_bias), width = linear(encoder.W2), int(encoder.hidden_size)
        self._encoder = linear(encoder.W1), second[:width], linear(encoder.W3)
        self._of_time = second[width:]
        self._places: torch.Tensor | None = None
        if head.config.add_pos_embed:
            self._places = head.position_embedding.weight[: self._horizon].detach().clone()

    def _take_steps(self, device: torch.device) -> None:
        """Compute what depends on the number of a denoising step alone."""
        self._times: list[torch.Tensor] = []
        self._norms: list[list[Linear]] = []
        self._out_norm: list[Linear] = []
        for step in range(self._steps):
            time = int(step / float(self._steps) * self._head.num_timestep_buckets)
            wave = self._head.action_encoder.pos_encoding(torch.full((1, 1), time, device=device))[0, 0]
            wave = wave.to(self._of_time.dtype).float()
            own = wave @ self._of_time.float() + self._second_bias.float()
            self._times.append(own.to(self._of_time.dtype))
            embedded = F.silu(self._dit.timestep_encoder(torch.full((1,), time, device=device)))
            norms = []
            for block in self._dit.transformer_blocks:
                scale, shift = block.norm1.linear(embedded)[0].chunk(2)
                norms.append(((1 + scale).contiguous(), shift.contiguous()))
            self._norms.append(norms)
            shift, scale = self._dit.proj_out_1(embedded)[0].chunk(2)
            self._out_norm.append(((1 + scale).contiguous(), shift.contiguous()))


def _linear(x: torch.Tensor, layer: Linear) -> torch.Tensor:
    """Apply a matrix that is stored as (in, out)."""
    weight, bias = layer
    return torch.addmm(bias, x.reshape(-1, x.shape[-1]), weight).view(*x.shape[:-1], -1)


def _taken(features: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    return features.gather(1, places[:, :, None].expand(-1, -1, features.shape[-1]))


def _weights(block: Any, is_self: bool) -> Weights:
    own, (up, _, down) = block.attn1, block.ff.net[:3]
    weights = {
        "out": own.to_out[0].weight,
        "out_bias": own.to_out[0].bias,
        "up": up.proj.weight,
        "up_bias": up.proj.bias,
        "down": down.weight,
        "down_bias": down.bias,
    }
    name, (weight, bias) = ("qkv", fused(own.to_q, own.to_k, own.to_v)) if is_self else ("q", _parameters(own.to_q))
    weights[name] = weight
    if bias is not None:
        weights[f"{name}_bias"] = bias
    return weights


def _parameters(linear: Any) -> tuple[torch.Tensor, torch.Tensor | None]:
    return linear.weight, linear.bias


def _require_known(head: Any, dit: Any) -> None:
    config = dit.config
    known = {
        "use_alternate_vl_dit": (bool(head.config.use_alternate_vl_dit), True),
        "class": (type(dit).__name__, "AlternateVLDiT"),
        "interleave_self_attention": (bool(config.interleave_self_attention), True),
        "norm_type": (config.norm_type, "ada_norm"),
        "norm_elementwise_affine": (bool(config.norm_elementwise_affine), False),
        "norm_eps": (float(config.norm_eps), 1e-5),
        "activation_fn": (config.activation_fn, "gelu-approximate"),
        "positional_embeddings": (config.positional_embeddings, None),
        "upcast_attention": (bool(config.upcast_attention), False),
    }
    for name, (found, expected) in known.items():
        if found != expected:
            raise UnsupportedError(f"the action head's {name} is {found!r}, and {expected!r} is known here")
