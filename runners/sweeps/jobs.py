"""The jobs of a sweep: which there are, and names by which the same command finds the same folders again.

* ``Job``: one of them.
* ``jobs_of``: the jobs of a command line.
* ``sweep_name``: what the sweep is called that has these jobs.
* ``job_name``: what a job is called.
* ``with_each_choice``: those of them in which every value stands.
"""

import hashlib
import itertools
import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override

from groot_wrappers.errors import ContractError
from runners.config.overrides import all_parsed
from runners.run_folder.resume import FREE
from runners.utils.terminal import one_line

__all__ = [
    "SUITE_INDEX",
    "Job",
    "job_name",
    "jobs_of",
    "makes_another_job",
    "settings_of",
    "sweep_name",
    "swept_free_keys",
    "with_each_choice",
]

MOST_JOBS = 10_000
"""Of a sweep: each takes some milliseconds to compose, before the first begins."""

SUITE_INDEX = "task.index"
"""The key by which one of a suite's tasks is chosen."""

NAME_LENGTH = 10
"""Hexadecimal digits of a name: of a million jobs, two are called alike once in two runs; that is refused."""


@dataclass(frozen=True)
class Job:
    """One run of a sweep.

    Args:
        name: Of its folder in that of the sweep.
        overrides: Its settings, as the command line of a run of its own has them.
    """

    name: str
    overrides: tuple[str, ...]


def jobs_of(overrides: Sequence[str], loader: ConfigLoader) -> list[Job]:
    """Return the jobs that the overrides of a multirun ask for, in the order in which they are launched.

    Raises:
        ContractError: Two jobs are the same, there are none, or more than MOST_JOBS.
    """
    parsed = OverridesParser.create(config_loader=loader).parse_overrides(list(overrides))
    number = math.prod(_values_of(override) for override in parsed if override.is_sweep_override())
    if number > MOST_JOBS:
        raise ContractError(f"{number} jobs or more were asked for, but a sweep has {MOST_JOBS} at most. Sweep less.")
    (batch,) = BasicSweeper.split_arguments(parsed, None)
    counted = swept_free_keys(batch)
    jobs = [Job(job_name(job, counted), tuple(job)) for job in batch]
    for name, count in Counter(job.name for job in jobs).items():
        if count > 1:
            told = next(job.overrides for job in jobs if job.name == name)
            raise ContractError(f"{count} jobs of the sweep are the same: {' '.join(told)}. Name each value once.")
    return jobs


def with_each_choice(jobs: Iterable[Job], overrides: Sequence[str]) -> list[Job]:
    """Return some of the jobs, in which each value that a person has named stands at least once."""
    named = {override.get_key_element() for override in all_parsed(overrides) if override.is_choice_sweep()}
    seen: set[tuple[str, str]] = set()
    found: list[Job] = []
    for job in jobs:
        values = {(key, value) for key, value in _parsed(job.overrides) if key in named}
        if not found or not values <= seen:
            found.append(job)
            seen |= values
    return found


def swept_free_keys(jobs: Sequence[Sequence[str]]) -> list[str]:
    """Return the keys that make no other job by themselves, but have several values here: a sweep over servers."""
    values: dict[str, set[str]] = {}
    for job in jobs:
        for key, value in _parsed(job):
            values.setdefault(key, set()).add(value)
    return sorted(key for key, taken in values.items() if len(taken) > 1 and not makes_another_job(key))


def sweep_name(jobs: Sequence[Job], grows_by: str | None = None) -> str:
    """Return the name of the sweep that has these jobs, in whatever order and however they were written.

    Args:
        jobs: Of the sweep.
        grows_by: A key that may have more values another time without making it another sweep.
    """
    names = [job.name for job in jobs]
    if grows_by is not None:
        rest = [[each for each in job.overrides if grows_by not in settings_of([each])] for job in jobs]
        counted = swept_free_keys(rest)
        names = list({job_name(overrides, counted) for overrides in rest})
    return _hash(sorted(names))


def job_name(overrides: Iterable[str], counted: Iterable[str] = ()) -> str:
    """Return the name of a job.

    Args:
        overrides: Its settings.
        counted: Of those that make no other job by themselves, the keys that do so here.
    """
    also = set(counted)
    return _hash(sorted((key, value) for key, value in _parsed(overrides) if key in also or makes_another_job(key)))


def makes_another_job(key: str) -> bool:
    """Say whether another value of a key is another job by itself, and not the same one played elsewhere or further."""
    bare = key.lstrip("+~").partition("@")[0]
    return not any(bare == name or bare.startswith(f"{name}.") for name in FREE)


def settings_of(overrides: Iterable[str]) -> dict[str, str]:
    """Return what overrides set, by key, as a person would write it without quotes."""
    parsed = OverridesParser.create().parse_overrides([str(override) for override in overrides])
    return {override.get_key_element(): str(override.value()) for override in parsed}


def _values_of(swept: Override) -> int:
    """Return how many values are swept, MOST_JOBS + 1 where there are more.

    Raises:
        ContractError: There are none, or none that could be counted.
    """
    shown = one_line(str(swept.input_line))
    if not swept.is_discrete_sweep():
        raise ContractError(f"{shown} was asked for, but it names no single values. A sweep takes range(3) or a,b,c.")
    try:
        number = sum(1 for _ in itertools.islice(swept.sweep_iterator(), MOST_JOBS + 1))
    except ValueError as error:
        raise ContractError(f"{shown} was asked for, but it cannot be counted out: {error}.") from error
    if not number:
        raise ContractError(
            f"{shown} was asked for, but it names no value, so that there is nothing to play. range(3) is 0,1,2, and "
            "glob(*) all options of a group."
        )
    return number


def _parsed(overrides: Iterable[str]) -> list[tuple[str, str]]:
    """Return keys and values, the values in one way of writing them."""
    parsed = OverridesParser.create().parse_overrides([str(override) for override in overrides])
    # "++" says no more than that the key may be new.
    return [
        (override.get_key_element().removeprefix("++"), json.dumps(override.value(), default=str))
        for override in parsed
    ]


def _hash(content: Any) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:NAME_LENGTH]
