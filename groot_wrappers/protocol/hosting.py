"""Hosting: a policy of anybody's, checked, and served until the process is told to stop.

* ``TOKEN_VARIABLE``: where a server and its clients find their token.
* ``require_policy``: what can be hosted.
* ``serve_until_stopped``: the serving.
"""

import logging
import signal
from collections.abc import Iterable
from types import FrameType
from typing import Any

from groot_wrappers.errors import ContractError
from groot_wrappers.protocol.server import Policy, PolicyServer

__all__ = ["TOKEN_VARIABLE", "require_policy", "serve_until_stopped"]

logger = logging.getLogger(__name__)

TOKEN_VARIABLE = "GR00T_API_TOKEN"  # noqa: S105  # the name of the variable, not a token
_METHODS = ("get_modality_config", "get_action", "reset")


def require_policy(made: Any, by: str) -> Policy:
    """Return what a server can host.

    Args:
        made: Whatever was made.
        by: What made it, for the message.

    Raises:
        ContractError: It is no policy.
    """
    missing = [name for name in _METHODS if not callable(getattr(made, name, None))]
    if missing:
        raise ContractError(
            f"{by} gives a {type(made).__name__}, which has no {' and no '.join(missing)}. "
            "A policy has get_modality_config(), get_action(observation, options) and reset(options): "
            "groot_wrappers.protocol.answers.Policy tells what they take and give."
        )
    policy: Policy = made
    return policy


def serve_until_stopped(server: PolicyServer, signals: Iterable[int]) -> None:
    """Answer requests in this thread, the main one, until a signal comes or a client that may do so ends the server.

    Args:
        server: What answers; it is closed at the end.
        signals: That end it, after the request at hand.
    """

    def stop(signum: int, frame: FrameType | None) -> None:
        server.stop()

    for number in signals:
        signal.signal(number, stop)
    logger.info("Serving on %s; Ctrl-C ends it", server.endpoint)
    with server:
        server.serve_forever()
    logger.info("Stopped")
