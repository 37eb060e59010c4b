"""What Hydra has composed, before a command uses it.

* ``settle_composed``: refuses what is not whole, and makes its paths those of any folder.
* ``resolved``: its plain values.
* ``config_folders``: where it was looked for.
"""

from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from groot_wrappers.errors import ContractError
from runners.config.override_errors import explain, explain_missing, explain_unknown_key
from runners.config.overrides import all_parsed, given_overrides
from runners.config.setting_kinds import options_of

__all__ = ["config_folders", "resolved", "settle_composed"]

PATHS = ("dataset", "resume")
"""Keys whose value is a path, which ``hydra.job.chdir`` must not make one of another folder."""


def settle_composed(config: DictConfig, config_name: str) -> None:
    """Check a composed configuration, and make its paths absolute.

    Raises:
        ContractError: A key was added that has no type and so no meaning, one was taken away, a group has several
            options, or a folder of YAML files is not there.
    """
    for folder in config_folders():
        if not Path(folder).is_dir():
            raise ContractError(f"hydra.searchpath names {folder}, but there is no such folder.")
    _require_one_option()
    _require_typed_keys(config, config_name)
    for key in PATHS:
        if config.get(key) is not None:
            config[key] = str(Path(HydraConfig.get().runtime.cwd, Path(config[key]).expanduser()))


def resolved(config: DictConfig, config_name: str) -> dict[str, Any]:
    """Return the plain values of a configuration, enums by their names.

    Raises:
        ContractError: A value refers to what is not there, or to another kind of value.
    """
    try:
        plain: Any = OmegaConf.to_container(config, resolve=True, enum_to_str=True)
    except OmegaConfBaseException as error:
        raise ContractError(explain(error, config_name, given_overrides())) from error
    return plain  # type: ignore[no-any-return]


def config_folders() -> list[str]:
    """Return the folders in which YAML files were looked for, by ``--config-dir``, ``hydra.searchpath`` or else."""
    runtime = HydraConfig.get().runtime
    return [str(Path(runtime.cwd, source.path)) for source in runtime.config_sources if source.schema == "file"]


def _require_one_option() -> None:
    """Check that only recorders are several: of other groups Hydra would mix the options into one."""
    for override in all_parsed(given_overrides()):
        group, options = override.key_or_group, options_of(override.key_or_group)
        if options and group != "recorder" and isinstance(override.value(), list):
            raise ContractError(
                f"{override.input_line} was asked for, but {group} takes one option: {group}={options[0]}. One run for "
                f"each is a sweep: groot-play -m {group}={','.join(options[:2])}."
            )


def _require_typed_keys(config: DictConfig, config_name: str) -> None:
    kind = OmegaConf.get_type(config)
    hints: dict[str, Any] | None = get_type_hints(kind) if is_dataclass(kind) else None
    there = [str(key) for key in config]
    for key in dict.fromkeys([*there, *(hints or ())]):
        full_key = config._get_full_key(key)
        if hints is not None and key not in hints:
            raise ContractError(explain_unknown_key(full_key, config_name))
        if key in there and OmegaConf.is_interpolation(config, key):
            continue
        if key not in there or OmegaConf.is_missing(config, key):
            if hints is not None and hints[key] is not Any:
                raise ContractError(explain_missing(full_key, config_name))
        elif isinstance(config[key], DictConfig):
            _require_typed_keys(config[key], config_name)
