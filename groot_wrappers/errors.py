"""Errors that a person can mend; the message is the whole story: what was asked, what came, what mends it.

* ``Gr00tError``: base of all of them, so a front end can print ``str(error)`` and no traceback.
* ``ContractError``: what the server demands, what the env offers, or what a message holds does not match.
* ``ProtocolError``: a frame that is not a message of this protocol, or a value that cannot become one.
* ``ServerError``: the server answered, and its answer is an error.
* ``ServerUnreachableError``: nobody answered.
* ``rename_arguments``: a message in the words of a front end.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

__all__ = [
    "ContractError",
    "Gr00tError",
    "ProtocolError",
    "ServerError",
    "ServerUnreachableError",
    "describe_value",
    "did_you_mean",
    "raise_all",
    "rename_arguments",
]

_ARGUMENT = re.compile(r"`([a-z_.]+)`")


class Gr00tError(RuntimeError):
    """Base of the errors that a person can mend.

    Where an argument of this package is what mends it, the message names that in backticks: "raise `timeout_s`".
    """

    @property
    def arguments(self) -> list[str]:
        """The arguments that the message names, such as ``timeout_s``."""
        return _ARGUMENT.findall(str(self))


class ContractError(Gr00tError):
    """The server's demands, the env's offer or the contents of a message do not match.

    Args:
        message: The whole story.
        problems: Its parts, where it tells of several.
    """

    def __init__(self, message: str, problems: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.problems = list(problems) or [message]


class ProtocolError(ContractError):
    """A frame is not a message of the GR00T protocol, or a value cannot be written as one."""


class ServerError(Gr00tError):
    """The server answered ``{"error": ...}``; the connection is still usable."""


class ServerUnreachableError(Gr00tError):
    """Nobody answers: not listening yet, too slow, or died in the middle of a call."""


def describe_value(value: object) -> str:
    """Say what came, short enough for a message whatever it is."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape}"
    if isinstance(value, str | int | float | bool | None):
        return repr(value) if len(repr(value)) <= 120 else f"{type(value).__name__} of {len(repr(value))} characters"
    return type(value).__name__


def rename_arguments(message: str, names: Mapping[str, str]) -> str:
    """Return a message that calls the arguments of this package what a front end calls them.

    Args:
        message: Of an error, or a text that quotes one.
        names: Argument to what is written in its place; any other stays as it is, in backticks.
    """
    return _ARGUMENT.sub(lambda found: names.get(found[1], found[0]), message)


def did_you_mean(asked: str, offered: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the offered name nearest to what was asked; empty where none is near."""
    near = difflib.get_close_matches(asked, list(offered), n=1)
    return f" Did you mean '{near[0]}'?" if near else ""


def raise_all(heading: str, problems: Sequence[str]) -> None:
    """Raise one ContractError with all problems, so that a person mends them in one go; none where there is none."""
    if problems:
        raise ContractError(heading + "".join(f"\n- {problem}" for problem in problems), problems)
