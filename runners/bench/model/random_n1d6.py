"""A checkpoint of Isaac-GR00T N1.6 with random weights. Importing this needs NVIDIA's package of that release."""

import contextlib
import json
from pathlib import Path
from typing import Any

import torch
from gr00t.configs.data.embodiment_configs import MODALITY_CONFIGS
from gr00t.configs.model.gr00t_n1d6 import Gr00tN1d6Config
from gr00t.data.utils import to_json_serializable
from gr00t.model.gr00t_n1d6.gr00t_n1d6 import Gr00tN1d6
from safetensors.torch import save_file
from transformers.modeling_utils import no_init_weights  # type: ignore[attr-defined, unused-ignore]  # of 4.51

from runners.bench.model.random_weights import TINY_DIT, randomise, statistics_of

__all__ = ["write_random_n1d6"]

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
    tags = to_json_serializable({tag: MODALITY_CONFIGS[tag] for tag in DIMENSIONS if tag in MODALITY_CONFIGS})
    tags["new_embodiment"] = LIFT
    settings = {
        "modality_configs": tags,
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
