"""A policy server in this process, from the configuration of its policy; whatever keeps it from starting is told."""

import logging
import re
import sys
from collections.abc import Callable
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate

from groot_wrappers.errors import ContractError, Gr00tError, did_you_mean
from groot_wrappers.server import Policy, PolicyServer

__all__ = ["TOKEN_VARIABLE", "policy_server"]

TOKEN_VARIABLE = "GR00T_API_TOKEN"  # noqa: S105  # the name of the variable, not a token
METHODS = ("get_modality_config", "get_action", "reset")

logger = logging.getLogger(__name__)


def policy_server(
    policy: Any, *, behind: Callable[[Policy], Policy] = lambda built: built, **settings: Any
) -> PolicyServer:
    """Build a policy, and a server that hosts it.

    Args:
        policy: What ``hydra.utils.instantiate`` builds the policy from.
        behind: Returns what is served in its place.
        **settings: As ``PolicyServer`` takes them.

    Raises:
        Gr00tError: The policy cannot be built or served, whatever its own code raises; or the port is taken.
    """
    try:
        built = instantiate(policy)
        missing = [name for name in METHODS if not callable(getattr(built, name, None))]
        if missing:
            raise ContractError(
                f"The policy {_target(policy)} is a {type(built).__name__} without {' and '.join(missing)}. A policy "
                f"has the methods {', '.join(METHODS)}; groot_wrappers.server.Policy documents them."
            )
        return PolicyServer(behind(built), **settings)
    except Gr00tError:
        raise
    except (Exception, SystemExit) as error:
        logger.debug("Where the policy failed", exc_info=True)
        raise ContractError(_why(_target(policy), error)) from error


def _target(policy: Any) -> str:
    return str(policy.get("_target_"))


def _why(target: str, error: BaseException) -> str:
    """Say why a policy cannot be built, and what mends it."""
    cause: BaseException | None = error
    if isinstance(error, InstantiationException):
        found = re.search(r"target '([^']+)'", str(error))
        target = found[1] if found else target  # of a policy within the policy, where it is that one
        cause = error.__cause__
        if isinstance(cause, Gr00tError):
            return str(cause)
        if isinstance(cause, ImportError):  # Hydra's own, raised from that of the import
            cause = cause.__cause__ or cause
    if cause is None:
        return f"The policy {target} cannot be built: {error}"
    why = f"The policy {target} cannot be built: {type(cause).__name__}: {cause}."
    if not isinstance(cause, ModuleNotFoundError) or not cause.name:
        return f"{why} groot-serve with hydra.verbose=true shows where."
    module, _, name = target.rpartition(".")
    if cause.name == target and module in sys.modules:
        hint = did_you_mean(name, vars(sys.modules[module]))
        return f"The policy {target} cannot be built: {module} has no {name}.{hint}"
    if f"{target}.".startswith(f"{cause.name}."):
        return f"{why} Name the folder that holds {cause.name.partition('.')[0]}: PYTHONPATH=FOLDER."
    return f"{why} Its code needs that module: install it into {sys.prefix}."
