"""Overrides that cannot be read as ``key=value``, or name several values where one is wanted: why, in words."""

import re
import shlex

from groot_wrappers.errors import did_you_mean
from runners.utils.pasting import override
from runners.utils.terminal import one_line

__all__ = ["explain_several_values", "explain_syntax"]

FUNCTIONS = {
    "bool": "bool(1)",
    "choice": "choice(a,b)",
    "float": "float(1)",
    "glob": "glob(lift_*)",
    "int": "int(1.0)",
    "range": "range(3), or range(2,10,2)",
    "shuffle": "shuffle(a,b)",
    "sort": "sort(b,a)",
    "str": "str(1)",
}
"""How those of Hydra's functions are written that make sense in an override."""

CLOSING = {"[": "]", "{": "}", "(": ")"}


def explain_syntax(argument: str, told_by_hydra: str, takes: str | None) -> str:
    """Say why an override cannot be read, and how it is written.

    Args:
        argument: The override.
        told_by_hydra: What Hydra says of it.
        takes: What the key takes, in a sentence; None where that may be a text, or is not known.
    """
    key, equals, value = argument.partition("=")
    shown, bare = one_line(argument), key.lstrip("+~")
    if not equals:
        return f"'{shown}' is no setting, as settings are key=value. {takes or f'Is {shown}=... meant?'}"
    if not re.fullmatch(r"[A-Za-z_$][\w$.@/:-]*", bare, flags=re.ASCII):
        return f"'{shown}' is no setting, as '{one_line(bare)}' can be no key. `--help` lists all keys."
    called = re.search(r"while evaluating '(\w+)\(", told_by_hydra)
    if called and called[1] in FUNCTIONS:
        return f"'{shown}' cannot be read: {called[1]}(...) is written {FUNCTIONS[called[1]]}."
    if called:
        told = f"there is no function {called[1]}(...).{did_you_mean(called[1], FUNCTIONS)}"
    else:
        told, value = _oddity(value)
    text = one_line(value, 200)
    return f"'{shown}' cannot be read: {told} " + (
        takes
        or f'Where a text is meant, it stands in quotes: {override(bare, text)}; a list in brackets: "{bare}=[a,b]".'
    )


def explain_several_values(argument: str, *, may_be_list: bool, may_be_text: bool) -> str:
    """Say what can be meant by an override that names several values outside of a sweep.

    Args:
        argument: The override.
        may_be_list: Whether its key takes a list.
        may_be_text: Whether its key takes any text.
    """
    key, _, value = argument.partition("=")
    shown, value = one_line(argument), one_line(value, 200)
    if re.match(r"\w+\(", value):
        return f"'{shown}' is a sweep, which -m plays: groot-play -m {shlex.quote(shown)}."
    told = f"'{shown}' names several values. One run for each: groot-play -m {shlex.quote(shown)}."
    if may_be_list:
        told += f" A list stands in brackets: {shlex.quote(f'{key}=[{value}]')}."
    if may_be_text:
        told += f" One text stands in quotes: {override(key, value)}."
    return told


def _oddity(value: str) -> tuple[str, str]:
    """Return what is odd about a value, as a sentence, and the value without a quote that is never closed."""
    expected: list[str] = []
    quote = ""
    for before, character in zip(f" {value}", value, strict=False):
        if quote:
            quote = "" if character == quote and before != "\\" else quote
        elif character in "'\"":
            quote = character
        elif character in CLOSING:
            expected.append(CLOSING[character])
        elif character in CLOSING.values() and (not expected or character != expected.pop()):
            return f"'{character}' closes nothing.", value
    if quote:
        return f"the quote {quote} is not closed.", value.removeprefix(quote)
    if expected:
        return f"'{expected[-1]}' is missing.", value
    if re.search(r"(^|[,\[({])\s*(,|$)", value):
        return "there is nothing between two commas.", value
    odd = re.search(r"[^\w\s\"'/\-\\+.$%*@?|:,()\[\]{}]", value, flags=re.ASCII)
    return (f"'{one_line(odd[0])}' is in it." if odd else "it is no value."), value
