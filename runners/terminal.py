"""What the commands write to the terminal: foreign text made harmless, and readers that go away.

Instructions, keys and names come from data sets, servers and run folders. Whatever is written goes through here, so
that no escape sequence in them reaches a terminal, and no lone surrogate ends a command.

* ``printable``, ``one_line``: foreign text as it may be shown.
* ``say``: writes lines.
"""

import os
import sys
import unicodedata
from typing import TextIO

__all__ = ["one_line", "printable", "say"]

_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode categories that move the cursor, change what is around them, or cannot be written at all."""


def printable(text: str) -> str:
    """Return text in which everything but newlines that is no visible character is written as an escape."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c == "\n" or unicodedata.category(c) not in _HIDDEN else _escaped(c) for c in text)


def one_line(text: str, most: int = 80) -> str:
    """Return text for a cell of a table: printable, on one line, and cut where it is longer than ``most``."""
    shown = printable(text[: most + 1].replace("\n", "\\n"))
    return shown if len(shown) <= most else f"{shown[: most - 3]}..."


def say(*lines: str, stream: TextIO | None = None) -> None:
    """Write lines at once. Where nobody reads them any more (``| head``, a closed terminal), the work goes on unheard.

    Args:
        lines: Each may hold newlines; what in them is not printable is escaped.
        stream: ``sys.stdout`` by default.
    """
    stream = stream or sys.stdout
    try:
        print(printable("\n".join(lines)), file=stream, flush=True)
    except OSError:
        _stop_writing(stream)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode()


def _stop_writing(stream: TextIO) -> None:
    """Let what is written to a stream, now and at exit, go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
