"""The manifest of a run: which software, hardware and command its numbers come from."""

import json
import os
import platform
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from groot_wrappers.modality import ModalityConfigs

__all__ = ["write_manifest"]

PACKAGES = ("gr00t-isaaclab", "isaaclab", "newton", "warp-lang", "torch", "numpy", "gymnasium", "pyzmq", "msgpack")


def write_manifest(path: Path, *, config: Mapping[str, Any], modality: ModalityConfigs, starts: str) -> None:
    """Write ``manifest.json``.

    Args:
        path: File to write.
        config: The resolved configuration, without secrets.
        modality: What the server said that it wants.
        starts: ``per_env``: each episode's start depends on its own seed alone; ``per_batch``: envs begin only
            together, from the seed of the first of them.
    """
    manifest = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "machine": {"system": platform.platform(), "cpus": os.cpu_count(), "device": config["sim"]["device"]},
        "starts": starts,
        "modality": {kind: wanted.to_json() for kind, wanted in modality.items()},
        "config": config,
    }
    path.write_text(json.dumps(manifest, indent=1) + "\n")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
