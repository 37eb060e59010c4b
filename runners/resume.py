"""Going on with a run that was cut off: its settings, its folder, and the refusal of a run that is another one.

* ``with_earlier_settings``: completes the command line by what the run was started with.
* ``EarlierStart``: what the run folder says of the run so far.
* ``earlier_start``: finds it.
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode

from groot_wrappers.errors import ContractError
from groot_wrappers.modality import ModalityConfigs

__all__ = ["FREE", "EarlierStart", "earlier_start", "other_settings", "with_earlier_settings"]

FREE: tuple[str, ...] = ("resume", "fresh", "sweep", "retries", "recorder", "gate", "stop", "num_envs", "episodes")
FREE += ("server.host", "server.port", "server.endpoints", "server.connect_timeout_s", "server.timeout_s")
"""Settings that may differ from the earlier start: they change neither an episode nor which episodes there are, but for
``episodes``, which may grow."""


def with_earlier_settings(arguments: Sequence[str]) -> list[str]:
    """Return a command line with the overrides of the run that ``resume=`` names, where it says nothing else.

    Args:
        arguments: The command line, without the program.

    Raises:
        ContractError: The folder holds no run.
    """
    folder = next((value for key, value in map(_parted, arguments) if key == "resume"), "null")
    if folder == "null":
        return list(arguments)
    earlier = EarlierStart.read(Path(folder))
    given = {key for key, _ in map(_parted, arguments)} | {"fresh"}
    flags = _flags_with_values(earlier.manifest.get("command", [])[1:])
    return [
        *(word for flag, value in flags if flag not in given for word in (flag, value)),
        *arguments,
        *(override for override in earlier.manifest.get("overrides", []) if _parted(override)[0] not in given),
    ]


@dataclass(frozen=True)
class EarlierStart:
    """What the folder of a run says of it.

    Args:
        folder: The run folder.
        manifest: Its ``manifest.json``.
    """

    folder: Path
    manifest: Mapping[str, Any]

    @classmethod
    def read(cls, folder: Path) -> "EarlierStart":
        """Read a run folder.

        Raises:
            ContractError: It holds no run, or one that was cut off before its first step.
        """
        try:
            return cls(folder, json.loads((folder / "manifest.json").read_text()))
        except (OSError, ValueError) as error:
            raise ContractError(
                f"resume={folder} was asked for, but there is no run to go on with: its manifest.json cannot be read "
                f"({type(error).__name__}). Name a run folder, such as outputs/2026-11-25/01-28-34; a run that was cut "
                "off before its first step is started anew."
            ) from error

    def require_same(self, config: Mapping[str, Any], modality: ModalityConfigs | None = None) -> None:
        """Check that a run is the one that was begun in the folder.

        Args:
            config: Its resolved configuration.
            modality: What the server says that it wants; None where no server is asked.

        Raises:
            ContractError: It is another run. All differences are named.
        """
        # Where envs begin only together, their number decides where an episode starts.
        free = [key for key in FREE if key != "num_envs" or self.manifest["starts"] == "per_env"]
        then, now = other_settings(self.manifest["config"], free), other_settings(config, free)
        if modality is not None:
            then |= _leaves({"modality of the server": self.manifest["modality"]})
            now |= _leaves({"modality of the server": {kind: wanted.to_json() for kind, wanted in modality.items()}})
        differences = [
            f"{key}: {then.get(key)!r} then, {now.get(key)!r} now"
            for key in sorted(then.keys() | now.keys())
            if then.get(key) != now.get(key)
        ]
        episodes_then, episodes_now = self.manifest["config"]["episodes"], config["episodes"]
        if episodes_now < episodes_then:
            differences.append(f"episodes: {episodes_then} then, {episodes_now} now; they may only become more")
        if differences:
            command = shlex.join(map(str, self.manifest.get("command", [])))
            raise ContractError(
                f"resume={self.folder} goes on with the same run only, but this is another one:\n- "
                + "\n- ".join(differences)
                + f"\nIt was started by: {command}\nLeave out what differs, or run it in a folder of its own."
            )


def earlier_start(folder: Path, resume: str | None) -> EarlierStart | None:
    """Return the start that this one goes on with, None for a new run, whose folder must not hold another.

    A job of a sweep goes on by itself with what its folder holds.

    Raises:
        ContractError: The folder holds a run that nobody asked to go on with, or none that could be.
    """
    if HydraConfig.get().mode is RunMode.MULTIRUN:
        return EarlierStart.read(folder) if (folder / "manifest.json").exists() else None
    if resume is None:
        if (folder / "episodes.jsonl").exists():
            raise ContractError(
                f"{folder} holds a run already. Go on with it by resume={folder}, begin it anew by fresh=true, or name "
                "another folder by hydra.run.dir."
            )
        return None
    if folder != Path(resume).resolve():
        raise ContractError(
            f"resume={resume} was asked for, but results would go to {folder}. Leave out hydra.run.dir, and -m."
        )
    return EarlierStart.read(folder)


def other_settings(config: Mapping[str, Any], free: Sequence[str] = FREE) -> dict[str, Any]:
    """Return the settings by dotted key that may not differ between two starts of a run."""
    leaves = _leaves(config)
    return {k: v for k, v in leaves.items() if not any(k == name or k.startswith(f"{name}.") for name in free)}


def _leaves(config: Any, path: str = "") -> dict[str, Any]:
    """Return the values of nested mappings by dotted path."""
    if not isinstance(config, Mapping):
        return {path: config}
    found: dict[str, Any] = {}
    for key, value in config.items():
        found |= _leaves(value, f"{path}.{key}" if path else str(key))
    return found


def _parted(argument: str) -> tuple[str, str]:
    """Return key and value of an override or a flag."""
    key, _, value = argument.partition("=")
    return key.lstrip("+~"), value.strip("'\"")


def _flags_with_values(arguments: Sequence[str]) -> list[tuple[str, str]]:
    """Return the options that say where further YAML files lie."""
    following = dict(pairwise(arguments))
    return [(flag, following[flag]) for flag in ("--config-dir", "-cd", "--config-path", "-cp") if flag in following]
