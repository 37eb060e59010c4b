"""Objects that settings describe: a mapping with ``_target_``, the class, and what it takes."""

from collections.abc import Mapping
from typing import Any

from hydra.utils import instantiate

from groot_wrappers.errors import ContractError

__all__ = ["built"]


def built(described: Any, where: str) -> Any:
    """Return what a mapping with ``_target_`` describes, at whatever depth; other values as they are.

    What a class takes are plain lists and mappings, never those of the configuration.

    Args:
        described: A mapping, or a list of them.
        where: Key of the configuration that the message names.

    Raises:
        ContractError: It cannot be built.
    """
    if not isinstance(described, Mapping | list):
        return described
    try:
        return instantiate(described, _convert_="all")
    except Exception as error:  # whatever a class of anybody's raises, the person is told where it is named
        cause = error.__cause__ or error  # Hydra wraps what was raised
        reason = " ".join(str(cause).partition("\nfull_key:")[0].split())
        target = described.get("_target_", "it") if isinstance(described, Mapping) else "it"
        raise ContractError(f"{where}: {target} could not be built: {type(cause).__name__}: {reason}") from error
