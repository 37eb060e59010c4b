"""The arguments of a Hydra command as a person typed them: what is refused in them, and what is written out.

* ``refuse_old_flags``: flags of the earlier command line.
* ``refuse_tokens``: secrets that Hydra would write into the run folder.
* ``refuse_long_names``: names of which Hydra would look for a file.
* ``written_out``: the arguments as Hydra takes them.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from hydra.core.override_parser.types import ChoiceSweep, OverrideType

from runners.config.overrides import parsed, quoted
from runners.config.setting_kinds import option_files, options_of
from runners.utils.pasting import override
from runners.utils.terminal import one_line, say

__all__ = ["refuse_long_names", "refuse_old_flags", "refuse_tokens", "written_out"]

LONGEST_NAME = 200
"""Characters of a key, or of an option: file systems take 255 bytes."""

PATHS = ("again", "resume", "dataset", "checkpoints", "hydra.run.dir", "hydra.sweep.dir")
"""Keys whose value is a path, in which ``~`` is the home folder: not every shell knows that behind ``=``."""


COMMAND = "server.command"

EXPERT = "task.expert."
"""Keys of the scripted policy, which a task's YAML holds for each embodiment until one is chosen."""


def refuse_old_flags(arguments: Sequence[str], old_flags: Mapping[str, str]) -> None:
    """Exit with the overrides where flags of the earlier command line are given, with the values that were given."""
    told = []
    for position, argument in enumerate(arguments):
        flag, _, value = argument.partition("=")
        if flag in old_flags:
            key = old_flags[flag]
            value = value or (arguments[position + 1] if position + 1 < len(arguments) else "...")
            told.append(f"  {flag} is now {override(key, _option_with_id(key, value))}")
    if told:
        _refuse("Settings are given as overrides, key=value:", *told)


def refuse_tokens(arguments: Sequence[str]) -> None:
    """Exit where a token is given as a setting, before Hydra writes it into the run folder."""
    for argument in arguments:
        key = argument.partition("=")[0].lstrip("+~")
        if "=" in argument and key.rpartition(".")[2] in ("api_token", "token"):
            _refuse(
                f"'{key}': a token is never part of the configuration. Set the environment variable GR00T_API_TOKEN."
            )


def refuse_long_names(arguments: Sequence[str]) -> None:
    """Exit where a key, or an option of a config group, is longer than any file's name."""
    for argument in arguments:
        key, equals, value = argument.partition("=")
        too_long = len(key) > LONGEST_NAME or (
            len(value) > LONGEST_NAME and value[0] not in "[{" and options_of(key.lstrip("+~").partition("@")[0])
        )
        if equals and too_long:
            _refuse(f"{one_line(argument)} was given, but nothing here has so long a name. `--help` lists all keys.")


def written_out(arguments: Sequence[str]) -> list[str]:
    """Return the arguments as Hydra takes them; what comes twice is told.

    * The command of a server needs no quotes of Hydra's, though it has braces.
    * In a path, ``~`` becomes the home folder, and the path of a folder that is there needs no quotes.
    * A mapping with ``_target_`` may name any key, as a class has arguments of its own: ``++`` stands before it, and
      before the keys of ``task.expert``.
    """
    _tell_repeated(arguments)
    return [_with_whole_path(_with_new_keys(_with_quoted_command(argument))) for argument in arguments]


def _with_quoted_command(argument: str) -> str:
    key, equals, raw = argument.partition("=")
    return f"{key}={quoted(raw)}" if key == COMMAND and equals and parsed(argument) is None else argument


def _with_new_keys(argument: str) -> str:
    override = parsed(argument)
    if override is None or override.type is not OverrideType.CHANGE:
        return argument
    if override.key_or_group.startswith(EXPERT):
        return f"++{argument}"
    value = override.value()
    values = value.list if isinstance(value, ChoiceSweep) else [value]
    return f"++{argument}" if any(map(_describes_object, values)) else argument


def _describes_object(value: object) -> bool:
    return isinstance(value, dict) and ("_target_" in value or any(map(_describes_object, value.values())))


def _with_whole_path(argument: str) -> str:
    key, equals, raw = argument.partition("=")
    if key not in PATHS or not equals:
        return argument
    override = parsed(argument)
    is_there = _is_there(raw)
    value = raw if override is None or is_there else override.value()
    if not isinstance(value, str) or not (is_there or value.startswith("~")):
        return argument
    try:
        return f"{key}={quoted(str(Path(value).expanduser()))}"
    except RuntimeError:  # nobody of that name has a home here
        return argument


def _is_there(path: str) -> bool:
    try:
        return path != "" and Path(path).expanduser().exists()
    except (OSError, RuntimeError, ValueError):
        return False


def _tell_repeated(arguments: Sequence[str]) -> None:
    """Say which settings count for nothing, as a later one has the same key; mappings are put into one another."""
    last: dict[str, str] = {}
    for argument in reversed(arguments):
        key, equals, value = argument.partition("=")
        if equals and not value.startswith("{") and last.setdefault(key, argument) != argument:
            say(f"{one_line(argument)} counts for nothing: {one_line(last[key])} comes later.", stream=sys.stderr)


def _option_with_id(group: str, value: str) -> str:
    """Return the option of a config group that stands for a gym id; the value itself where none does."""
    for path in option_files(group):
        if re.search(rf"^ +id: {re.escape(value)}$", path.read_text(), flags=re.MULTILINE):
            return path.name.removesuffix(".yaml")
    return value


def _refuse(*lines: str) -> NoReturn:
    say(*lines, stream=sys.stderr)
    sys.exit(1)
