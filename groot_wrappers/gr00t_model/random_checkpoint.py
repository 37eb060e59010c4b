"""A checkpoint of Isaac-GR00T with random weights, to measure where no trained one is at hand.

* ``write_random_n1d6``: one of N1.6.
* ``randomise``: weights of any release that are scaled so that a denoising step moves the actions as a trained head
  does: those of a fresh model move the noise by a seventh of that, which flatters a comparison.
* ``write_randomised``: what a model of any release is written as.
* ``statistics_of``: statistics for the processor.
* ``TINY_DIT``: a small action head, for a CPU.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

__all__ = ["TINY_DIT", "randomise", "statistics_of", "write_random_n1d6", "write_randomised"]

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

DIMENSIONS: dict[str, dict[str, dict[str, int]]] = {
    "libero_panda": {"state": {"gripper": 2}, "action": {}},
    "oxe_droid": {"state": {"joint_position": 7}, "action": {"joint_position": 7}},
    "new_embodiment": {"state": {"joint_positions": 9}, "action": {"joint_positions": 9}},
}
"""The embodiments of the checkpoint; of their keys those that have more than one number."""

LIFT: dict[str, Any] = {
    "video": {"delta_indices": [0], "modality_keys": ["wrist_camera", "scene_camera"]},
    "state": {"delta_indices": [0], "modality_keys": ["joint_positions"]},
    "action": {
        "delta_indices": list(range(16)),
        "modality_keys": ["joint_positions"],
        "action_configs": [{"rep": "ABSOLUTE", "type": "NON_EEF", "format": "DEFAULT", "state_key": None}],
    },
    "language": {"delta_indices": [0], "modality_keys": ["task"]},
}
"""Those of ``new_embodiment``, which are the user's to define: here as in ``conf/embodiment/new_embodiment.yaml``."""


def write_random_n1d6(folder: Path, *, tiny: bool = False, horizon: int = 16, device: str = "cpu") -> Path:
    """Write what ``Gr00tPolicy`` reads: weights, statistics and the processor's settings.

    Args:
        folder: Where to; made if it is not there.
        tiny: Whether the backbone was shrunk and the head is to be as small.
        horizon: Control steps of a chunk that the head predicts.
        device: Where the weights are drawn.
    """
    from gr00t.configs.data.embodiment_configs import MODALITY_CONFIGS  # noqa: PLC0415  # not installed elsewhere
    from gr00t.configs.model.gr00t_n1d6 import Gr00tN1d6Config  # noqa: PLC0415
    from gr00t.data.utils import to_json_serializable  # noqa: PLC0415
    from gr00t.model.gr00t_n1d6.gr00t_n1d6 import Gr00tN1d6  # noqa: PLC0415
    from transformers.modeling_utils import no_init_weights  # type: ignore[attr-defined, unused-ignore]  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True)
    small = {
        "backbone_embedding_dim": 64,
        "select_layer": 3,
        "hidden_size": 24,
        "input_embedding_dim": 32,
        "diffusion_model_cfg": TINY_DIT,
        "max_num_embodiments": 32,
    }
    config = Gr00tN1d6Config(action_horizon=horizon, backbone_trainable_params_fp32=False, **(small if tiny else {}))
    torch.manual_seed(7)
    with no_init_weights(), torch.device(device), contextlib.redirect_stdout(None):
        model = Gr00tN1d6(config).to(device=device, dtype=torch.bfloat16).eval()
    tags = to_json_serializable({tag: MODALITY_CONFIGS[tag] for tag in DIMENSIONS if tag in MODALITY_CONFIGS})
    tags["new_embodiment"] = LIFT
    return write_randomised(folder, model, tags, DIMENSIONS, {"use_relative_action": True})


def write_randomised(
    folder: Path,
    model: Any,
    tags: Mapping[str, Any],
    dimensions: Mapping[str, Mapping[str, Mapping[str, int]]],
    settings: Mapping[str, Any],
) -> Path:
    """Draw a model's weights, and write them with what ``Gr00tPolicy`` reads beside them.

    Args:
        folder: Where to; it is there.
        model: NVIDIA's, of any release.
        tags: Modality configs of each embodiment, as JSON has them.
        dimensions: Of each embodiment, as ``statistics_of`` takes them.
        settings: Of the processor, those that are the release's own.
    """
    from safetensors.torch import save_file  # noqa: PLC0415  # there where the model is

    with torch.inference_mode():
        randomise(model)
    tensors = {name: value.contiguous().clone() for name, value in model.state_dict().items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    config, kind = model.config, type(model).__name__
    config.architectures = [kind]
    (folder / "config.json").write_text(config.to_json_string(use_diff=False))
    whole = {
        "modality_configs": tags,
        "shortest_image_edge": 256,
        "crop_fraction": 0.95,
        "use_albumentations": True,
        "max_state_dim": config.max_state_dim,
        "max_action_dim": config.max_action_dim,
        "max_action_horizon": config.action_horizon,
        **settings,
    }
    (folder / "processor_config.json").write_text(
        json.dumps({"processor_class": f"{kind}Processor", "processor_kwargs": whole})
    )
    statistics = {tag: statistics_of(dimensions[tag], configs) for tag, configs in tags.items()}
    (folder / "statistics.json").write_text(json.dumps(statistics))
    return folder


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
