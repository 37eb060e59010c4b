"""A policy server in this process, from the configuration of its policy; whatever keeps it from starting is told."""

from collections.abc import Callable
from typing import Any

from groot_wrappers.errors import Gr00tError
from groot_wrappers.protocol.hosting import require_policy
from groot_wrappers.protocol.server import Policy, PolicyServer
from runners.config.building import built, not_built

__all__ = ["policy_server"]


def policy_server(
    described: Any, *, behind: Callable[[Policy], Policy] = lambda policy: policy, **settings: Any
) -> PolicyServer:
    """Build a policy, and a server that hosts it.

    Args:
        described: The policy, as ``built`` takes it.
        behind: Returns what is served in its place.
        **settings: As ``PolicyServer`` takes them.

    Raises:
        Gr00tError: The policy cannot be built or served, whatever its own code raises; or the port is taken.
    """
    policy = require_policy(built(described, "policy"), f"policy._target_={described.get('_target_')}")
    try:
        return PolicyServer(behind(policy), **settings)
    except Gr00tError:
        raise
    except Exception as error:  # of the policy, which is asked what it wants
        raise not_built(described, "policy", error) from error
