"""The manifest of a run: which software, hardware and command its numbers come from.

* ``provenance``: the part that any measurement has.
* ``write_manifest``: the whole, of a run.
"""

import json
import os
import platform
import secrets
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from groot_wrappers.modality import ModalityConfigs
from runners.utils.atomic_files import write_whole

__all__ = ["provenance", "write_manifest"]

PACKAGES = ("gr00t-isaaclab", "isaaclab", "newton", "warp-lang", "torch", "numpy", "gymnasium", "pyzmq", "msgpack")

_OF_A_START = ("created", "command", "revision")


def write_manifest(
    path: Path,
    *,
    config: Mapping[str, Any],
    modality: ModalityConfigs,
    reset_mode: str,
    overrides: Sequence[str] = (),
    config_folders: Sequence[str] = (),
    sweep: str | None = None,
    earlier: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Write ``manifest.json``, and return what it holds.

    ``revision`` is the commit of this project's checkout, None where it was installed otherwise.

    Args:
        path: File to write.
        config: The resolved configuration, without secrets.
        modality: What the server said that it wants.
        reset_mode: ``per_env``: each episode's start depends on its own seed alone; ``per_batch``: envs begin only
            together, from the seed of the first of them.
        overrides: What was set at the command line; of a multirun, for this run.
        config_folders: Where options were looked for beside our own.
        sweep: What the sweep is called that the run is a job of, None for a run of its own.
        earlier: The manifest of the start that this one goes on with: of each earlier start its time, command and
            revision are kept, and the id of the W&B run.
    """
    before = [] if earlier is None else [*earlier.get("earlier_starts", []), {key: earlier[key] for key in _OF_A_START}]
    manifest = {
        **provenance(config["sim"]["device"]),
        "overrides": list(overrides),
        "config_folders": list(config_folders),
        "reset_mode": reset_mode,
        "wandb_id": secrets.token_hex(4) if earlier is None else earlier["wandb_id"],
        "sweep": sweep if earlier is None else earlier.get("sweep"),
        "earlier_starts": before,
        "modality": {kind: wanted.to_json() for kind, wanted in modality.items()},
        "config": config,
    }
    write_whole(path, json.dumps(manifest, indent=1) + "\n")
    return manifest


def provenance(device: str) -> dict[str, Any]:
    """Return when, by which command, with which software and on which machine figures came about.

    Args:
        device: ``sim.device``; of a GPU the card's name is told.
    """
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "revision": _revision(Path(__file__).parent),
        "machine": {
            "system": platform.platform(),
            "cpus": os.cpu_count(),
            "device": device,
            "card": _card(device),
        },
    }


def _card(device: str) -> str | None:
    """Return what the GPU is called that simulates, None for a CPU."""
    if not device.startswith("cuda"):
        return None
    import torch  # noqa: PLC0415  # takes seconds, and a CPU needs none of it

    name: str = torch.cuda.get_device_name(device)
    return name


def _revision(folder: Path) -> dict[str, Any] | None:
    """Return the commit that a folder's files are of, and whether they differ from it."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", Path(__file__).name)  # else the checkout is that of another project
        modified = git("status", "--porcelain", "--untracked-files=no") != ""
        return {"commit": git("rev-parse", "HEAD"), "modified": modified}
    except (OSError, subprocess.SubprocessError):
        return None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
