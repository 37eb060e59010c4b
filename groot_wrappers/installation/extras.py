"""Extras: what a part of the software needs beyond the core, and the line that installs it.

Classes:
    MissingExtraError: an import that needs more than is installed.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

from groot_wrappers.errors import Gr00tError
from groot_wrappers.installation.isaaclab_release import EARLIER_ISAACLAB, has_isaaclab, has_isaaclab3

__all__ = ["MissingExtraError", "require_extra"]

_MODULES = {"wrappers": ("torch", "gymnasium"), "runner": ("hydra", "msgspec", "torch", "gymnasium", "wandb")}
"""What each extra of setup.cfg brings that is imported first."""

_OLDEST_PYTHON = {"runner": (3, 11)}


class MissingExtraError(Gr00tError, ImportError):
    """What was imported needs an extra that is not installed; the message holds the line that installs it."""


def require_extra(extra: str, who: str) -> None:
    """Refuse what needs an extra that is not there.

    Args:
        extra: Of setup.cfg: ``wrappers`` or ``runner``.
        who: What needs it, as the beginning of a sentence.

    Raises:
        MissingExtraError: It is not installed, or this Python is too old for it.
        SystemExit: The same within a ``groot-*`` command, which has nothing but that to say: exit code 1.
    """
    oldest = _OLDEST_PYTHON.get(extra, (3, 10))
    missing = [module for module in _MODULES[extra] if not find_spec(module)]
    if sys.version_info[:2] < oldest:
        message = (
            f"{who} needs Python {oldest[0]}.{oldest[1]} or later, and this is {sys.version_info[0]}."
            f"{sys.version_info[1]}. In an environment that has it, in the clone: pip install '.[{extra}]'. "
            "Here a policy can be served: python -m groot_wrappers.serve module:factory"
        )
    elif missing and extra == "runner" and has_isaaclab() and not has_isaaclab3():
        message = f"{who} cannot be used here: {EARLIER_ISAACLAB}"  # which installing it would not mend
    elif missing:
        message = (
            f"{who} needs {', '.join(missing)}, not installed here ({sys.prefix}). "
            f"Install what is missing, in the clone: pip install '.[{extra}]'"
        )
    else:
        return
    if Path(sys.argv[0]).name.startswith("groot-"):
        sys.exit(message)
    raise MissingExtraError(message)
