"""Overrides of a command line, read as Hydra reads them.

* ``parsed``: one of them.
* ``all_parsed``: those among the arguments of a command line.
* ``given_overrides``: those that a run was started with.
* ``key_of``: which key one sets.
* ``quoted``: a text as an override has it.
"""

from collections.abc import Iterable
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, Quote, QuotedString
from hydra.errors import HydraException
from omegaconf import OmegaConf

__all__ = ["all_parsed", "given_overrides", "key_of", "parsed", "quoted"]


def parsed(argument: str) -> Override | None:
    """Return an override, None for what is none: a flag, or what cannot be read, which Hydra refuses."""
    try:
        return OverridesParser.create().parse_override(argument)
    except (HydraException, ValueError):
        return None


def all_parsed(arguments: Iterable[str]) -> list[Override]:
    """Return those arguments that are overrides."""
    return [override for override in map(parsed, arguments) if override is not None]


def given_overrides() -> list[str]:
    """Return the overrides of the run of this process, or of the job, as they were given: ``${...}`` in them stays."""
    given: Any = OmegaConf.to_container(HydraConfig.get().overrides.task, resolve=False)
    return given  # type: ignore[no-any-return]


def key_of(override: Override) -> str:
    """Return the key that an override sets, whatever stands before it: of ``policy@task.expert`` that is the latter."""
    return override.package or override.key_or_group


def quoted(text: str) -> str:
    """Return a text in the quotes that Hydra needs; those of a shell are not among them."""
    return QuotedString(text, Quote.single).with_quotes()
