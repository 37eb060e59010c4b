"""Weights and statistics for a checkpoint of Isaac-GR00T of any release, to measure where no trained one is at hand.

* ``randomise``: weights that are scaled so that a denoising step moves the actions as a trained head does: those of a
  fresh model move the noise by a seventh of that, which flatters a comparison.
* ``statistics_of``: statistics for the processor.
* ``TINY_DIT``: a small action head, for a CPU.
"""

from collections.abc import Mapping
from typing import Any

import torch

__all__ = ["TINY_DIT", "randomise", "statistics_of"]

TINY_DIT = {
    "positional_embeddings": None,
    "num_layers": 4,
    "num_attention_heads": 2,
    "attention_head_dim": 16,
    "norm_type": "ada_norm",
    "dropout": 0.2,
    "final_dropout": True,
    "output_dim": 24,
    "interleave_self_attention": True,
}
VELOCITY = 0.7
"""Standard deviation of a trained head's velocity, near enough."""


def randomise(model: Any) -> None:
    """Draw weights like a trained model's, with a velocity of its size.

    Args:
        model: NVIDIA's, of any release.
    """
    for parameter in model.parameters():
        if parameter.ndim == 1:  # norms and biases: near what they are in a trained model
            parameter.copy_(0.1 * torch.randn_like(parameter))
        else:
            parameter.copy_(torch.randn_like(parameter) * parameter.shape[-1] ** -0.5)
    for module in model.modules():
        if "Norm" in type(module).__name__ and getattr(module, "weight", None) is not None:
            module.weight.add_(1)
    head = model.action_head
    for linear in head.modules():
        if type(linear).__name__ == "CategorySpecificLinear":
            linear.W.copy_(torch.randn_like(linear.W) * linear.W.shape[1] ** -0.5)
            linear.b.copy_(0.1 * torch.randn_like(linear.b))
    drawn: list[torch.Tensor] = []
    hook = head.action_decoder.register_forward_hook(lambda _, __, output: drawn.append(output.float()))
    width, device = model.config.backbone_embedding_dim, model.device
    tokens = 40
    backbone = {
        "backbone_features": torch.randn(4, tokens, width, dtype=model.dtype, device=device),
        "backbone_attention_mask": torch.ones(4, tokens, dtype=torch.bool, device=device),
        "image_mask": (torch.arange(tokens, device=device) < tokens // 2)[None].repeat(4, 1),
    }
    inputs = {
        "state": torch.randn(4, 1, model.config.max_state_dim, dtype=model.dtype, device=device),
        "embodiment_id": torch.full((4,), 2, device=device),
    }
    from transformers.feature_extraction_utils import BatchFeature  # noqa: PLC0415  # there where the model is

    head.get_action(BatchFeature(data=backbone), BatchFeature(data=inputs))
    hook.remove()
    factor = VELOCITY / torch.stack(drawn).std().item()
    head.action_decoder.layer2.W.mul_(factor)
    head.action_decoder.layer2.b.mul_(factor)


def statistics_of(dimensions: Mapping[str, Mapping[str, int]], configs: Any) -> dict[str, Any]:
    """Return the statistics of an embodiment's keys.

    Args:
        dimensions: Modality to key to its width, of keys that have more than one number.
        configs: The embodiment's modality configs, as JSON has them.
    """
    statistics: dict[str, dict[str, Any]] = {"state": {}, "action": {}, "relative_action": {}}
    for modality in ("state", "action"):
        for key in configs[modality]["modality_keys"]:
            n = dimensions[modality].get(key, 1)
            one = {"min": -1.5, "max": 1.25, "q01": -1.4, "q99": 1.2, "mean": 0.05, "std": 0.6}
            statistics[modality][key] = {name: [value] * n for name, value in one.items()}
            if modality == "action":
                steps = len(configs["action"]["delta_indices"])
                statistics["relative_action"][key] = {name: [[value] * n] * steps for name, value in one.items()}
    return statistics
