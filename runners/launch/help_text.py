"""What ``--help`` of a Hydra command says: its examples, its groups with their options, its keys with their comments.

* ``print_help``: answers, and ends the process, where a command line asks for it.

It is read off the YAML files as they are written. Composing them, as Hydra's own help does, takes seconds and
loses what their comments say.
"""

import importlib.resources
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import yaml  # type: ignore[import-untyped]

from runners.config.setting_kinds import OF_HYDRA, option_files, options_of
from runners.utils.exit_codes import DONE
from runners.utils.terminal import one_line, say

__all__ = ["print_help"]

FLAGS = ("--help", "-h")
EMBODIMENTS = "task.embodiments."
"""Keys that are gone once an embodiment is chosen."""

WIDTH = 120
COMMENTS = 31
"""Column in which the comments begin, as in the YAML files, but behind a longer value."""


@dataclass(frozen=True)
class _Key:
    """A key's value and comment as a YAML file has them."""

    value: str
    comment: str


def print_help(config_name: str, arguments: Sequence[str]) -> None:
    """Answer ``--help`` and end the process; do nothing where the arguments do not ask for it.

    Args:
        config_name: Name of the primary YAML file in ``conf/``.
        arguments: Of the command line. The keys that are told are those of the options that it chooses.
    """
    if any(flag in arguments for flag in FLAGS):
        say(*_help(config_name, dict(argument.partition("=")[::2] for argument in arguments)))
        sys.exit(DONE)


def _help(config_name: str, given: Mapping[str, str]) -> Iterator[str]:
    text = (importlib.resources.files("conf") / f"{config_name}.yaml").read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    chosen = _chosen(content["defaults"], given)
    keys = _keys_of(text)
    for group, options in chosen.items():
        for option in options:
            keys |= _keys_of_option(group, option, keys) if group != "embodiment" else {}
    parts = {"$APP_CONFIG_GROUPS": _told_groups(chosen), "$CONFIG": _told_keys(keys)}
    for line in content[OF_HYDRA]["help"]["template"].rstrip().splitlines():
        yield from parts.get(line.strip(), [line])


def _chosen(defaults: Sequence[Any], given: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the groups of a defaults list that have options, each with those that are chosen of them."""
    chosen = {}
    for entry in defaults:
        for group, default in entry.items() if isinstance(entry, dict) else ():
            if options_of(group):
                option = yaml.safe_load(given[group]) if group in given else default
                chosen[group] = option if isinstance(option, list) else [option]
    return chosen


def _told_groups(chosen: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for group, options in chosen.items():
        told = [f"[{option}]" if option in options else option for option in options_of(group)]
        yield from textwrap.wrap(f"{f'{group}=':14}{', '.join(told)}", WIDTH, subsequent_indent=" " * 14)


def _told_keys(keys: Mapping[str, _Key]) -> Iterator[str]:
    """Yield a line for each key that has a value and a comment, and the others side by side."""
    others = []
    for name, key in keys.items():
        setting = f"{name}={key.value}"
        if key.comment and key.value != "null":
            yield one_line(f"{setting:{COMMENTS - 1}} # {key.comment}", WIDTH)
        else:
            others.append(setting)
    yield from textwrap.wrap(", ".join(others), WIDTH, break_long_words=False, break_on_hyphens=False)


def _keys_of_option(group: str, option: str, earlier: Mapping[str, _Key]) -> dict[str, _Key]:
    """Return the keys of an option of a group, with those of the options of the same group that it begins with."""
    files = [path for path in option_files(group) if path.name == f"{option}.yaml"]
    text = files[0].read_text(encoding="utf-8") if files else ""
    is_global = text.startswith("# @package _global_")
    keys: dict[str, _Key] = {}
    for entry in (yaml.safe_load(text) or {}).get("defaults", []):
        if entry in options_of(group):
            keys |= _keys_of_option(group, entry, earlier)
    for name, key in _keys_of(text).items():
        full_name = name if is_global else f"{group}.{name}"
        known = keys.get(full_name) or earlier.get(full_name)
        keys[full_name] = replace(key, comment=key.comment or (known.comment if known else ""))
    return keys


def _keys_of(text: str) -> dict[str, _Key]:
    """Return the keys of a YAML file by their full names, each with what is written of it."""
    lines = text.splitlines()
    root = yaml.compose(text)

    def walk(node: yaml.MappingNode, prefix: str) -> Iterator[tuple[str, _Key]]:
        for name, value in ((f"{prefix}{key.value}", value) for key, value in node.value):
            if isinstance(value, yaml.MappingNode) and not value.flow_style:
                yield from walk(value, f"{name}.")
            else:
                is_folded = isinstance(value, yaml.ScalarNode) and value.style == ">"
                written = value.value if is_folded else text[value.start_mark.index : value.end_mark.index]
                comment = lines[value.start_mark.line].partition(" # ")[2].strip()
                yield name, _Key(written, comment)

    return {
        name: key
        for name, key in (walk(root, "") if root else ())
        if name.partition(".")[0] not in ("defaults", OF_HYDRA) and "._" not in name and EMBODIMENTS not in name
    }
