"""A folder of built assets that several processes may fill at once: ``cache_root``, ``build_once``, ``AssetError``."""

import errno
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from groot_wrappers.errors import Gr00tError

__all__ = ["AssetError", "build_once", "cache_root"]


class AssetError(Gr00tError):
    """A description of a robot or of a thing cannot be found or built."""


def cache_root() -> Path:
    """Where built assets live: ``$XDG_CACHE_HOME/gr00t-isaaclab``, or ``~/.cache/gr00t-isaaclab``.

    A relative ``XDG_CACHE_HOME`` is ignored, as the XDG base directory specification asks.

    Raises:
        AssetError: It does not say, and there is no home folder, as in a container for a user that it does not know.
    """
    configured = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(configured):
        return Path(configured) / "gr00t-isaaclab"
    try:
        return Path.home() / ".cache" / "gr00t-isaaclab"
    except RuntimeError as error:
        raise AssetError(
            "This user has no home folder, so that there is no place for what is built once and used again. "
            "XDG_CACHE_HOME=FOLDER names one, for Warp's compiled kernels too; HOME=FOLDER names a home."
        ) from error


def build_once(folder: Path, build: Callable[[Path], None]) -> Path:
    """Return ``folder``, filling it by ``build`` unless that has been done before.

    The folder appears in one rename, so whoever sees it sees all of it; a build that fails or is killed leaves
    nothing under that name. Of processes that start together one builds and the others wait for it.

    Args:
        folder: The finished folder. Everything that the result depends on belongs into its name.
        build: Fills the empty folder that it is given, which lies beside the finished one.

    Returns:
        ``folder``.

    Raises:
        OSError: There is no room for it, or it cannot be written.
    """
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f"{folder.name}.lock")):
        if folder.is_dir():
            return folder
        scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            build(scratch)
            os.replace(scratch, folder)
        except Exception as error:  # of USD too, which tells the system's errors in words alone
            for number in (errno.ENOSPC, errno.EDQUOT):
                if os.strerror(number) in str(error):
                    raise OSError(number, os.strerror(number), str(folder)) from error
            raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return folder
