"""Going on with a run that was cut off: its settings, its folder, and the refusal of a run that is another one.

What was composed as a run began is what counts: its manifest holds it, whatever has become of its YAML files.

* ``with_earlier_settings``: completes the command line.
* ``going_on``: the settings of a run that goes on.
* ``EarlierStart``: what the run folder says of the run so far.
* ``earlier_start``: finds it.
* ``begun_by``: what was set at the command lines of all starts.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from omegaconf import OmegaConf

from groot_wrappers.errors import ContractError
from groot_wrappers.modality import ModalityConfigs
from runners.checkpoints.found import named_checkpoint
from runners.config.composed import Composition
from runners.config.overrides import all_parsed, key_of, quoted
from runners.run_folder.begun_settings import LIMIT_OF_TASK, restored_settings
from runners.run_folder.manifest import MANIFEST, Manifest, read_manifest
from runners.utils.json_files import JsonFileError
from runners.utils.terminal import say

__all__ = [
    "FREE",
    "EarlierStart",
    "begun_by",
    "earlier_start",
    "going_on",
    "other_settings",
    "with_earlier_settings",
]

FREE: tuple[str, ...] = ("resume", "fresh", "sweep", "retries", "gate", "stop", "num_envs", "episodes")
FREE += ("recorder", "viewer")
FREE += ("server.host", "server.port", "server.endpoints", "server.connect_timeout_s", "server.timeout_s")
"""Settings that may differ from the earlier start: they change neither an episode nor which episodes there are, but for
``episodes``, which may grow."""

OF_THIS_START = ("resume", "fresh")

ADDED = {"action_noise": 0.0}
"""Settings that runs of earlier versions do not have, with what they played by."""
ADDED_TO_VIDEO = {"mirrored": False}
"""The same, of each video key of the embodiment."""


def with_earlier_settings(arguments: Sequence[str]) -> list[str]:
    """Return a command line that can go on with the run that ``resume=`` names, from wherever it is given.

    Its path becomes absolute, options are also looked for where the run has had its own YAML files, and the record of
    the settings in ``.hydra`` stays that of the first start.

    Args:
        arguments: The command line, without the program.

    Raises:
        ContractError: The folder holds no run.
    """
    overrides = all_parsed(arguments)
    asked = next((each.value() for each in reversed(overrides) if each.key_or_group == "resume"), None)
    if not isinstance(asked, str):
        return list(arguments)
    earlier = EarlierStart.read(Path(asked).expanduser().resolve())
    given = {each.key_or_group for each in overrides}
    folders = [folder for folder in earlier.manifest.config_folders if Path(folder).is_dir()]
    added = {
        "resume": quoted(str(earlier.folder)),
        "hydra.output_subdir": "null",
        "hydra.searchpath": f"[{','.join(quoted(f'file://{folder}') for folder in folders)}]",
    }
    return [
        *(argument for argument in arguments if argument.partition("=")[0] != "resume"),
        *(f"{key}={value}" for key, value in added.items() if key == "resume" or key not in given),
    ]


def going_on(composition: Composition) -> Composition:
    """Return the settings of a run: where it goes on, those it was begun with, but for those that are given now.

    A job of a sweep goes on by itself with what its folder holds, and is told what would be another by now.

    Raises:
        ContractError: The run cannot be gone on with.
    """
    config, folder, is_job = composition.config, composition.folder, composition.sweep is not None
    if config.resume is None and not (is_job and (folder / MANIFEST).exists()):
        return composition
    earlier = EarlierStart.read(Path(config.resume or folder))
    anew = set(composition.overrides) - set(earlier.manifest.overrides)  # what is repeated says nothing new
    given = {key_of(each) for each in all_parsed(anew)} | {*OF_THIS_START}
    begun = restored_settings(earlier.manifest.config, config, given | {*FREE} if is_job else given)
    if is_job and (changed := differences(other_settings(begun), other_settings(config))):
        say(f"{folder} goes on with the settings it was begun with, which would be others by now:", *changed)
    return composition.with_config(begun)


def begun_by(overrides: Sequence[str], earlier: "EarlierStart | None") -> list[str]:
    """Return the overrides of a run: those of this start, and those of an earlier one that they do not replace."""
    now = [each for each in all_parsed(overrides) if each.key_or_group not in OF_THIS_START]
    given = {key_of(each) for each in now}
    then = [] if earlier is None else all_parsed(earlier.manifest.overrides)
    kept = [each for each in then if key_of(each) not in {*given, *OF_THIS_START}]
    return [str(each.input_line) for each in [*kept, *now]]


@dataclass(frozen=True)
class EarlierStart:
    """What the folder of a run says of it.

    Args:
        folder: The run folder.
        manifest: Its ``manifest.json``.
    """

    folder: Path
    manifest: Manifest

    @classmethod
    def read(cls, folder: Path) -> "EarlierStart":
        """Read a run folder.

        Raises:
            ContractError: It holds no run, or one that was cut off before its first step.
        """
        try:
            manifest = read_manifest(folder / MANIFEST)
            msgspec.convert(manifest.config, _Counts)
        except (JsonFileError, msgspec.ValidationError) as error:
            raise ContractError(
                f"resume={folder} was asked for, but there is no run to go on with: its manifest.json cannot be read "
                f"({error}). Name a run folder, such as outputs/2026-11-25/01-28-34; a run that was cut off before its "
                "first step is started anew."
            ) from error
        return cls(folder, manifest)

    def require_same(
        self,
        config: Mapping[str, Any],
        modality: ModalityConfigs | None = None,
        identity: Mapping[str, Any] | None = None,
    ) -> None:
        """Check that a run is the one that was begun in the folder.

        Args:
            config: Its resolved configuration.
            modality: What the server says that it wants; None where no server is asked.
            identity: What it says of who its policy is, likewise. Where the earlier start was told nothing, nobody
                knows whether it was the same.

        Raises:
            ContractError: It is another run. All differences are named.
        """
        # Where envs begin only together, their number decides where an episode starts.
        free = [key for key in FREE if key != "num_envs" or self.manifest.reset_mode == "per_env"]
        then, now = (_with_added(other_settings(each, free)) for each in (self.manifest.config, config))
        if modality is not None:
            then |= _leaves({"modality of the server": self.manifest.modality})
            now |= _leaves({"modality of the server": {kind: wanted.to_json() for kind, wanted in modality.items()}})
        if identity is not None and self.manifest.policy:
            then |= _leaves({"policy of the server": self.manifest.policy})
            now |= _leaves({"policy of the server": identity})
        found = differences(then, now)
        episodes_then, episodes_now = self.manifest.config["episodes"], config["episodes"]
        if episodes_now < episodes_then:
            found.append(f"- episodes: {episodes_then} then, {episodes_now} now; they may only become more")
        found += self._rewritten_checkpoint(config)
        if found:
            raise ContractError(
                f"resume={self.folder} goes on with the same run only, but this is another one:\n"
                + "\n".join(found)
                + f"\nIt was started by: {shlex.join(self.manifest.command)}\nLeave out what differs, or run it in a "
                "folder of its own."
            )

    def _rewritten_checkpoint(self, config: Mapping[str, Any]) -> list[str]:
        """Return a line where a training has written the run's checkpoint anew since the run was begun."""
        checkpoints, name = config.get("checkpoints"), config.get("checkpoint")
        if checkpoints is None or name is None or config.get("again") is not None:
            return []
        begun = (self.manifest.earlier_starts or [self.manifest])[0].created
        try:
            written = named_checkpoint(Path(checkpoints), name).written
        except (ContractError, OSError):  # it is not there any more, and what it has shown stays
            return []
        if written <= begun:
            return []
        return [f"- checkpoint {name}: its weights are of {written:%Y-%m-%d %H:%M:%S} UTC, later than the run's begin"]


class _Counts(msgspec.Struct):
    """The part of the settings that going on counts by."""

    episodes: int
    num_envs: int


def earlier_start(folder: Path, resume: str | None, sweep: str | None) -> EarlierStart | None:
    """Return the start that this one goes on with, None for a new run, whose folder must not hold another.

    A job of a sweep goes on by itself with what its folder holds.

    Args:
        folder: The run folder.
        resume: ``resume``.
        sweep: What the sweep is called that the run is a job of, None for a run of its own.

    Raises:
        ContractError: The folder holds a run that nobody asked to go on with, or none that could be.
    """
    if sweep is not None:
        return EarlierStart.read(folder) if (folder / MANIFEST).exists() else None
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


def other_settings(config: Any, free: Sequence[str] = FREE) -> dict[str, Any]:
    """Return the settings by dotted key that may not differ between two starts of a run.

    Args:
        config: Composed, or plain.
        free: Those that may.
    """
    plain = OmegaConf.to_container(config, resolve=True, enum_to_str=True) if OmegaConf.is_config(config) else config
    left_out = [*free, LIMIT_OF_TASK]  # it counts by horizons.episode, which is compared itself
    return {k: v for k, v in _leaves(plain).items() if not any(k == n or k.startswith(f"{n}.") for n in left_out)}


def _with_added(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings by dotted key with those that their version did not have."""
    sensors = [key for key in settings if key.startswith("embodiment.video.") and key.endswith(".sensor")]
    videos = [key.removesuffix(".sensor") for key in sensors]
    return ADDED | {f"{video}.{key}": value for video in videos for key, value in ADDED_TO_VIDEO.items()} | settings


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return a line for each setting that was another in the earlier start."""
    return [
        f"- {key}: {then.get(key)!r} then, {now.get(key)!r} now"
        for key in sorted(then.keys() | now.keys())
        if then.get(key) != now.get(key)
    ]


def _leaves(config: Any, path: str = "") -> dict[str, Any]:
    """Return the values of nested mappings by dotted path."""
    if not isinstance(config, Mapping):
        return {path: config}
    found: dict[str, Any] = {}
    for key, value in config.items():
        found |= _leaves(value, f"{path}.{key}" if path else str(key))
    return found
