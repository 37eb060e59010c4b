"""Where viewers listen: on this machine alone, and how they say so."""

import sys

from groot_wrappers.errors import ContractError
from runners.utils.terminal import say

__all__ = ["HOST", "require_port", "tell_address"]

HOST = "127.0.0.1"


def require_port(port: int) -> int:
    """Return the port that was asked for.

    Raises:
        ContractError: It can be none.
    """
    if not 0 <= port <= 65535:
        raise ContractError(f"viewer.port={port} was asked for. A port is 0 (any that is free) to 65535.")
    return port


def tell_address(port: int) -> None:
    """Say where to look, from this machine and from elsewhere."""
    told = f"Look at it: http://{HOST}:{port}  (from elsewhere: ssh -L {port}:{HOST}:{port} THIS_MACHINE)"
    say(told, stream=sys.stderr)  # standard output is the simulator's by now
