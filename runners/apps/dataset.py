"""``groot-dataset``: look at a recorded data set, check it before a policy learns from it, and convert it."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from runners.launch.argparse_app import ArgumentParser, exit_after
from runners.utils.endings import begin

__all__ = ["main", "make_parser"]

VERSIONS = ("v2.1", "v3.0")

EXAMPLES = """examples:
  groot-dataset check DIR                              every row read, every frame decoded
  groot-dataset show DIR                               a contact sheet: contact_sheet.png
  groot-dataset show DIR --episodes 50 --output a.png  more rows, another name
  groot-dataset convert DIR --to v3.0 NEW              for LeRobot, by its own converter (make learned-env)
  groot-dataset convert DIR --to v2.1 NEW              and back, for GR00T

exit codes:
  0 the training reads the data set, GR00T's v2.1 and LeRobot's v3.0; what is untidy in it is told
  1 it cannot read it, or would learn something wrong; each thing is told with its file and what mends it
"""


def make_parser() -> ArgumentParser:
    """Return the parser of the command line."""
    parser = ArgumentParser(
        prog="groot-dataset",
        description="Look at a data set in LeRobot's format: v2.1, as recorder=[lerobot] writes it for GR00T, or v3.0.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    check = commands.add_parser(
        "check", help="say whether GR00T (v2.1) or LeRobot (v3.0) reads it, and what is wrong with it"
    )
    show = commands.add_parser("show", help="write a contact sheet: a row an episode, frames of all its cameras")
    convert = commands.add_parser("convert", help="write it anew in the other version, into a new folder")
    for command in (check, show, convert):
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
    convert.add_argument("output", metavar="NEW", type=Path, help="the new data set, a folder that is not there")
    convert.add_argument("--to", choices=VERSIONS, required=True, help="GR00T trains on v2.1, LeRobot 0.6.1 on v3.0")
    convert.add_argument(
        "--lerobot-python",
        metavar="PYTHON",
        type=Path,
        default=Path(".learned/bin/python"),
        help="a Python that has LeRobot, which makes v3.0; `make learned-env` makes one (%(default)s)",
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
    if asked.command == "convert":
        exit_after(lambda: dataset_terminal.convert(asked.folder, asked.to, asked.output, asked.lerobot_python))
    exit_after(lambda: dataset_terminal.show(asked.folder, asked.output, asked.episodes))


if __name__ == "__main__":
    main()
