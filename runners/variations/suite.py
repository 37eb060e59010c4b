"""Suites: variations and strengths that are fixed under a version, so that numbers can be quoted: ``variation.suite``.

* ``Suite``: what one fixes; its YAML lies in ``suites/``.
* ``with_suite_kinds``: completes the command line of a sweep over one.
* ``with_suite``: the settings of a run of one.
"""

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import msgspec
import yaml  # type: ignore[import-untyped]
from omegaconf import open_dict

from groot_wrappers.errors import ContractError, did_you_mean
from runners.config.composed import Composition
from runners.config.overrides import all_parsed, key_of
from runners.variations.arms import COMMON

__all__ = ["Suite", "with_suite", "with_suite_kinds"]

KEY = "variation.suite"


class Suite(msgspec.Struct, frozen=True):
    """What a suite fixes.

    Args:
        name: Its name, with its version.
        grid: As of ``variation.grid``.
        kinds: Name of each variation to all of its settings.
    """

    name: str
    grid: list[float]
    kinds: dict[str, dict[str, Any]]

    @classmethod
    def of(cls, name: object) -> "Suite":
        """Read a suite.

        Raises:
            ContractError: There is none of that name.
        """
        found = {
            path.name.removesuffix(".yaml"): path
            for path in files(__package__).joinpath("suites").iterdir()
            if path.name.endswith(".yaml")
        }
        if name not in found:
            raise ContractError(
                f"{KEY}={name} was asked for, but the suites are {', '.join(sorted(found))}."
                f"{did_you_mean(str(name), sorted(found))}"
            )
        return msgspec.convert({**yaml.safe_load(found[str(name)].read_text("utf-8")), "name": name}, cls)


def with_suite_kinds(arguments: Sequence[str]) -> list[str]:
    """Return a command line in which a sweep over a suite names its variations, unless it names some by itself.

    Args:
        arguments: The command line, without the program.

    Raises:
        ContractError: There is no suite of that name.
    """
    given = {override.key_or_group: override for override in all_parsed(arguments)}
    if KEY not in given or "variation" in given or not {"-m", "--multirun"} & set(arguments):
        return list(arguments)
    suite = given[KEY].value()
    return list(arguments) if suite is None else [*arguments, f"variation={','.join(Suite.of(suite).kinds)}"]


def with_suite(composition: Composition) -> Composition:
    """Return the settings of a run, those of its variations as its suite has fixed them; without a suite, as they are.

    Raises:
        ContractError: There is no such suite, it has no such variation, none is chosen, or what it fixes is set too.
    """
    variation = composition.config.variation
    if variation.get("suite") is None:
        return composition
    suite = Suite.of(variation.suite)
    asked = f"{KEY}={suite.name} was asked for"
    fixed = [
        str(override.input_line)
        for override in all_parsed(composition.overrides)
        if key_of(override).startswith("variation.") and key_of(override) != KEY
    ]
    if fixed:
        raise ContractError(f"{asked} with {', '.join(fixed)}, but a suite fixes all that. Leave out one of them.")
    kinds = [str(kind) for kind in variation if kind not in COMMON]
    if len(kinds) != 1 or kinds[0] not in suite.kinds:
        raise ContractError(
            f"{asked} with variation={','.join(kinds) or 'none'}, but it varies one at a time, of "
            f"{', '.join(suite.kinds)}. Choose one of them, or play all: groot-play -m {KEY}={suite.name}."
        )
    config = composition.config.copy()
    with open_dict(config):
        config.variation = {
            "strength": 1.0,
            "control": True,
            "grid": suite.grid,
            "suite": suite.name,
            kinds[0]: suite.kinds[kinds[0]],
        }
    return composition.with_config(config)
