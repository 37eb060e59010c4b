"""argparse with this project's exit codes, for the commands that take no Hydra overrides.

* ``ArgumentParser``: refuses arguments.
* ``exit_after``: runs a command.
"""

import argparse
import sys
from collections.abc import Callable
from typing import NoReturn

from runners.utils.endings import end_with
from runners.utils.exit_codes import DONE, FAILED
from runners.utils.terminal import say

__all__ = ["ArgumentParser", "exit_after"]


class ArgumentParser(argparse.ArgumentParser):
    """argparse ends with 2 where an argument is wrong, which is groot-play's code for errored episodes."""

    def error(self, message: str) -> NoReturn:
        """Tell what is wrong, and exit with FAILED."""
        say(f"{message}\n{self.format_usage()}`{self.prog} --help` has examples.", stream=sys.stderr)
        sys.exit(FAILED)


def exit_after(command: Callable[[], bool | None]) -> NoReturn:
    """Run a command and exit: with FAILED if it returns False or fails, which is told."""
    end_with(lambda: FAILED if command() is False else DONE, "--output FILE")
