"""How every command begins and ends: streams that may break, interruptions, messages instead of tracebacks.

* ``begin``: what a command does before it looks at its arguments.
* ``end_with``: does the work of a command and exits.
* ``guarded``: does a part of it whose failure stops no other.
* ``tell``: tells of a failure.
"""

import logging
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

from runners.utils.exit_codes import FAILED, INTERRUPTED
from runners.utils.interrupts import heed_interruptions, heeded
from runners.utils.remedies import message_of, reason_of
from runners.utils.terminal import prepare_terminal, say

__all__ = ["begin", "end_with", "guarded", "tell"]

logger = logging.getLogger(__name__)


def begin() -> None:
    """Make the streams and the signals of this process those of a command."""
    prepare_terminal()
    heed_interruptions(heeded())


def end_with(work: Callable[[], int], elsewhere: str = "") -> NoReturn:
    """Do the work of a command, and exit with its code.

    Args:
        work: Returns the exit code.
        elsewhere: As ``guarded`` takes it.
    """
    try:
        sys.exit(guarded(work, elsewhere))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def guarded(work: Callable[[], int], elsewhere: str = "") -> int:
    """Return the exit code of some work; an error that a person can mend is told, and is FAILED.

    Args:
        work: Returns the exit code.
        elsewhere: Setting by which it writes to another place, for the message of a place that cannot be written.
    """
    try:
        return work()
    except Exception as error:
        if message_of(error) is None:
            raise
        tell(error, elsewhere)
        return FAILED


def tell(error: Exception, elsewhere: str = "") -> str:
    """Tell of an error that goes no further, by its message, or by its traceback where it is a fault of ours.

    Args:
        error: What was raised.
        elsewhere: As ``guarded`` takes it.

    Returns:
        What it is, in words.
    """
    told = message_of(error, elsewhere)
    if told is None:
        traceback.print_exception(error)
        return reason_of(error)
    logger.debug("Where it failed", exc_info=error)
    say(f"\n{told}", stream=sys.stderr)
    return told
