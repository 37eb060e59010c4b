"""``groot-report``: one table and one page over many runs, or two runs compared episode by episode."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from groot_wrappers.errors import Gr00tError
from runners.cli import DONE, FAILED
from runners.comparison import NothingInCommonError, compare
from runners.outcome import tell_rate
from runners.report import write_runs_page
from runners.run_folder import Run, RunFolderError, find_runs, read_run

__all__ = ["main"]

EXAMPLES = """examples:
  groot-report outputs                                  all runs below a folder
  groot-report multirun/2026-11-25/01-28-34             the runs of a sweep
  groot-report outputs/a outputs/b --output both.html   two runs, on a page of that name
  groot-report --compare outputs/a outputs/b            do they differ, and could these episodes have shown it?
"""


class _Parser(argparse.ArgumentParser):
    """argparse ends with 2 where an argument is wrong, which is groot-play's code for errored episodes."""

    def error(self, message: str) -> NoReturn:
        print(f"{message}\n{self.format_usage()}`groot-report --help` has examples.", file=sys.stderr)
        sys.exit(FAILED)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the ``groot-report`` command."""
    parser = _Parser(
        prog="groot-report",
        description="Show the results of runs: a table here, and a page for the browser.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folders", metavar="DIR", nargs="*", type=Path, help="a run folder, or one that holds some")
    parser.add_argument("--compare", metavar=("A", "B"), nargs=2, type=Path, help="two run folders")
    parser.add_argument(
        "--output", metavar="FILE", type=Path, default=Path("groot-report.html"), help="the page (%(default)s)"
    )
    asked = parser.parse_args(arguments)
    if bool(asked.folders) == bool(asked.compare):
        parser.error("Name the folders of runs, or two of them after --compare.")
    try:
        if asked.compare:
            _compare(*asked.compare)
        else:
            _report(asked.folders, asked.output)
    except Gr00tError as error:
        print(error, file=sys.stderr)
        sys.exit(FAILED)
    sys.exit(DONE)


def _report(folders: Sequence[Path], output: Path) -> None:
    found = dict.fromkeys(path.resolve() for folder in folders for path in find_runs(folder))
    runs: list[Run] = []
    for folder in found:
        try:
            runs.append(read_run(folder))
        except RunFolderError as error:
            print(f"Left out: {error}", file=sys.stderr)
    if not runs:
        raise RunFolderError("None of these runs has an episode that has ended.")
    common = Path(os.path.commonpath([run.folder for run in runs]))
    names = [run.folder.relative_to(common).as_posix() if run.folder != common else common.name for run in runs]
    for line in _table(runs, names):
        print(line)
    for run, name in zip(runs, names, strict=True):
        for note in run.notes:
            print(f"{name}: {note}")
    if not output.parent.is_dir():
        raise RunFolderError(f"--output {output}: there is no folder {output.parent}. Make it first.")
    write_runs_page(output.resolve(), runs, names)
    print(f"Look at it: xdg-open {output}")


def _table(runs: Sequence[Run], names: Sequence[str]) -> list[str]:
    """Return the lines of the table."""
    head = "run", "succeeded", "rate (95% interval)", "errors as failures", "errors", "ms", "steps/s", "instruction"
    lines: list[tuple[str, ...]] = [head]
    for run, name in zip(runs, names, strict=True):
        told = run.summary
        latency, speed = told["server"] and told["server"]["p50_ms"], told["env_steps_per_s"]
        lines.append(
            (
                name,
                f"{told['successes']} of {told['counted'] - told['errors']}",
                tell_rate(told, interval=""),
                tell_rate(told, "_errors_failed", interval=""),
                str(told["errors"]),
                "-" if latency is None else f"{latency:.0f}",
                "-" if speed is None else f"{speed:.1f}",
                told["instruction"] if len(told["instructions"]) == 1 else f"{len(told['instructions'])} instructions",
            )
        )
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def _compare(folder_a: Path, folder_b: Path) -> None:
    a, b = _only_run(folder_a), _only_run(folder_b)
    tasks = [run.summary["task"] for run in (a, b)]
    if tasks[0] != tasks[1]:
        raise NothingInCommonError(f"The runs are of different tasks: A of {tasks[0]}, B of {tasks[1]}.")
    print(f"A: {a.folder}\nB: {b.folder}\n")
    print("\n".join(compare(a.counted, b.counted).tell()))
    if a.summary["errors"] or b.summary["errors"]:
        print("\nWith errors counted as failures:")
        print("\n".join(compare(a.counted, b.counted, errors_fail=True).tell()))
    for name, run in (("A", a), ("B", b)):
        if run.summary["stop"]["ended_early"]:
            print(f"{name} was ended early by stop.ci_width, which the test does not know of: p is approximate")
        for note in run.notes:
            print(f"{name}: {note}")


def _only_run(folder: Path) -> Run:
    found = find_runs(folder)
    if len(found) > 1:
        listed = "".join(f"\n  {path}" for path in found)
        raise RunFolderError(f"{folder} holds {len(found)} runs; name the one to compare:{listed}")
    return read_run(found[0])


if __name__ == "__main__":
    main()
