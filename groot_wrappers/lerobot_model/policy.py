"""The policy: a checkpoint of LeRobot, with its own processors, in batches.

* ``LeRobotModel``: the policy; ``groot_wrappers.serve`` and ``policy=lerobot`` host it.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from groot_wrappers.errors import ContractError
from groot_wrappers.gr00t_model.loading import checkpoint_digest
from groot_wrappers.gr00t_model.noise import row_noise_of
from groot_wrappers.lerobot_model.layout import INSTRUCTION, STATE, layout_of
from groot_wrappers.lerobot_model.sampling import drawn_from
from groot_wrappers.modality import ModalityConfig, ModalityConfigs
from groot_wrappers.protocol.offer import ROW_NOISE

__all__ = ["LeRobotModel"]

_LANGUAGE = "task"
_UNSCALED = ("act", "diffusion")
"""Models that take pictures of any size as they come, and answer nonsense for another than they learned from."""
_NEEDED = ("config.json", "model.safetensors", "policy_preprocessor.json", "policy_postprocessor.json")


class LeRobotModel:
    """A checkpoint of LeRobot, by LeRobot's own factory.

    Args:
        checkpoint: Folder with its ``config.json``: ``pretrained_model`` of a training's checkpoint.
        device: Where the model runs.
        threads: Of torch on the CPU; None leaves torch's own number.

    Attributes:
        identity: What the answers depend on, by name.
        capabilities: ``row_noise``: what a row's answer draws comes from ``options["row_noise"]``.

    Raises:
        ContractError: LeRobot or a module of it, the checkpoint or the device is not there, or the checkpoint wants
            what cannot be sent.
    """

    capabilities = (ROW_NOISE,)

    def __init__(self, checkpoint: str, device: str = "cpu", threads: int | None = None) -> None:
        folder = _checked_folder(checkpoint)
        if threads is not None and threads < 1:
            raise ContractError(f"policy.threads is null or 1 and more, got {threads}")
        _check_device(device)
        if threads is not None:
            torch.set_num_threads(threads)
        self._config, self._model, self._before, self._after = _loaded(folder, device)
        self._layout = layout_of(self._config.input_features, self._config.output_features, folder)
        moments = tuple(int(i) for i in self._config.observation_delta_indices or (0,))
        # Diffusion wants the moments' axis though there is one; others want it where there are several.
        self._moments = len(moments)
        self._has_moments = self._moments > 1 or self._config.type == "diffusion"
        steps = int(getattr(self._config, "chunk_size", None) or self._config.n_action_steps)
        self._modality = {"language": ModalityConfig((0,), (_LANGUAGE,))}
        if self._layout.cameras:
            self._modality["video"] = ModalityConfig(moments, tuple(self._layout.cameras))
        if self._layout.state:
            self._modality["state"] = ModalityConfig(moments, tuple(self._layout.state))
        self._modality["action"] = ModalityConfig(tuple(range(steps)), tuple(self._layout.action))
        self.identity: dict[str, str | int | float | bool] = {
            "policy": "lerobot",
            "model_path": checkpoint,
            "checkpoint": checkpoint_digest(folder),
            "model": str(self._config.type),
            "device": device,
            "lerobot": importlib.metadata.version("lerobot"),
            "torch": str(torch.__version__),
        }

    def get_modality_config(self) -> ModalityConfigs:
        """Return what the checkpoint wants and gives."""
        return self._modality

    def get_action(
        self, observation: dict[str, Any], options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return a chunk of actions.

        Args:
            observation: nested form: ``{"video": {k: uint8 (B, T, H, W, 3)}, "state": {k: float32 (B, T, D)},
                "language": {"task": [[str]] * B}}``.
            options: ``{"row_noise": [[episode_seed, request_number]] * B}``; without it, what is drawn is torch's next.

        Returns:
            action: ``{k: float32 (B, T_action, D)}``.
            info: empty.

        Raises:
            ContractError: The row noise is not that, a picture is of another size than those of the training, a text is
                none of those that the checkpoint tells apart, or the model gave a chunk of another shape.
        """
        texts = [row[0] for row in observation["language"][_LANGUAGE]]
        rows = row_noise_of(options, len(texts))
        with torch.inference_mode():
            batch = self._before({**self._tensors(observation, texts), "task": texts})
            with drawn_from(rows):
                chunk = self._model.predict_action_chunk(batch)
            actions = self._after(chunk).float().cpu().numpy()
        width = list(self._layout.action.values())[-1].stop
        steps = self._modality["action"].horizon
        if actions.ndim != 3 or actions.shape[::2] != (len(texts), width) or actions.shape[1] < steps:
            raise ContractError(
                f"LeRobot's {self._config.type} gave actions of shape {actions.shape}, and ({len(texts)}, {steps}, "
                f"{width}) follows from the checkpoint's config.json"
            )
        return {
            key: np.ascontiguousarray(actions[:, :steps, part], np.float32) for key, part in self._layout.action.items()
        }, {}

    def reset(self, options: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return nothing: a chunk depends on its own request alone, whose moments the client keeps."""
        del options
        return {}

    def _tensors(self, observation: dict[str, Any], texts: list[str]) -> dict[str, torch.Tensor]:
        """Return what LeRobot's processor takes.

        Pictures (B, [T,] 3, H, W) in 0 .. 1, the state (B, [T,] D), and where texts are told apart, which (B, [T,] N).
        """
        tensors = {}
        for key, name in self._layout.cameras.items():
            pictures = torch.from_numpy(np.array(observation["video"][key]))
            self._check_size(key, (pictures.shape[2], pictures.shape[3]))
            tensors[name] = pictures.permute(0, 1, 4, 2, 3).float() / 255
        if self._layout.state:
            parts = [observation["state"][key] for key in self._layout.state]
            tensors[STATE] = torch.from_numpy(np.concatenate(parts, axis=-1, dtype=np.float32))
        if self._layout.instructions is not None:
            told = torch.from_numpy(self._layout.instructions.encoded(texts))
            tensors[INSTRUCTION] = told[:, None].repeat(1, self._moments, 1)
        return tensors if self._has_moments else {name: tensor[:, -1] for name, tensor in tensors.items()}

    def _check_size(self, key: str, size: tuple[int, int]) -> None:
        trained = self._layout.sizes[key]
        if size != trained and self._config.type in _UNSCALED and getattr(self._config, "resize_shape", None) is None:
            raise ContractError(
                f"pictures of '{key}' are {size[0]}x{size[1]} (height x width), and the checkpoint learned from "
                f"{trained[0]}x{trained[1]}: embodiment.video.{key}.resize=[{trained[0]},{trained[1]}] sends those"
            )


def _loaded(folder: Path, device: str) -> tuple[Any, Any, Any, Any]:
    """Return the config, the model, and the processors before and after it."""
    if importlib.util.find_spec("lerobot") is None:
        raise ContractError(
            f"policy=lerobot needs LeRobot, which {sys.executable} has not installed. It needs an environment of its "
            "own: make learned-env, and start the server there: "
            f".learned/bin/python -m groot_wrappers.serve lerobot --checkpoint {folder}"
        )
    try:
        from lerobot.configs.policies import PreTrainedConfig  # noqa: PLC0415  # not installed elsewhere
        from lerobot.policies.factory import get_policy_class, make_pre_post_processors  # noqa: PLC0415

        config = PreTrainedConfig.from_pretrained(str(folder))
        config.device = device
        model = get_policy_class(config.type).from_pretrained(str(folder), config=config).to(device).eval()
        before, after = make_pre_post_processors(
            config, str(folder), preprocessor_overrides={"device_processor": {"device": device}}
        )
    except ImportError as error:
        raise ContractError(
            f"LeRobot is there, but not all that the checkpoint {folder} needs: {error}. Install its extra: "
            "uv pip install --python .learned/bin/python 'lerobot[diffusion]==0.6.1', or smolvla, pi, groot instead"
        ) from error
    return config, model, before, after


def _checked_folder(checkpoint: str) -> Path:
    folder = Path(checkpoint)
    inner = folder / "pretrained_model"
    if not (folder / _NEEDED[0]).is_file() and (inner / _NEEDED[0]).is_file():
        raise ContractError(f"policy.checkpoint={checkpoint} holds the checkpoint below it: policy.checkpoint={inner}")
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if missing:
        raise ContractError(
            f"policy.checkpoint={checkpoint} is no folder of a checkpoint of LeRobot: {', '.join(missing)} missing. "
            "Name the one that lerobot-train wrote, "
            "policy.checkpoint=outputs/train/.../checkpoints/last/pretrained_model, "
            "or download one: hf download NAME --local-dir checkpoint"
        )
    return folder


def _check_device(device: str) -> None:
    try:
        wanted = torch.device(device)
    except RuntimeError as error:
        raise ContractError(f"policy.device={device} is no device: {error}") from error
    if wanted.type == "cuda" and not torch.cuda.is_available():
        raise ContractError(
            f"policy.device={device} was asked for, but PyTorch {torch.__version__} finds no card here. Start the "
            "server where the card is, or say policy.device=cpu"
        )
