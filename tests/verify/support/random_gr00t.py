"""A checkpoint of Isaac-GR00T N1.6 with random weights, to measure and compare where no trained one is at hand.

Needs NVIDIA's package on PYTHONPATH. The weights are scaled so that a denoising step moves the actions as a trained
head does: those of a fresh model move the noise by a seventh of that, which flatters a comparison.
"""

from __future__ import annotations

import contextlib
import json
import sys
import types
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import torch

__all__ = [
    "import_gr00t",
    "randomise",
    "shrink_backbone",
    "statistics_of",
    "without_flash_attention",
    "write_random_checkpoint",
]

DIMENSIONS = {
    "libero_panda": {"state": {"gripper": 2}, "action": {}},
    "oxe_droid": {"state": {"joint_position": 7}, "action": {"joint_position": 7}},
}
"""Of the keys that have more than one number."""

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


def import_gr00t() -> str:
    """Register the classes of the installed release with transformers, without the training stack where that is not.

    Returns:
        ``n1d6`` or ``n1d7``.
    """
    folder = Path(next(iter(find_spec("gr00t").submodule_search_locations))) / "model"
    release = "n1d7" if (folder / "gr00t_n1d7").is_dir() else "n1d6"
    try:
        import_module("gr00t.model")
    except ImportError:
        for name in [name for name in sys.modules if name.startswith("gr00t.")]:
            del sys.modules[name]
        bare = types.ModuleType("gr00t.model")
        bare.__path__ = [str(folder)]
        sys.modules["gr00t.model"] = bare
    bare_release = types.ModuleType(f"gr00t.model.gr00t_{release}")
    bare_release.__path__ = [str(folder / f"gr00t_{release}")]
    sys.modules.setdefault(bare_release.__name__, bare_release)  # N1.7's own init imports the training stack
    for module in (f"gr00t_{release}", f"processing_gr00t_{release}"):
        import_module(f"gr00t.model.gr00t_{release}.{module}")
    return release


def without_flash_attention() -> None:
    """Let models be built and run where flash-attn is not, on a CPU: its calls are answered by PyTorch's attention.

    To be called before a model is built, and again after the first is.
    """
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS, PreTrainedModel

    def accept(cls, config, *_, **__):
        config._attn_implementation = "flash_attention_2"
        return config

    def packed(module, query, key, value, mask, *, scaling, seq_len_list, **_):
        parts = [part.split(seq_len_list, 2) for part in (query, key, value)]
        rows = [
            torch.nn.functional.scaled_dot_product_attention(q, k, v, scale=scaling)
            for q, k, v in zip(*parts, strict=True)
        ]
        return torch.cat(rows, 2).transpose(1, 2), None

    def padded(module, query, key, value, mask, *, scaling=None, **_):
        seen = torch.ones(query.shape[2], key.shape[2], dtype=torch.bool, device=query.device).tril()[None, None]
        if mask is not None:
            seen = seen & mask[:, None, None].bool() | torch.eye(query.shape[2], dtype=torch.bool, device=query.device)
        groups = query.shape[1] // key.shape[1]
        key, value = (part.repeat_interleave(groups, 1) for part in (key, value))
        out = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=seen, scale=scaling)
        return out.transpose(1, 2), None

    PreTrainedModel._check_and_enable_flash_attn_2 = classmethod(accept)
    ALL_ATTENTION_FUNCTIONS.register("flash_attention_2", padded)
    for name, module in list(sys.modules.items()):  # the vision tower is code that comes with the checkpoint
        if name.endswith("modeling_siglip2") and "transformers_modules" in name:
            module.flash_attention_forward_for_packing = packed


def shrink_backbone() -> None:
    """Let backbones be built from now on with a tenth of the width and a few layers: for a CPU."""
    from gr00t.model.modules import eagle_backbone

    whole = eagle_backbone.AutoConfig

    class Small:
        @staticmethod
        def from_pretrained(*arguments, **named):
            config = whole.from_pretrained(*arguments, **named)
            for name, value in (("hidden_size", 64), ("intermediate_size", 96), ("num_hidden_layers", 3)):
                setattr(config.text_config, name, value)
                setattr(config.vision_config, name, value)
            config.text_config.num_attention_heads, config.text_config.num_key_value_heads = 4, 2
            config.text_config.head_dim, config.vision_config.num_attention_heads = 16, 4
            return config

    eagle_backbone.AutoConfig = Small


def write_random_checkpoint(folder: Path, *, tiny: bool = False, horizon: int = 16, device: str = "cpu") -> Path:
    """Write what ``Gr00tPolicy`` reads: weights, statistics and the processor's settings.

    Args:
        folder: Where to; made if it is not there.
        tiny: Whether the backbone was shrunk and the head is to be as small.
        horizon: Control steps of a chunk that the head predicts.
        device: Where the weights are drawn.
    """
    from gr00t.configs.data.embodiment_configs import MODALITY_CONFIGS
    from gr00t.configs.model.gr00t_n1d6 import Gr00tN1d6Config
    from gr00t.data.utils import to_json_serializable
    from gr00t.model.gr00t_n1d6.gr00t_n1d6 import Gr00tN1d6
    from safetensors.torch import save_file
    from transformers.modeling_utils import no_init_weights

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
    with torch.inference_mode():
        randomise(model)
    tensors = {name: value.contiguous().clone() for name, value in model.state_dict().items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    config.architectures = ["Gr00tN1d6"]
    (folder / "config.json").write_text(config.to_json_string(use_diff=False))
    tags = {tag: MODALITY_CONFIGS[tag] for tag in DIMENSIONS}
    settings = {
        "modality_configs": to_json_serializable(tags),
        "shortest_image_edge": 256,
        "crop_fraction": 0.95,
        "use_albumentations": True,
        "use_relative_action": True,
        "max_state_dim": config.max_state_dim,
        "max_action_dim": config.max_action_dim,
        "max_action_horizon": horizon,
    }
    (folder / "processor_config.json").write_text(
        json.dumps({"processor_class": "Gr00tN1d6Processor", "processor_kwargs": settings})
    )
    statistics = {tag: statistics_of(DIMENSIONS[tag], configs) for tag, configs in tags.items()}
    (folder / "statistics.json").write_text(json.dumps(statistics))
    return folder


def randomise(model) -> None:
    """Draw weights like a trained model's, with a velocity of its size."""
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
    from transformers.feature_extraction_utils import BatchFeature

    backbone = {
        "backbone_features": torch.randn(4, tokens, width, dtype=model.dtype, device=device),
        "backbone_attention_mask": torch.ones(4, tokens, dtype=torch.bool, device=device),
        "image_mask": (torch.arange(tokens, device=device) < tokens // 2)[None].repeat(4, 1),
    }
    inputs = {
        "state": torch.randn(4, 1, model.config.max_state_dim, dtype=model.dtype, device=device),
        "embodiment_id": torch.full((4,), 2, device=device),
    }
    head.get_action(BatchFeature(data=backbone), BatchFeature(data=inputs))
    hook.remove()
    factor = VELOCITY / torch.stack(drawn).std().item()
    head.action_decoder.layer2.W.mul_(factor)
    head.action_decoder.layer2.b.mul_(factor)


def statistics_of(dimensions: dict, configs) -> dict:
    """Return statistics of the keys of an embodiment; ``dimensions`` has those of more than one number."""
    statistics: dict = {"state": {}, "action": {}, "relative_action": {}}
    for modality in ("state", "action"):
        for key in configs[modality].modality_keys:
            n = dimensions[modality].get(key, 1)
            one = {"min": -1.5, "max": 1.25, "q01": -1.4, "q99": 1.2, "mean": 0.05, "std": 0.6}
            statistics[modality][key] = {name: [value] * n for name, value in one.items()}
            if modality == "action":
                steps = len(configs["action"].delta_indices)
                statistics["relative_action"][key] = {name: [[value] * n] * steps for name, value in one.items()}
    return statistics
