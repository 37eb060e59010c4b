"""The settings of a run that goes on, from what its manifest says that it was begun with."""

from collections.abc import Collection, Mapping
from dataclasses import is_dataclass
from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from groot_wrappers.errors import ContractError
from runners.config.schema import LatencyServerConfig, PlayConfig, ServerConfig

__all__ = ["LIMIT_OF_TASK", "restored_settings"]

LIMIT_OF_TASK = "task.episode_steps"
"""What ``horizons.episode`` is where it is not given."""


def restored_settings(then: Mapping[str, Any], now: DictConfig, given: Collection[str]) -> DictConfig:
    """Return the settings that a run was begun with, but for those that are given now.

    Args:
        then: The configuration of its manifest.
        now: As it was composed now; what the manifest says nothing of comes from there.
        given: The keys whose values are those of now.

    Raises:
        ContractError: The manifest holds what is no setting any more.
    """
    try:
        server = LatencyServerConfig() if "base_ms" in then["server"] else ServerConfig()
        begun: Any = OmegaConf.merge(OmegaConf.structured(PlayConfig(server=server)), dict(then))
    except (OmegaConfBaseException, KeyError, TypeError) as error:
        raise ContractError(
            f"The settings that the run was begun with are not those of this version: {str(error).splitlines()[0]}. "
            "Go on with it by the version that began it; its manifest.json names the commit."
        ) from error
    _fill(begun, now)
    OmegaConf.set_struct(begun, True)
    for key in given:
        _take(begun, now, key)
    if OmegaConf.is_interpolation(now.horizons, "episode") and LIMIT_OF_TASK not in given:
        begun.horizons.episode = then["horizons"]["episode"]  # as no option that was given says what it is
    return begun  # type: ignore[no-any-return]


def _fill(begun: DictConfig, now: DictConfig) -> None:
    """Take from now what has no value, down to the keys of dataclasses."""
    for key in map(str, begun):
        if OmegaConf.is_missing(begun, key):
            begun[key] = now[key]
        elif isinstance(begun[key], DictConfig) and is_dataclass(OmegaConf.get_type(begun[key])):
            _fill(begun[key], now[key])


def _take(begun: DictConfig, now: DictConfig, key: str) -> None:
    """Let a key be as it is now, also where it is not there any more."""
    parent, _, name = key.rpartition(".")
    holder = OmegaConf.select(now, parent) if parent else now
    if isinstance(holder, DictConfig) and name in holder:
        OmegaConf.update(begun, key, OmegaConf.select(now, key), merge=False, force_add=True)
    elif isinstance(left := OmegaConf.select(begun, parent) if parent else begun, DictConfig):
        with open_dict(begun):
            left.pop(name, None)
