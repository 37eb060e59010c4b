"""``ArgumentParser``: argparse with this project's exit codes, for the commands that take no Hydra overrides."""

import argparse
import sys
from typing import NoReturn

from runners.cli import FAILED

__all__ = ["ArgumentParser"]


class ArgumentParser(argparse.ArgumentParser):
    """argparse ends with 2 where an argument is wrong, which is groot-play's code for errored episodes."""

    def error(self, message: str) -> NoReturn:
        """Tell what is wrong, and exit with FAILED."""
        print(f"{message}\n{self.format_usage()}`{self.prog} --help` has examples.", file=sys.stderr)
        sys.exit(FAILED)
