"""Whether a host's name leads anywhere: ZeroMQ tries on without a word where it does not."""

from __future__ import annotations

import socket
import threading

__all__ = ["why_unknown"]

_LIMIT_S = 1.0  # the system's own search has none


def why_unknown(host: str) -> str | None:
    """Say why a host cannot be reached by its name; None where it can.

    Args:
        host: a name or an address, IPv6 without brackets.
    """
    told: list[str | None] = []
    thread = threading.Thread(target=lambda: told.append(_looked_up(host)), daemon=True)
    thread.start()
    thread.join(_LIMIT_S)
    return told[0] if told else f"the host name '{host}' cannot be resolved: no name server answers"


def _looked_up(host: str) -> str | None:
    try:
        found = socket.getaddrinfo(host, None)
    except (OSError, UnicodeError) as error:  # the latter for a part of more than 63 characters
        return f"the host name '{host}' cannot be resolved: {getattr(error, 'strerror', None) or error}"
    if ":" in host or any(family == socket.AF_INET for family, *_ in found):
        return None
    return f"the host name '{host}' stands for the IPv6 address {found[0][4][0]} alone, and names are taken as IPv4"
