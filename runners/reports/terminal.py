"""What ``groot-report`` prints and writes: a table and a page over many runs, or two runs compared."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from runners.reports.funnel import format_funnel
from runners.reports.learning_curve import format_curve
from runners.reports.pages import write_runs_page
from runners.reports.policies import format_pair, noted_policies
from runners.reports.shards import join_shards
from runners.reports.text import command_to_see, format_rate
from runners.reports.variations.text import format_arms
from runners.run_folder.manifest import Manifest
from runners.run_folder.reader import Run, RunFolderError, find_runs, read_run
from runners.run_folder.resume import other_settings
from runners.statistics.comparison import NothingInCommonError, compare, pairs_of
from runners.statistics.progress_comparison import compare_progress
from runners.sweeps.learning_curves import learning_curves
from runners.sweeps.overview import Evaluation, evaluations_of, find_sweeps, format_progress, swept_keys
from runners.utils.tables import aligned
from runners.utils.terminal import one_line, say

__all__ = ["compare_runs", "report"]


def report(folders: Sequence[Path], output: Path) -> None:
    """Print a line for each run at or below the folders, and write the page over them.

    Raises:
        RunFolderError: There is none, or nowhere to write the page to.
    """
    sweeps = [sweep for folder in folders for sweep in find_sweeps(folder)]
    runs = join_shards(_read(folders, tolerant=bool(sweeps)))
    if not runs and not sweeps:
        raise RunFolderError("None of these runs has an episode that has ended.")
    evaluations = {sweep: evaluations_of(sweep, runs) for sweep in dict.fromkeys(sweeps)}
    of_sweeps = [id(each.run) for its in evaluations.values() for each in its if each.run]
    runs.sort(key=lambda run: of_sweeps.index(id(run)) if id(run) in of_sweeps else -1)  # in the order of the sweep
    names = _names(runs, evaluations)
    runs = noted_policies(runs, names)
    if runs:
        say(*_table(runs, names))
    for run, name in zip(runs, names, strict=True):
        for note in run.notes:
            say(f"{name}: {note}")
        if len(run.parts) > 1 and run.summary.gate is not None:  # which no shard has judged for itself
            say(f"{name}: {run.summary.gate.told}")
        for line in [*format_funnel(run.summary), *format_arms(run.summary)]:
            say(f"{name}: {line}")
    for sweep, its in evaluations.items():
        say(*format_progress(sweep, its))
        for curve in learning_curves(its):
            say("", *format_curve(curve))
    if not output.parent.is_dir():
        raise RunFolderError(f"--output {output}: there is no folder {output.parent}. Make it first.")
    write_runs_page(output.resolve(), runs, names, evaluations)
    say(f"Look at it: {command_to_see(output)}")


def _read(folders: Sequence[Path], *, tolerant: bool) -> list[Run]:
    """Read the runs at or below the folders; what has no episode yet is told, unless it is a job of a sweep.

    Args:
        folders: Where to look.
        tolerant: Whether there may be none.
    """
    runs: list[Run] = []
    found = dict.fromkeys(path.resolve() for folder in folders for path in find_runs(folder, tolerant=tolerant))
    for folder in found:
        try:
            runs.append(read_run(folder))
        except RunFolderError as error:
            if not (folder.parent / "sweep.json").exists():  # which says of each of its jobs how far it is
                say(f"Left out: {error}", stream=sys.stderr)
    return runs


def _names(runs: Sequence[Run], sweeps: Mapping[Path, Sequence[Evaluation]]) -> list[str]:
    """Return what each run is called: by its folder, or in a sweep by what was swept."""
    by_settings = {}
    for sweep, evaluations in sweeps.items():
        swept = swept_keys(evaluations)
        for evaluation in evaluations:
            if evaluation.run is not None:
                told = [sweep.name] * (len(sweeps) > 1) + [evaluation.label(swept)]
                by_settings[evaluation.run.folder] = " ".join(told).strip() or sweep.name
    common = Path(os.path.commonpath([run.folder for run in runs])) if runs else Path()
    return [
        by_settings.get(run.folder)
        or (run.folder.relative_to(common).as_posix() if run.folder != common else common.name)
        for run in runs
    ]


def _table(runs: Sequence[Run], names: Sequence[str]) -> list[str]:
    """Return the lines of the table."""
    head = "run", "succeeded", "rate (95% interval)", "errors as failures", "errors", "ms", "steps/s", "instruction"
    lines: list[tuple[str, ...]] = [head]
    for run, name in zip(runs, names, strict=True):
        told = run.summary
        latency, speed = told.server and told.server.p50_ms, told.env_steps_per_s
        lines.append(
            (
                one_line(name),
                f"{told.successes} of {told.counted - told.errors}",
                format_rate(told.rate, interval=""),
                format_rate(told.rate_errors_failed, interval=""),
                str(told.errors),
                "-" if latency is None else f"{latency:.0f}",
                "-" if speed is None else f"{speed:.1f}",
                f"{len(told.instructions)} instructions"
                if len(told.instructions) > 1
                else one_line(told.instruction) or "(empty)",
            )
        )
    return aligned(lines)


def compare_runs(folder_a: Path, folder_b: Path) -> None:
    """Print how two runs differ on the episodes that they have in common.

    Raises:
        RunFolderError: A folder holds no run, or several.
        NothingInCommonError: They have no episode in common.
    """
    a, b = _only_run(folder_a), _only_run(folder_b)
    tasks = [run.summary.task for run in (a, b)]
    if tasks[0] != tasks[1]:
        raise NothingInCommonError(f"The runs are of different tasks: A of {tasks[0]}, B of {tasks[1]}.")
    comparison = compare(a.counted, b.counted)
    for name, run, settings in zip("AB", (a, b), _what_differs(a, b), strict=True):
        say(f"{name}: {run.folder}" + (f" ({one_line(' '.join(settings), most=200)})" if settings else ""))
    say("", *comparison.tell(), *format_pair(a, b))
    progress = compare_progress(pairs_of(a.counted, b.counted))
    if progress is not None:
        say("", *progress.tell())
        for name, run in (("A", a), ("B", b)):
            say(*(f"{name}: {line}" for line in format_funnel(run.summary)))
    if a.summary.errors or b.summary.errors:
        say("\nWith errors counted as failures:", *compare(a.counted, b.counted, errors_fail=True).tell())
    for name, run in (("A", a), ("B", b)):
        if run.summary.stop.ended_early:
            say(f"{name} was ended early by stop.ci_width, which the test does not know of: p is approximate")
        for note in run.notes:
            say(f"{name}: {note}")


def _what_differs(a: Run, b: Run) -> tuple[list[str], list[str]]:
    """Return by which overrides two runs differ; where by none, by which settings, and else by which revision."""
    if set(a.overrides) != set(b.overrides):
        only_a = [override for override in a.overrides if override not in b.overrides]
        return only_a, [override for override in b.overrides if override not in a.overrides]
    settings_a, settings_b = (_all_settings(run.manifest) for run in (a, b))
    keys = [key for key in dict.fromkeys([*settings_a, *settings_b]) if settings_a.get(key) != settings_b.get(key)]
    told_a, told_b = ([f"{key}={settings.get(key)}" for key in keys] for settings in (settings_a, settings_b))
    return told_a, told_b


def _all_settings(manifest: Manifest | None) -> dict[str, Any]:
    """Return the settings of a manifest by dotted key, and the revision that played it."""
    if manifest is None:
        return {}
    return other_settings({**manifest.config, "revision": msgspec.to_builtins(manifest.revision)}, free=())


def _only_run(folder: Path) -> Run:
    found = find_runs(folder)
    if len(found) > 1:
        listed = "".join(f"\n  {path}" for path in found)
        raise RunFolderError(f"{folder} holds {len(found)} runs; name the one to compare:{listed}")
    return read_run(found[0])
