"""RunRequest: all that is asked of a run, in one typed thing."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runners.config.composed import Composition, resolved, typed
from runners.config.schema import PlayConfig

__all__ = ["RunRequest"]


@dataclass(frozen=True)
class RunRequest:
    """What is asked of a run.

    Args:
        folder: The run folder.
        config: The settings.
        settings: The same as plain values, without secrets, for what keeps a record of them.
        overrides: What was set at the command line; of a multirun, for this run.
        config_folders: Where options were looked for beside our own.
        sweep: What the sweep is called that the run is a job of, None for a run of its own.
    """

    folder: Path
    config: PlayConfig
    settings: Mapping[str, Any]
    overrides: tuple[str, ...] = ()
    config_folders: tuple[str, ...] = ()
    sweep: str | None = None

    @classmethod
    def of(cls, composition: Composition) -> "RunRequest":
        """Return what settings ask for that were composed.

        Raises:
            ContractError: They cannot be; see ``runners.config.composed.typed``.
        """
        return cls(
            folder=composition.folder,
            config=typed(composition),
            settings=resolved(composition),
            overrides=composition.overrides,
            config_folders=composition.config_folders,
            sweep=composition.sweep,
        )
