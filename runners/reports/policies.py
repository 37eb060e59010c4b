"""Which policy runs were played by, in words: for the terminal and for the pages.

* ``format_policy``: of one run.
* ``noted_policies``: runs with a note where others of the same settings were played by another policy.
* ``describe_difference``: in what two policies differ.
* ``format_pair``: what whoever compares two runs has to know of their policies.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from runners.run_folder.manifest import Manifest
from runners.run_folder.reader import Run
from runners.run_folder.resume import other_settings
from runners.utils.terminal import one_line

__all__ = ["describe_difference", "format_pair", "format_policy", "noted_policies"]

Identity = Mapping[str, str | int | float | bool]

_RANDOMNESS = {
    "per_episode": "what it draws comes from each episode's seed",
    "unseeded": "what it draws, if it draws anything, is drawn anew in each run",
}


def format_policy(manifest: Manifest) -> list[str]:
    """Return the lines that tell of a run's policy."""
    told = ", ".join(f"{key}={value}" for key, value in manifest.policy.items())
    randomness = manifest.policy_randomness
    return [
        f"Policy: {told or 'its server says nothing of it'}",
        f"Policy's randomness: {randomness}, {_RANDOMNESS[randomness]}",
    ]


def noted_policies(runs: Sequence[Run], names: Sequence[str]) -> list[Run]:
    """Return runs, with a note each where the first one of the same settings was played by another policy.

    Args:
        runs: In the order in which they are shown.
        names: What each is called.
    """
    first: dict[str, tuple[str, Manifest]] = {}
    noted = []
    for run, name in zip(runs, names, strict=True):
        if run.manifest is None or not run.manifest.policy:
            noted.append(run)
            continue
        settings = json.dumps(other_settings(run.manifest.config), sort_keys=True, default=str)
        other_name, other = first.setdefault(settings, (name, run.manifest))
        difference = describe_difference(other.policy, run.manifest.policy, "there", "here")
        note = f"another policy than that of {other_name}, for the same settings: {difference}"
        noted.append(replace(run, notes=[*run.notes, note]) if difference else run)
    return noted


def describe_difference(one: Identity, other: Identity, first: str, second: str) -> str:
    """Return in what two policies differ, empty where in nothing or where one of them is not known.

    Args:
        one: What the first says of itself.
        other: What the second does.
        first: What the first is called.
        second: What the second is called.
    """
    if not one or not other:
        return ""
    return "; ".join(
        f"{one_line(key)} {_format_value(one, key)} {first}, {_format_value(other, key)} {second}"
        for key in dict.fromkeys([*one, *other])
        if (type(one.get(key)), one.get(key)) != (type(other.get(key)), other.get(key))
    )


def format_pair(a: Run, b: Run) -> list[str]:
    """Return what whoever compares two runs has to know of their policies."""
    lines = []
    of_a, of_b = ({} if run.manifest is None else run.manifest.policy for run in (a, b))
    if difference := describe_difference(of_a, of_b, "in A", "in B"):
        lines.append(f"The policies were not the same: {difference}")
    elif bool(of_a) != bool(of_b):
        known, told = ("A", of_a) if of_a else ("B", of_b)
        who = ", ".join(f"{one_line(key)}={_format_value(told, key)}" for key in told)
        lines.append(f"The policy of {known}: {who}. The server of the other says nothing of its own")
    runs = [("A", a.manifest), ("B", b.manifest)]
    unseeded = [name for name, made in runs if made is None or made.policy_randomness == "unseeded"]
    if unseeded:
        lines.append(
            f"The policy's randomness was unseeded in {' and '.join(unseeded)}: if it draws any noise, a single "
            "episode's outcome may differ by that noise alone, and so would the same policy played twice. The rates "
            "and the test hold all the same"
        )
    return lines


def _format_value(identity: Identity, key: str) -> str:
    return one_line(repr(identity[key])) if key in identity else "nothing"
