"""What a person can do about an error, so that it is told in a message instead of a traceback.

* ``message_of``: the message for an error that a person can mend.
* ``reason_of``: the same within a sentence, of any error.
* ``in_overrides``: a text about arguments of ``groot_wrappers``, with the overrides that set them.
* ``disk_failed``: whether an error means that nothing more can be written.
* ``cache_remedy``: which variable moves the cache that could not be used.
"""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import zmq

from groot_wrappers.errors import Gr00tError, ServerUnreachableError, rename_arguments
from runners.utils import pasting
from runners.utils.terminal import one_line

__all__ = ["cache_remedy", "disk_failed", "in_overrides", "message_of", "reason_of"]

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
BROKEN = {errno.EROFS, errno.EIO, errno.ESTALE}

REMEDIES = {
    **dict.fromkeys(FULL, "Make room there: df -h shows how much is left, quota and ulimit -f how much is allowed."),
    errno.EROFS: "Name a place that can be written{elsewhere}.",
    **dict.fromkeys(
        (errno.EACCES, errno.EPERM), "Let this user read and write there, or name another place{elsewhere}."
    ),
    errno.ENAMETOOLONG: "Most file systems take 255 bytes between two slashes, and 4095 in all: name it shorter.",
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), "Allow more open files: ulimit -n 65536."),
    errno.ENOMEM: "Free memory, or take fewer envs: num_envs=...",
    **dict.fromkeys(
        (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP), "Its file system has no locks: name another place{elsewhere}."
    ),
}
"""What mends an error of the operating system, by its number."""

OVERRIDES = {
    **{name: f"server.{name}" for name in ("host", "port", "connect_timeout_s", "timeout_s", "observation_form")},
    "clients": "server.endpoints",
    "api_token": "the environment variable GR00T_API_TOKEN",
    **{name: f"horizons.{name}" for name in ("execution", "delay")},
    **{
        name: name for name in ("horizons.video", "horizons.state", "embodiment", "embodiment.language", "action_noise")
    },
}
"""What sets an argument that messages of ``groot_wrappers`` name."""

ANY_OTHER = "Name another place{elsewhere}, or look into the state of this one."

CHARACTERS_OF_A_PATH = 200


def message_of(error: BaseException | None, elsewhere: str = "") -> str | None:
    """Return what is told of an error that a person can mend, or that was raised from one; None for a fault of ours.

    Args:
        error: What was raised.
        elsewhere: Setting by which the command writes to another place.
    """
    while error is not None and not isinstance(error, Gr00tError | OSError | zmq.ZMQError):
        error = error.__cause__
    if isinstance(error, zmq.ZMQError):  # which has the operating system's numbers, but is none of its errors
        error = OSError(error.errno, error.strerror)
    if isinstance(error, OSError):
        return _explained(error, elsewhere)
    if error is None:
        return None
    message = in_overrides(error)
    if isinstance(error, ServerUnreachableError) and "connect_timeout_s" in error.arguments:
        message += " Or try without one: server=expert."
    return message


def in_overrides(told: Gr00tError | str) -> str:
    """Return a message of ``groot_wrappers`` with the overrides that set the arguments which it names."""
    return rename_arguments(str(told), OVERRIDES)


def reason_of(error: BaseException) -> str:
    """Return why something failed, within a sentence: as ``message_of``, or the words of what anybody's code raised."""
    return (message_of(error) or f"{type(error).__name__}: {error}").rstrip(".")


def disk_failed(error: BaseException) -> bool:
    """Say whether an error means that nothing more can be written, whoever tries."""
    return isinstance(error, OSError) and error.errno in FULL | BROKEN


def cache_remedy(error: BaseException) -> str:
    """Say which variable moves the cache that an error is about; empty where it is about none."""
    if "temporary directory" in str(error):  # of tempfile, which has tried several places
        return "TMPDIR=FOLDER names a folder for temporary files."
    if not isinstance(error, OSError) or not isinstance(error.filename, str | bytes):
        return ""
    path = Path(os.path.abspath(os.fsdecode(error.filename)))
    variables = [
        f"{variable}=FOLDER moves {what}"
        for variable, folder, what in _caches()
        if path.is_relative_to(folder) or folder.is_relative_to(path)
    ]
    return f"Name a folder that can be written: {', '.join(variables)}." if variables else ""


def _explained(error: OSError, elsewhere: str) -> str:
    if error.errno is None or not error.strerror:
        return f"{type(error).__name__}: {error}"
    place = "" if error.filename is None else f"{one_line(_path(error.filename), CHARACTERS_OF_A_PATH)}: "
    remedy = cache_remedy(error) or REMEDIES.get(error.errno, ANY_OTHER)
    named = f": {elsewhere}" if elsewhere else ""
    return f"{place}{error.strerror}. {remedy.format(elsewhere=named)}{_going_on()}"


def _path(name: str | bytes | int) -> str:
    return str(name) if isinstance(name, int) else os.fsdecode(name)


def _caches() -> Iterator[tuple[str, Path, str]]:
    """Yield the variables that move caches, where each cache is now, and what is in it."""
    home = Path(os.path.expanduser("~"))
    caches = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    yield "WARP_CACHE_PATH", Path(os.environ.get("WARP_CACHE_PATH") or caches / "warp"), "Warp's compiled kernels"
    yield "XDG_CACHE_HOME", caches, "all caches, with the robots and things that tasks build"


def _going_on() -> str:
    """Say how the run goes on that has begun in this process; nothing where none has."""
    from hydra.core.hydra_config import HydraConfig  # noqa: PLC0415  # which not every command has, nor waits for
    from hydra.types import RunMode  # noqa: PLC0415

    if not HydraConfig.initialized() or HydraConfig.get().mode is RunMode.MULTIRUN:
        return ""
    if "output_dir" not in HydraConfig.get().runtime:  # type: ignore[operator]  # a DictConfig, without what is missing
        return ""
    folder = HydraConfig.get().runtime.output_dir
    if not os.path.exists(Path(folder, "manifest.json")):  # which no state of the disk lets fail
        return ""
    return f" What has ended is kept, and goes on by: groot-play {pasting.override('resume', folder)}"
