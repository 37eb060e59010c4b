"""A policy of anybody's, by the module and the name that a command line gives."""

import importlib
import os
import sys
from typing import Any

from groot_wrappers.errors import ContractError, did_you_mean
from groot_wrappers.protocol.hosting import require_policy
from groot_wrappers.protocol.server import Policy

__all__ = ["load_policy"]


def load_policy(where: str) -> Policy:
    """Return the policy that ``module:factory`` names.

    Args:
        where: A module, as ``import`` takes it, and in it a policy, or a class or function that gives one.

    Raises:
        ContractError: There is no such module or name, or it gives no policy.
    """
    module_name, colon, path = where.partition(":")
    if not (module_name and colon and path):
        raise ContractError(f"A policy is named by module:factory, for instance my_policy:make_policy, got '{where}'.")
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise  # a module that theirs needs
        if module_name.endswith(".py"):
            raise ContractError(f"A module is named without .py: {module_name.removesuffix('.py')}:{path}") from error
        raise ContractError(
            f"There is no module '{error.name}' in {os.getcwd()} nor among what {sys.executable} has installed. "
            "Start the server in the folder of the module, or name that in PYTHONPATH."
        ) from error
    for name in path.split("."):
        if not hasattr(found, name):
            raise ContractError(f"'{module_name}' has no '{path}'.{did_you_mean(name, _callables(found))}")
        found = getattr(found, name)
    is_factory = isinstance(found, type) or not hasattr(found, "get_action")
    return require_policy(found() if is_factory and callable(found) else found, where)


def _callables(found: Any) -> list[str]:
    """Return the names that a policy may have: of what can be called, or has a policy's method."""
    return [name for name, value in vars(found).items() if callable(value) or hasattr(value, "get_action")]
