"""A checkpoint of Isaac-GR00T N1.7 with random weights, see ``groot_wrappers.gr00t_model.random_checkpoint``.

Its backbone is one of transformers, which NVIDIA's code loads by name: the checkpoint has a folder of that name, whose
tokenizer is that of N1.6's Eagle (of the same family), since Qwen3-VL's own is not in NVIDIA's package.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path

import torch

from groot_wrappers.gr00t_model.random_checkpoint import TINY_DIT, write_randomised

__all__ = ["write_random_n1d7"]

DIMENSIONS = {"libero_sim": {"state": {"gripper": 2}, "action": {}}}
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{% for c in m.content %}{% if c.type == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ c.text }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
)
PICTURES = {
    "image_processor_type": "Qwen2VLImageProcessorFast",
    "patch_size": 16,
    "temporal_patch_size": 2,
    "merge_size": 2,
    "image_mean": [0.5] * 3,
    "image_std": [0.5] * 3,
    "size": {"shortest_edge": 65536, "longest_edge": 16777216},
}
TEXT = {
    "vocab_size": 151936,
    "hidden_size": 2048,
    "intermediate_size": 6144,
    "num_hidden_layers": 12,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "rope_theta": 5000000,
    "rope_scaling": {"rope_type": "default", "mrope_section": [24, 20, 20], "mrope_interleaved": True},
    "tie_word_embeddings": True,
}
VISION = {
    "depth": 24,
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_heads": 16,
    "patch_size": 16,
    "out_hidden_size": 2048,
    "deepstack_visual_indexes": [5, 11, 17],
}
MIXING = {
    "num_layers": 4,
    "num_attention_heads": 32,
    "attention_head_dim": 64,
    "dropout": 0.2,
    "final_dropout": True,
    "positional_embeddings": None,
}
"""Layers between the backbone and the denoising: of the size that NVIDIA's export of N1.7 tells of."""
TINY_MIXING = {"num_layers": 2, "num_attention_heads": 4, "attention_head_dim": 16}
TINY_TEXT = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 3, "num_attention_heads": 4}
TINY_TEXT |= {"num_key_value_heads": 2, "head_dim": 16}
TINY_TEXT["rope_scaling"] = {"rope_type": "default", "mrope_section": [4, 2, 2], "mrope_interleaved": True}
TINY_VISION = {"depth": 3, "hidden_size": 64, "intermediate_size": 96, "num_heads": 4, "out_hidden_size": 64}
TINY_VISION["deepstack_visual_indexes"] = [0, 1]


def write_random_n1d7(
    folder: Path, tokenizer: Path, *, tiny: bool = False, horizon: int = 40, device: str = "cpu"
) -> Path:
    """Write what N1.7's ``Gr00tPolicy`` reads.

    Args:
        folder: Where to; made if it is not there.
        tokenizer: Folder with ``vocab.json`` and ``merges.txt`` of the Qwen family.
        tiny: Whether all of it is as small as a CPU likes.
        horizon: Control steps of a chunk that the head predicts.
        device: Where the weights are drawn.
    """
    from gr00t.configs.data.embodiment_configs import MODALITY_CONFIGS
    from gr00t.configs.model.gr00t_n1d7 import Gr00tN1d7Config
    from gr00t.data.utils import to_json_serializable
    from gr00t.model.gr00t_n1d7.gr00t_n1d7 import Gr00tN1d7

    name = folder / "nvidia" / "Cosmos-Reason2-random"
    _write_backbone(name, tokenizer, tiny, device)
    small = {
        "backbone_embedding_dim": 64,
        "select_layer": 3,
        "hidden_size": 24,
        "input_embedding_dim": 32,
        "diffusion_model_cfg": TINY_DIT,
        "use_flash_attention": False,
    }
    config = Gr00tN1d7Config(
        model_name=str(name.resolve()),
        action_horizon=horizon,
        backbone_trainable_params_fp32=False,
        **(small if tiny else {}),
    )
    config.vl_self_attention_cfg = MIXING | (TINY_MIXING if tiny else {})
    torch.manual_seed(7)
    with contextlib.redirect_stdout(None):
        model = Gr00tN1d7(config).to(device=device, dtype=torch.bfloat16).eval()
    tags = to_json_serializable({tag: MODALITY_CONFIGS[tag] for tag in DIMENSIONS})
    return write_randomised(folder, model, tags, DIMENSIONS, {"model_name": str(name.resolve())})


def _write_backbone(folder: Path, tokenizer: Path, tiny: bool, device: str) -> None:
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration
    from transformers.modeling_utils import no_init_weights

    folder.mkdir(parents=True, exist_ok=True)
    for file in ("vocab.json", "merges.txt", "added_tokens.json", "special_tokens_map.json", "tokenizer_config.json"):
        shutil.copy(tokenizer / file, folder / file)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings = {key: value for key, value in settings.items() if key not in ("auto_map", "processor_class")}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"tokenizer_class": "Qwen2Tokenizer"}))
    (folder / "preprocessor_config.json").write_text(json.dumps(PICTURES))
    video = PICTURES | {"video_processor_type": "Qwen3VLVideoProcessor"}
    (folder / "video_preprocessor_config.json").write_text(json.dumps(video))
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": TEMPLATE}))
    config = Qwen3VLConfig(
        text_config=TEXT | (TINY_TEXT if tiny else {}),
        vision_config=VISION | (TINY_VISION if tiny else {}),
        tie_word_embeddings=True,
    )
    with no_init_weights(), torch.device(device):
        backbone = Qwen3VLForConditionalGeneration(config).to(dtype=torch.bfloat16)
    with torch.inference_mode():
        for parameter in backbone.parameters():  # what is loaded by name must be numbers; the checkpoint's replace them
            parameter.zero_()
    backbone.save_pretrained(folder)
