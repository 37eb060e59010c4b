"""NVIDIA's policy, loaded, and who it is.

* ``load_nvidia_policy``: ``Gr00tPolicy`` of a checkpoint, or the line that mends why not.
* ``modality_configs_of``: its modality configs as ours.
* ``checkpoint_digest``, ``versions``: what a run has to know to be told from another.

After Isaac-GR00T N1.6 ``gr00t/policy/gr00t_policy.py`` and ``gr00t/eval/run_gr00t_server.py``.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from groot_wrappers.errors import ContractError, did_you_mean
from groot_wrappers.modality import ActionConfig, ModalityConfig, ModalityConfigs

__all__ = ["checkpoint_digest", "checkpoint_folder", "load_nvidia_policy", "modality_configs_of", "versions"]

_OWN = "It runs in its own environment"
_SAMPLES = 16
_SAMPLE_BYTES = 1 << 16
_INSTALL = (
    "git clone --recurse-submodules https://github.com/NVIDIA/Isaac-GR00T && cd Isaac-GR00T && uv sync && "
    "uv pip install gr00t-isaaclab, and start the server there: uv run python -m groot_wrappers.serve gr00t ..."
)


def load_nvidia_policy(
    model_path: str, embodiment_tag: str, device: str, modality_config_path: str | None = None
) -> Any:
    """Return NVIDIA's ``Gr00tPolicy``.

    Args:
        model_path: A folder of a checkpoint, or the name of one on Hugging Face's hub.
        embodiment_tag: Name or value of NVIDIA's ``EmbodimentTag``.
        device: Where the model runs.
        modality_config_path: A Python file that registers modality configs, as NVIDIA's fine-tuning takes it.

    Raises:
        ContractError: The package, the checkpoint or the tag is not there; the message has what mends it.
    """
    if importlib.util.find_spec("gr00t") is None:
        raise ContractError(
            f"policy=gr00t needs NVIDIA's package gr00t, which {sys.executable} has not installed. "
            f"Install it: {_INSTALL}"
        )
    try:
        from gr00t.data.embodiment_tags import EmbodimentTag  # noqa: PLC0415  # not installed elsewhere
        from gr00t.policy.gr00t_policy import Gr00tPolicy  # noqa: PLC0415
    except ImportError as error:
        raise ContractError(
            f"NVIDIA's package gr00t is there, but importing it failed: {error}. {_OWN}: {_INSTALL}"
        ) from error
    tag = _tag_of(embodiment_tag, EmbodimentTag)
    _check_checkpoint(model_path, str(tag.value))
    if modality_config_path is not None:
        _register(modality_config_path)
    try:
        return Gr00tPolicy(tag, model_path, device=device)
    except ImportError as error:
        raise ContractError(
            f"NVIDIA's package gr00t is there, but not all that it needs: {error}. {_OWN}: {_INSTALL}"
        ) from error
    except OSError as error:
        raise ContractError(
            f"policy.model_path={model_path} could not be loaded: {error}. Download the checkpoint first: "
            f"hf download {model_path} --local-dir checkpoint, and give that folder: policy.model_path=checkpoint"
        ) from error


def modality_configs_of(policy: Any) -> ModalityConfigs:
    """Return the modality configs of NVIDIA's policy."""
    return {str(name): _config_of(config) for name, config in policy.modality_configs.items()}


def checkpoint_folder(model_path: str) -> Path | None:
    """Return where a checkpoint's files lie; None where that cannot be known."""
    if Path(model_path).is_dir():
        return Path(model_path)
    try:
        from huggingface_hub import snapshot_download  # noqa: PLC0415  # there where NVIDIA's package is

        return Path(snapshot_download(model_path, local_files_only=True))
    except Exception:
        return None


def checkpoint_digest(folder: Path | None) -> str:
    """Return a digest of a checkpoint: its settings, its files' sizes, and samples of its weights.

    The weights are not read as a whole, which takes a minute. Samples are, since two checkpoints of one training agree
    in all sizes.
    """
    if folder is None:
        return "unknown"
    digest = hashlib.sha256()
    files = sorted(path for path in folder.iterdir() if path.suffix in (".json", ".safetensors", ".bin", ".pt"))
    for path in files:
        size = path.stat().st_size
        digest.update(f"{path.name} {size}\n".encode())
        if path.suffix == ".json":
            digest.update(path.read_bytes())
            continue
        with path.open("rb") as file:
            for sample in range(_SAMPLES):
                file.seek(max(size - _SAMPLE_BYTES, 0) * sample // (_SAMPLES - 1))
                digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()[:16]


def versions() -> dict[str, str]:
    """Return the versions that an answer depends on."""

    def version(name: str) -> str:
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            return "unknown"

    found = {name: version(name) for name in ("gr00t", "gr00t-isaaclab", "torch", "transformers", "flash_attn")}
    return found | {"python": platform.python_version()}


def _tag_of(name: str, tags: Any) -> Any:
    known = {str(tag.value): tag for tag in tags} | {tag.name: tag for tag in tags}
    if name not in known:
        told = ", ".join(str(tag.value) for tag in tags)
        raise ContractError(
            f"policy.embodiment_tag={name} is none of NVIDIA's package: {told}.{did_you_mean(name, list(known))}"
        )
    return known[name]


def _check_checkpoint(model_path: str, tag: str) -> None:
    folder = Path(model_path)
    if folder.is_dir():
        missing = [name for name in ("config.json", "processor_config.json") if not (folder / name).is_file()]
        if missing:
            found = sorted(path.name for path in folder.glob("checkpoint-*"))
            mend = f"policy.model_path={folder / found[-1]}" if found else "Give the folder that holds them"
            raise ContractError(
                f"policy.model_path={model_path} has no {' and no '.join(missing)}: it is no checkpoint of GR00T. "
                f"{mend}"
            )
        embodiments = json.loads((folder / "processor_config.json").read_text(encoding="utf-8"))
        known = embodiments.get("processor_kwargs", {}).get("modality_configs", {tag: None})
        if tag not in known:
            raise ContractError(
                f"policy.embodiment_tag={tag} is not in the checkpoint {model_path}, which knows {', '.join(known)}."
                f"{did_you_mean(tag, list(known))} Choose one of them, or a checkpoint that was tuned for {tag}"
            )
    elif model_path.startswith((".", "/", "~")) or model_path.count("/") != 1:
        raise ContractError(
            f"policy.model_path={model_path} is not there (looked for in {Path.cwd()}). Download a checkpoint, for "
            f"instance: hf download nvidia/GR00T-N1.6-3B --local-dir GR00T-N1.6-3B, and policy.model_path=GR00T-N1.6-3B"
        )


def _register(path: str) -> None:
    """Run a file that calls ``register_modality_config``, as NVIDIA's ``launch_finetune.py`` does."""
    if not (path.endswith(".py") and Path(path).is_file()):
        raise ContractError(
            f"policy.modality_config_path={path} is no Python file. Give the one that the checkpoint was tuned with "
            "(launch_finetune.py --modality_config_path); a checkpoint without one needs none"
        )
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    if spec is None or spec.loader is None:
        raise ContractError(f"policy.modality_config_path={path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


def _config_of(config: Any) -> ModalityConfig:
    def name(value: Any) -> str:
        return value if isinstance(value, str) else str(value.name)

    def keys(value: Any) -> tuple[str, ...] | None:
        return None if value is None else tuple(map(str, value))

    actions = config.action_configs
    if actions is not None:
        fields: list[Mapping[str, Any]] = [
            action if isinstance(action, Mapping) else vars(action) for action in actions
        ]
        actions = tuple(
            ActionConfig(name(one["rep"]), name(one["type"]), name(one["format"]), one.get("state_key"))
            for one in fields
        )
    return ModalityConfig(
        tuple(int(index) for index in config.delta_indices),
        tuple(map(str, config.modality_keys)),
        keys(config.sin_cos_embedding_keys),
        keys(config.mean_std_embedding_keys),
        actions,
    )
