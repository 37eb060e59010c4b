"""``groot-report``: one table and one page over many runs, or two runs compared episode by episode."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from runners.launch.argparse_app import ArgumentParser, exit_after
from runners.reports import PAGE
from runners.utils.endings import begin

__all__ = ["main", "make_parser"]

EXAMPLES = """examples:
  groot-report outputs                                  all runs below a folder; the page is outputs/groot-report.html
  groot-report outputs/sweeps/lift                      a sweep, while it is running too
  groot-report outputs/a outputs/b --output both.html   two runs, on a page of that name
  groot-report --compare outputs/a outputs/b            do they differ, and could these episodes have shown it?
"""


def make_parser() -> ArgumentParser:
    """Return the parser of the command line."""
    parser = ArgumentParser(
        prog="groot-report",
        description="Show the results of runs: a table here, and a page for the browser.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folders", metavar="DIR", nargs="*", type=Path, help="a run folder, or one that holds some")
    parser.add_argument("--compare", metavar=("A", "B"), nargs=2, type=Path, help="two run folders")
    parser.add_argument(
        "--output", metavar="FILE", type=Path, help=f"the page ({PAGE} in DIR; of several DIR, in this folder)"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the ``groot-report`` command."""
    begin()
    parser = make_parser()
    asked = parser.parse_args(arguments)
    if bool(asked.folders) == bool(asked.compare):
        parser.error("Name the folders of runs, or two of them after --compare.")
    from runners.reports.terminal import compare_runs, report  # noqa: PLC0415  # --help and a wrong argument answer at once

    if asked.compare:
        exit_after(lambda: compare_runs(*asked.compare))
    home = asked.folders[0] if len(asked.folders) == 1 else Path()
    exit_after(lambda: report(asked.folders, asked.output or home / PAGE))


if __name__ == "__main__":
    main()
