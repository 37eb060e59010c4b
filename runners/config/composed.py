"""What Hydra has composed, read from Hydra once, before a command uses it.

* ``Composition``: the settings of a command, with what they were composed from.
* ``settled``: refuses what is not whole, makes paths those of any folder, and takes the embodiment's part of the task.
* ``resolved``: plain values.
* ``typed``: the settings of ``groot-play`` as a dataclass.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, is_dataclass, replace
from pathlib import Path
from typing import Any, get_type_hints

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from groot_wrappers.embodiment.embodiment import Embodiment
from groot_wrappers.errors import ContractError
from runners.config.override_errors import explain, explain_missing, explain_unknown_key
from runners.config.overrides import all_parsed
from runners.config.schema import BenchSection, PlayConfig
from runners.config.setting_kinds import SEVERAL, options_of
from runners.config.task_parts import SCRIPTED, take_embodiments_part

__all__ = ["Composition", "resolved", "settled", "typed"]

PATHS = ("dataset", "again", "resume")
"""Keys whose value is a path, which ``hydra.job.chdir`` must not make one of another folder."""


@dataclass(frozen=True)
class Composition:
    """The settings of a command, and what they were composed from.

    Args:
        config: The settings.
        app: Name of the primary YAML file in ``conf/``.
        folder: Where results go.
        cwd: The folder that the command was given in.
        overrides: The overrides as they were given: ``${...}`` in them stays.
        choices: Group to the option that was chosen.
        config_folders: Where YAML files were looked for by ``--config-dir``, ``hydra.searchpath`` or else.
        sweep: What the sweep is called that this is a job of, None for a run of its own.
    """

    config: DictConfig
    app: str
    folder: Path
    cwd: Path
    overrides: tuple[str, ...]
    choices: Mapping[str, str]
    config_folders: tuple[str, ...]
    sweep: str | None = None

    @classmethod
    def of_hydra(cls, config: DictConfig, app: str) -> "Composition":
        """Read what Hydra says of the command, or of the job, that runs in this process."""
        hydra = HydraConfig.get()
        return cls.of(config, hydra, app, Path(hydra.runtime.output_dir))

    @classmethod
    def of(cls, config: DictConfig, hydra: Any, app: str, folder: Path) -> "Composition":
        """Put together what was composed.

        Args:
            config: The settings.
            hydra: Hydra's own.
            app: Name of the primary YAML file.
            folder: Where results go.
        """
        overrides: Any = OmegaConf.to_container(hydra.overrides.task, resolve=False)
        cwd = hydra.runtime.cwd
        return cls(
            config=config,
            app=app,
            folder=folder,
            cwd=Path(cwd),
            overrides=tuple(overrides),
            choices={str(group): option for group, option in hydra.runtime.choices.items() if option is not None},
            config_folders=tuple(
                str(Path(cwd, source.path)) for source in hydra.runtime.config_sources if source.schema == "file"
            ),
            sweep=Path(hydra.sweep.dir).name if hydra.mode is RunMode.MULTIRUN else None,
        )

    def with_config(self, config: DictConfig) -> "Composition":
        """Return the same with other settings."""
        return replace(self, config=config)


def settled(composition: Composition) -> Composition:
    """Return a composition that was checked, its paths absolute, and the chosen embodiment's part of the task taken.

    Raises:
        ContractError: A key was added that has no type and so no meaning, one was taken away, a group has several
            options, a folder of YAML files is not there, or the task has no scripted policy that was asked for.
    """
    config = composition.config
    for folder in composition.config_folders:
        if not Path(folder).is_dir():
            raise ContractError(f"hydra.searchpath names {folder}, but there is no such folder.")
    _require_one_option(composition.overrides)
    _require_typed_keys(config, composition.app)
    for key in PATHS:
        if config.get(key) is not None:
            config[key] = str(Path(composition.cwd, Path(config[key]).expanduser()))
    if "task" not in config and "task" in get_type_hints(OmegaConf.get_type(config)):
        raise ContractError(explain_missing("task", composition.app))
    if "task" in config:
        with open_dict(config):
            config.task = take_embodiments_part(
                config.task, composition.choices, with_expert=_hosts_expert(composition)
            )
    return composition


def resolved(composition: Composition) -> dict[str, Any]:
    """Return the plain values of the settings, enums by their names.

    Raises:
        ContractError: A value refers to what is not there, or to another kind of value.
    """
    try:
        plain: Any = OmegaConf.to_container(composition.config, resolve=True, enum_to_str=True)
    except OmegaConfBaseException as error:
        raise ContractError(explain(error, composition.app, composition.overrides)) from error
    return plain  # type: ignore[no-any-return]


def typed(composition: Composition) -> PlayConfig:
    """Return the settings of ``groot-play`` as a dataclass.

    Raises:
        ContractError: As ``resolved``; or an entry of the embodiment cannot be, all of which are told at once.
    """
    plain = resolved(composition)
    bare = composition.config.copy()
    OmegaConf.set_struct(bare, False)
    bare.embodiment = Embodiment()  # Hydra's types do not look into its entries
    config: Any = OmegaConf.to_object(bare)
    config.embodiment = Embodiment.from_config(plain["embodiment"])
    return config  # type: ignore[no-any-return]


def _hosts_expert(composition: Composition) -> bool:
    """Say whether the task's scripted policy is to be hosted; of a bench one section asks it."""
    asked = composition.app != "bench" or BenchSection.schedulers in composition.config.bench
    return asked and composition.choices.get("server") in SCRIPTED


def _require_one_option(overrides: Sequence[str]) -> None:
    """Check that only recorders and variations are several: of other groups Hydra would mix the options into one."""
    for override in all_parsed(overrides):
        group, options = override.key_or_group, options_of(override.key_or_group)
        if options and group not in SEVERAL and isinstance(override.value(), list):
            raise ContractError(
                f"{override.input_line} was asked for, but {group} takes one option: {group}={options[0]}. One run for "
                f"each is a sweep: groot-play -m {group}={','.join(options[:2])}."
            )


def _require_typed_keys(config: DictConfig, app: str) -> None:
    kind = OmegaConf.get_type(config)
    hints: dict[str, Any] | None = get_type_hints(kind) if is_dataclass(kind) else None
    there = [str(key) for key in config]
    for key in dict.fromkeys([*there, *(hints or ())]):
        full_key = config._get_full_key(key)
        if hints is not None and key not in hints:
            raise ContractError(explain_unknown_key(full_key, app))
        if key in there and OmegaConf.is_interpolation(config, key):
            continue
        if key not in there or OmegaConf.is_missing(config, key):
            if hints is not None and hints[key] is not Any:
                raise ContractError(explain_missing(full_key, app))
        elif isinstance(config[key], DictConfig):
            _require_typed_keys(config[key], app)
