"""What the commands write to the terminal: foreign text made harmless, and readers that go away.

Instructions, keys and names come from data sets, servers and run folders. Whatever is written goes through here, so
that no escape sequence in them reaches a terminal, and no lone surrogate ends a command.

* ``printable``, ``one_line``: foreign text as it may be shown.
* ``say``: writes lines.
* ``prepare_terminal``: what a process does before it writes its first line.
"""

import io
import logging
import os
import sys
import traceback
import unicodedata
from contextlib import suppress
from typing import Any, TextIO

__all__ = ["one_line", "prepare_terminal", "printable", "say"]

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
    """Write lines at once.

    Args:
        lines: Each may hold newlines; what in them is not printable is escaped, but for tabs, which become spaces.
        stream: ``sys.stdout`` by default.
    """
    print(printable("\n".join(lines).expandtabs()), file=stream or sys.stdout, flush=True)


def prepare_terminal() -> None:
    """Let this process write whatever it is told to, to readers that may go away; once, before its first line.

    Where nobody reads stdout or stderr any more (``| head``, a closed terminal, a full disk), the work goes on unheard.
    What their encoding does not have is escaped, and so is what is not printable in log messages. Streams that the
    process was started without lead nowhere, instead of into the first file that it opens.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest number that is free: this one
    sys.stdin = sys.stdin or io.StringIO()
    sys.stdout = _heedless(sys.stdout, 1)
    sys.stderr = _heedless(sys.stderr, 2)
    logging.setLogRecordFactory(_PrintableRecord)
    logging.raiseExceptions = False  # a log file that cannot be written is no reason for tracebacks at the terminal


class _Heedless(io.FileIO):
    """A stream whose reader may go away: what cannot be written is left out."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError:
            return len(data)


class _PrintableRecord(logging.LogRecord):
    """A log record whose message and traceback may be shown."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        if self.exc_info:
            self.exc_text = printable("".join(traceback.format_exception(*self.exc_info)).rstrip())

    def getMessage(self) -> str:  # noqa: N802  # the name is logging's
        return printable(super().getMessage().expandtabs())


def _heedless(stream: TextIO | None, descriptor: int) -> TextIO:
    """Return a stream as it is after ``prepare_terminal``; one that is no file, as a test's, stays as it is."""
    if stream is not None:
        try:
            descriptor = stream.fileno()
        except OSError:
            return stream
        with suppress(OSError):
            stream.flush()
    file = io.BufferedWriter(_Heedless(descriptor, "wb", closefd=False))
    encoding = "utf-8" if stream is None else stream.encoding
    return io.TextIOWrapper(file, encoding=encoding, errors="backslashreplace", line_buffering=True)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode()
