"""Overrides of a command line, read as Hydra reads them.

* ``parsed``: one of them.
* ``all_parsed``: those among the arguments of a command line.
* ``key_of``: which key one sets.
* ``quoted``: a text as an override has it.
"""

from collections.abc import Iterable

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, Quote, QuotedString
from hydra.errors import HydraException

__all__ = ["all_parsed", "key_of", "parsed", "quoted"]


def parsed(argument: str) -> Override | None:
    """Return an override, None for what is none: a flag, or what cannot be read, which Hydra refuses."""
    try:
        return OverridesParser.create().parse_override(argument)
    except (HydraException, ValueError):
        return None


def all_parsed(arguments: Iterable[str]) -> list[Override]:
    """Return those arguments that are overrides."""
    return [override for override in map(parsed, arguments) if override is not None]


def key_of(override: Override) -> str:
    """Return the key that an override sets, whatever stands before it: of ``policy@task.expert`` that is the latter."""
    return override.package or override.key_or_group


def quoted(text: str) -> str:
    """Return a text in the quotes that Hydra needs; those of a shell are not among them."""
    return QuotedString(text, Quote.single).with_quotes()
