"""NVIDIA's package where not all of it is installed, and small models of it for a CPU."""

from __future__ import annotations

import sys
import types
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import torch

__all__ = ["import_gr00t", "shrink_backbone", "without_flash_attention"]


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
