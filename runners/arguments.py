"""argparse with this project's exit codes, for the commands that take no Hydra overrides.

* ``ArgumentParser``: refuses arguments.
* ``exit_after``: runs a command.
"""

import argparse
import sys
from collections.abc import Callable
from typing import NoReturn

from groot_wrappers.errors import Gr00tError
from runners.cli import DONE, FAILED

__all__ = ["ArgumentParser", "exit_after"]


class ArgumentParser(argparse.ArgumentParser):
    """argparse ends with 2 where an argument is wrong, which is groot-play's code for errored episodes."""

    def error(self, message: str) -> NoReturn:
        """Tell what is wrong, and exit with FAILED."""
        print(f"{message}\n{self.format_usage()}`{self.prog} --help` has examples.", file=sys.stderr)
        sys.exit(FAILED)


def exit_after(command: Callable[[], bool | None]) -> NoReturn:
    """Run a command and exit: with FAILED if it returns False, or raises a Gr00tError, which is told."""
    try:
        sys.exit(FAILED if command() is False else DONE)
    except Gr00tError as error:
        print(error, file=sys.stderr)
        sys.exit(FAILED)
