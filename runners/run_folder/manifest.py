"""The manifest of a run: which software, hardware and command its numbers come from.

* ``Manifest``, ``Provenance``: what ``manifest.json`` holds, typed and with the version of its format.
* ``provenance``: the part that any measurement has.
* ``write_manifest``, ``read_manifest``: the whole, of a run.
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
from typing import Any, Literal

import msgspec

from groot_wrappers.modality import ModalityConfigs
from groot_wrappers.protocol.offer import ROW_NOISE, PolicyOffer
from runners.config.renamed import renamed_keys, renamed_targets
from runners.utils.atomic_files import write_whole
from runners.utils.json_files import JsonFileError, read_json

__all__ = ["FORMAT", "MANIFEST", "Manifest", "Provenance", "provenance", "read_manifest", "write_manifest"]

MANIFEST = "manifest.json"
FORMAT = 2
"""Version of ``manifest.json``. Version 1 had no number, and ``starts`` for ``reset_mode``."""

PACKAGES = ("gr00t-isaaclab", "isaaclab", "newton", "warp-lang", "torch", "numpy", "gymnasium", "pyzmq", "msgpack")


PolicyRandomness = Literal["per_episode", "unseeded"]


class Revision(msgspec.Struct, frozen=True):
    """The commit of this project's checkout, and whether files differ from it."""

    commit: str
    modified: bool


class Machine(msgspec.Struct, frozen=True):
    """What figures were made on.

    Args:
        system: Operating system and its version.
        cpus: Number of processors.
        device: ``sim.device``.
        card: What the GPU is called that simulates, None for a CPU.
    """

    system: str
    cpus: int | None
    device: str
    card: str | None


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """When and by which command a run was begun, or gone on with.

    Args:
        created: Moment, ISO 8601 in UTC.
        command: The command line.
        revision: The commit of this project's checkout, None where it was installed otherwise.
    """

    created: datetime
    command: list[str]
    revision: Revision | None = None


class Provenance(Start, frozen=True, kw_only=True):
    """Where figures come from.

    Args:
        python: Its version.
        packages: Version by name; None for one that is not installed.
        machine: What they were made on.
    """

    python: str = ""
    packages: dict[str, str | None] = {}
    machine: Machine | None = None


class Manifest(Provenance, frozen=True, kw_only=True):
    """What ``manifest.json`` holds; see ``docs/results.md``.

    Args:
        format: Version of the format.
        overrides: What was set at the command line; of a multirun, for this run.
        config_folders: Where options were looked for beside our own.
        reset_mode: ``per_env``: each episode's start depends on its own seed alone; ``per_batch``: envs begin only
            together, from the seed of the first of them.
        wandb_id: Id of the W&B run, the same for all starts of a run.
        sweep: What the sweep is called that the run is a job of, None for a run of its own.
        earlier_starts: The starts that this one goes on with.
        modality: What the server said that it wants, as it sends it.
        policy: What it said of who its policy is; empty where it, or one of several servers, said nothing.
        policy_randomness: ``per_episode``: what is random in an answer comes from the episode's seed and the number of
            the request in its episode, at all servers and in all starts; ``unseeded``: nobody said so, so that a policy
            that draws anything draws it anew in each run.
        config: The settings as plain values, without secrets.
    """

    format: int = FORMAT
    overrides: list[str] = []
    config_folders: list[str] = []
    reset_mode: Literal["per_env", "per_batch"]
    wandb_id: str
    sweep: str | None = None
    earlier_starts: list[Start] = []
    modality: dict[str, Any]
    policy: dict[str, str | int | float | bool] = {}
    policy_randomness: PolicyRandomness = "unseeded"
    config: dict[str, Any]


def write_manifest(
    path: Path,
    *,
    config: Mapping[str, Any],
    modality: ModalityConfigs,
    reset_mode: Literal["per_env", "per_batch"],
    offer: PolicyOffer | None = None,
    overrides: Sequence[str] = (),
    config_folders: Sequence[str] = (),
    sweep: str | None = None,
    earlier: Manifest | None = None,
) -> Manifest:
    """Write ``manifest.json``, and return what it holds.

    Args:
        path: File to write.
        config: The resolved configuration, without secrets.
        modality: What the server said that it wants.
        reset_mode: As of :class:`Manifest`.
        offer: What the server said of its policy.
        overrides: As there.
        config_folders: As there.
        sweep: As there, of a run that is begun.
        earlier: The manifest of the start that this one goes on with.
    """
    before = []
    offer = offer or PolicyOffer()
    takes_noise = ROW_NOISE in offer.capabilities
    if earlier is not None:
        begun = Start(created=earlier.created, command=earlier.command, revision=earlier.revision)
        before = [*earlier.earlier_starts, begun]
        takes_noise &= earlier.policy_randomness == "per_episode"
    manifest = Manifest(
        **msgspec.structs.asdict(provenance(config["sim"]["device"])),
        overrides=list(overrides),
        config_folders=list(config_folders),
        reset_mode=reset_mode,
        wandb_id=secrets.token_hex(4) if earlier is None else earlier.wandb_id,
        sweep=sweep if earlier is None else earlier.sweep,
        earlier_starts=before,
        modality={kind: wanted.to_json() for kind, wanted in modality.items()},
        policy=dict(offer.identity),
        policy_randomness="per_episode" if takes_noise else "unseeded",
        config=dict(config),
    )
    # Settings may hold infinities, which json writes as Python reads them; msgspec's own form is null.
    write_whole(path, json.dumps(msgspec.to_builtins(manifest), indent=1) + "\n")
    return manifest


def read_manifest(path: Path) -> Manifest:
    """Read ``manifest.json``, of this version or of an earlier one.

    Raises:
        JsonFileError: It is not there, or none.
    """
    content = renamed_keys(read_json(path, dict[str, Any]))
    content["config"] = renamed_targets(content.get("config"))
    try:
        return msgspec.convert(content, Manifest)
    except msgspec.ValidationError as error:
        raise JsonFileError(f"{path} is not what it should be: {error}") from error


def provenance(device: str) -> Provenance:
    """Return when, by which command, with which software and on which machine figures came about.

    Args:
        device: ``sim.device``; of a GPU the card's name is told.
    """
    return Provenance(
        created=datetime.now(UTC).replace(microsecond=0),
        command=[Path(sys.argv[0]).name, *sys.argv[1:]],
        python=platform.python_version(),
        packages={name: _version(name) for name in PACKAGES},
        revision=_revision(Path(__file__).parent),
        machine=Machine(system=platform.platform(), cpus=os.cpu_count(), device=device, card=_card(device)),
    )


def _card(device: str) -> str | None:
    """Return what the GPU is called that simulates, None for a CPU."""
    if not device.startswith("cuda"):
        return None
    import torch  # noqa: PLC0415  # takes seconds, and a CPU needs none of it

    name: str = torch.cuda.get_device_name(device)
    return name


def _revision(folder: Path) -> Revision | None:
    """Return the commit that a folder's files are of, and whether they differ from it."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", Path(__file__).name)  # else the checkout is that of another project
        modified = git("status", "--porcelain", "--untracked-files=no") != ""
        return Revision(git("rev-parse", "HEAD"), modified)
    except (OSError, subprocess.SubprocessError):
        return None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
