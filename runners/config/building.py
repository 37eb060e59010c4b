"""Objects that settings describe: a mapping with ``_target_``, the class, and what it takes."""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from groot_wrappers.errors import ContractError, Gr00tError, did_you_mean
from runners.config.renamed import renamed_targets
from runners.utils.remedies import message_of

__all__ = ["built", "not_built"]

logger = logging.getLogger(__name__)


def built(described: Any, where: str) -> Any:
    """Return what a mapping with ``_target_`` describes, at whatever depth; other values as they are.

    What a class takes are plain lists and mappings, never those of the configuration.

    Args:
        described: A mapping, or a list of them.
        where: Key of the configuration that the message names.

    Raises:
        ContractError: It cannot be built.
    """
    if not isinstance(described, Mapping | list | DictConfig):
        return described
    try:
        return instantiate(_plain(described), _convert_="all")
    except (Exception, SystemExit) as error:  # whatever a class of anybody's raises
        raise not_built(described, where, error) from error


def _plain(described: Any) -> Any:
    """Return a description with the names of this version, whatever version has written it."""
    if isinstance(described, DictConfig):
        described = OmegaConf.to_container(described, resolve=True)
    return renamed_targets(described)


def not_built(described: Any, where: str, error: BaseException) -> ContractError:
    """Return the error that tells why something could not be built, and what mends it.

    Args:
        described: As ``built`` takes it.
        where: Key of the configuration that the message names.
        error: What was raised.
    """
    logger.debug("Where %s failed", where, exc_info=error)
    target = described.get("_target_", "it") if isinstance(described, Mapping | DictConfig) else "it"
    cause = error
    if isinstance(error, InstantiationException):  # Hydra wraps what was raised
        named = re.search(r"target '([^']+)'", str(error))
        target = named[1] if named else target  # which may be one within the other
        cause = error.__cause__ or error
        if isinstance(cause, ImportError):
            cause = cause.__cause__ or cause
    if isinstance(cause, Gr00tError):
        return ContractError(str(cause))
    return ContractError(f"{where}: {target} could not be built: {_reason(target, cause)}")


def _reason(target: str, cause: BaseException) -> str:
    if told := message_of(cause):
        return told
    said = str(cause).partition("\nfull_key:")[0]
    reason = f"{type(cause).__name__}: {' '.join(said.split()).rstrip('.')}"
    if not isinstance(cause, ModuleNotFoundError) or not cause.name:
        return f"{reason}. hydra.verbose=true shows where"
    module, _, name = target.rpartition(".")
    if cause.name == target and module in sys.modules:
        return f"{module} has no {name}.{did_you_mean(name, vars(sys.modules[module]))}"
    if f"{target}.".startswith(f"{cause.name}."):
        package = cause.name.partition(".")[0]
        return f"{reason}. Where it lies in a folder of yours, PYTHONPATH=FOLDER names the one that holds {package}"
    return f"{reason}, which it needs. Install that into {sys.prefix}"
