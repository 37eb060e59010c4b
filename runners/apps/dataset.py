"""``groot-dataset``: look at a recorded data set, and check it before GR00T learns from it."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from runners.launch.argparse_app import ArgumentParser, exit_after
from runners.utils.endings import begin

__all__ = ["main", "make_parser"]

EXAMPLES = """examples:
  groot-dataset check DIR                              every row read, every frame decoded
  groot-dataset show DIR                               a contact sheet: contact_sheet.png
  groot-dataset show DIR --episodes 50 --output a.png  more rows, another name

exit codes:
  0 GR00T reads the data set; what is untidy in it is told
  1 GR00T cannot read it, or would learn something wrong; each thing is told with its file and what mends it
"""


def make_parser() -> ArgumentParser:
    """Return the parser of the command line."""
    parser = ArgumentParser(
        prog="groot-dataset",
        description="Look at a data set in the LeRobot v2.1 format: GR00T reads it, recorder=[lerobot] writes it.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    check = commands.add_parser("check", help="say whether GR00T reads the data set, and what is wrong with it")
    show = commands.add_parser("show", help="write a contact sheet: a row an episode, frames of all its cameras")
    for command in (check, show):
        command.add_argument("folder", metavar="DIR", type=Path, help="the data set, the folder that holds meta/")
    show.add_argument(
        "--output", metavar="FILE", type=Path, default=Path("contact_sheet.png"), help="the picture (%(default)s)"
    )
    show.add_argument(
        "--episodes",
        metavar="N",
        type=_positive,
        default=20,
        help="most rows; from a larger data set, N with equal gaps (%(default)s)",
    )
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not 1 or more")
    return number


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the ``groot-dataset`` command."""
    begin()
    asked = make_parser().parse_args(arguments)
    from runners.apps import dataset_terminal  # noqa: PLC0415  # --help and a wrong argument answer at once

    if asked.command == "check":
        exit_after(lambda: dataset_terminal.check(asked.folder))
    exit_after(lambda: dataset_terminal.show(asked.folder, asked.output, asked.episodes))


if __name__ == "__main__":
    main()
