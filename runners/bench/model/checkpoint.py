"""What is asked of the section ``model``: a checkpoint, and observations that it takes, read from its own files.

* ``Asked``: the checkpoint and how it is to be served.
* ``observation_of``: random pictures and states, as its embodiment has them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig

from groot_wrappers.errors import ContractError
from groot_wrappers.gr00t_model.loading import checkpoint_folder

__all__ = ["Asked", "observation_of"]

SIDE = 256
"""Height and width of the pictures: the edge that N1.6's processor brings pictures to."""

INSTRUCTION = "pick up the red cube and place it in the bowl"


@dataclass(frozen=True)
class Asked:
    """The checkpoint and how it is to be served; ``conf/policy/gr00t.yaml`` says what each means.

    Args:
        seconds: How long a batch size is asked for, at least five times.
    """

    model_path: str
    embodiment_tag: str
    tier: str
    batch_sizes: tuple[int, ...]
    device: str
    modality_config_path: str | None
    denoising_steps: int | None
    seconds: float

    @classmethod
    def of(cls, config: DictConfig, model_path: str) -> "Asked":
        """Take the settings of ``conf/bench.yaml``, with the folder of the checkpoint."""
        policy, section = config.policy, config.model
        return cls(
            model_path=model_path,
            embodiment_tag=policy.embodiment_tag,
            tier=policy.tier,
            batch_sizes=tuple(sorted(section.batches)),
            device=policy.device,
            modality_config_path=policy.modality_config_path,
            denoising_steps=policy.denoising_steps,
            seconds=section.seconds,
        )

    def settings(self, tier: str) -> Mapping[str, Any]:
        """Return what ``Gr00tModel`` takes, to serve by a tier."""
        return {
            "model_path": self.model_path,
            "embodiment_tag": self.embodiment_tag,
            "tier": tier,
            "batch_sizes": self.batch_sizes,
            "device": self.device,
            "modality_config_path": self.modality_config_path,
            "denoising_steps": self.denoising_steps,
        }


def observation_of(asked: Asked, batch: int) -> dict[str, Any]:
    """Return a random observation of B rows: uint8 (B, T, SIDE, SIDE, 3), float32 (B, T, D), and one instruction.

    Raises:
        ContractError: The files of the checkpoint do not say what its embodiment has.
    """
    folder = checkpoint_folder(asked.model_path) or Path(asked.model_path)
    try:
        processor = json.loads((folder / "processor_config.json").read_text(encoding="utf-8"))
        configs = processor["processor_kwargs"]["modality_configs"][asked.embodiment_tag]
        statistics = json.loads((folder / "statistics.json").read_text(encoding="utf-8"))[asked.embodiment_tag]
        frames, steps = (len(configs[kind]["delta_indices"]) for kind in ("video", "state"))
        widths = {key: len(statistics["state"][key]["min"]) for key in configs["state"]["modality_keys"]}
        cameras, (language,) = configs["video"]["modality_keys"], configs["language"]["modality_keys"]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ContractError(
            f"policy.model_path={asked.model_path} does not say what policy.embodiment_tag={asked.embodiment_tag} has: "
            f"{type(error).__name__}: {error} (of processor_config.json and statistics.json). Name the value of the "
            "tag, for instance policy.embodiment_tag=libero_panda, and the folder of a checkpoint."
        ) from error
    rng = np.random.default_rng(0)
    return {
        "video": {key: rng.integers(0, 256, (batch, frames, SIDE, SIDE, 3), dtype=np.uint8) for key in cameras},
        "state": {
            key: rng.normal(size=(batch, steps, width)).astype(np.float32) for key, width in sorted(widths.items())
        },
        "language": {language: [[INSTRUCTION]] * batch},
    }
