"""What a run has shown, in words: for the terminal and for the pages."""

import getpass
import os
import shlex
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from runners.config.schema import StopOn
from runners.datasets.paths import RUN_FOLDER
from runners.episodes.row import EpisodeRow, describe, last_rows
from runners.reports.funnel import format_funnel
from runners.reports.variations.text import format_arms
from runners.rollout.state_dump import FOLDER as STATES
from runners.statistics.outcomes import Rate
from runners.statistics.summary import Summary

__all__ = [
    "METHODS",
    "command_to_see",
    "format_counted",
    "format_end",
    "format_means",
    "format_outcome",
    "format_rate",
    "format_servers",
    "format_what_is_odd",
]

METHODS = {"wilson": "Wilson", "anytime": "confidence sequence, holds at any stop"}
"""``ci_method`` of a summary in words."""

OF = {StopOn.success: "the success rate", StopOn.progress: "the mean progress"}
"""What ``stop.on`` is about, in words."""

CHUNKED_EXECUTION = 8
"""``horizons.execution`` of ``conf/horizons/chunked.yaml``, for the hint of what it would save."""


def command_to_see(page: Path) -> str:
    """Return the command that shows a page: here, or where somebody sits, if this machine has no display.

    There its folder is fetched, as a page of a run names the videos beside it.
    """
    if sys.platform == "darwin":
        return shlex.join(["open", str(page)])
    if any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")):
        return shlex.join(["xdg-open", str(page)])
    folder = page.absolute().parent
    fetch = shlex.join(["scp", "-r", f"{getpass.getuser()}@{socket.gethostname()}:{folder}", "."])
    return f"{fetch}  # and open {folder.name}/{page.name}"


def format_rate(rate: Rate, interval: str = "95% interval ") -> str:
    """Return a rate with its interval: ``80% (95% interval 55% to 93%)``.

    Args:
        rate: Of some episodes.
        interval: What the interval is called; nothing in a table that calls it so at its head.
    """
    if rate.share is None or rate.low is None or rate.high is None:
        return "none judged"
    return f"{rate.share:.0%} ({interval}{rate.low:.0%} to {rate.high:.0%})"


def format_outcome(summary: Summary, rows: Sequence[EpisodeRow]) -> list[str]:
    """Return the lines that end a run at the terminal: how episodes ended, rates, instructions, stop and gate."""
    outcome = describe(summary.may_count(rows))
    lines = [outcome if summary.success_rate is None else f"{outcome}: success rate {format_rate(summary.rate)}"]
    if summary.errors and summary.success_rate_errors_failed is not None:
        lines.append(f"With errors counted as failures: {format_rate(summary.rate_errors_failed)}")
    lines += format_counted(summary)
    if len(summary.instructions) > 1:
        lines.append(format_means(summary))
        lines += [f"  {format_rate(each.rate)}: {each.instruction!r}" for each in summary.instructions]
    lines += format_funnel(summary)
    lines += format_arms(summary)
    if summary.gate is not None:
        lines.append(summary.gate.told)
    return lines + format_what_is_odd(summary, rows)


def format_what_is_odd(summary: Summary, rows: Sequence[EpisodeRow]) -> list[str]:
    """Return what whoever reads the figures has to know: rows with a warning, and recorders that failed."""
    odd: dict[str, list[int]] = {}
    for row in last_rows(rows):
        if row.warning is not None:
            odd.setdefault(row.warning, []).append(row.index)
    lines = [f"Warning, {_episodes(indices)}: {warning}" for warning, indices in odd.items()]
    if summary.label is not None:
        lines.append(f"The actions in the data set are those of the task's {summary.label}; the policy's were played")
    if summary.fidelity is not None:
        lines.append(f"Fidelity: {summary.fidelity}")
    return lines + [f"{failure.recorder} failed in {failure.hook}: {failure.error}" for failure in summary.recorders]


def _episodes(indices: Sequence[int]) -> str:
    """Return which episodes are meant: all of a few, the first of many."""
    named = ", ".join(map(str, indices[:5]))
    return (
        f"episode {named}" if len(indices) == 1 else f"{len(indices)} episodes ({named}{', ...' * (len(indices) > 5)})"
    )


def format_counted(summary: Summary) -> list[str]:
    """Say why figures are of fewer episodes than were planned, or than have ended; nothing where they are of all."""
    stop = summary.stop
    lines = []
    if stop.ended_early:
        lines.append(
            f"Ended early, after {summary.counted} of {stop.planned} episodes: the interval of {OF[stop.on]} is "
            f"no wider than stop.ci_width={stop.ci_width:g}"
        )
    if beyond := summary.episodes - summary.counted:
        lines.append(
            f"The figures are of the first {summary.counted} episodes of the plan; {beyond} more ended, but "
            "counting those that happened to end would favour the short ones"
        )
    return lines


def format_means(summary: Summary) -> str:
    """Return both means over the instructions, with what they are."""
    micro, macro = summary.micro_success_rate, summary.macro_success_rate
    instructions = f"Over {len(summary.instructions)} instructions"
    if micro is None:
        return f"{instructions}: no episode was judged"
    return (
        f"{instructions}: micro mean {micro:.1%} (every episode weighs the same), macro mean {macro:.1%} (every "
        "instruction does)"
    )


def format_servers(summary: Summary) -> list[str]:
    """Return a line for each server, where there are several: its share, its latency, and whether it was left out."""
    lines = []
    for each in summary.server.endpoints if summary.server is not None else ():
        latency = "no answer" if each.p50_ms is None else f"{each.p50_ms:.0f} ms each (median)"
        lost = "; left out in the end" if each.lost else ""
        lines.append(f"{each.endpoint}: {each.calls} requests with {each.observations} observations, {latency}{lost}")
    return lines


def format_end(folder: Path, summary: Summary, rows: Sequence[EpisodeRow], execution: int) -> list[str]:
    """Return what ends a run at the terminal: the outcome, what it cost, where it lies, and what opens it.

    Args:
        folder: The run folder.
        summary: Of the run.
        rows: All of its rows.
        execution: ``horizons.execution``.
    """
    lines = ["", *format_outcome(summary, rows)]
    server = summary.server
    if server is not None and server.p50_ms is not None:
        line = f"{server.calls} requests, {server.p50_ms:.0f} ms each (median)"
        if summary.env_steps_per_s is not None:
            line += f"; {summary.env_steps_per_s:.1f} control steps a second over all envs"
        lines.append(line)
        lines += [f"  {line}" for line in format_servers(summary)]
        if execution < CHUNKED_EXECUTION:
            fewer = -(-server.calls * execution // CHUNKED_EXECUTION)
            lines.append(f"horizons=chunked would ask about {fewer} times instead of {server.calls}")
    commands = {"Look at it": command_to_see(folder / "report.html")}
    if (folder / RUN_FOLDER).exists():
        commands["Data set"] = shlex.join(["groot-dataset", "show", str(folder / RUN_FOLDER)])
    lines.append(f"Results:    {folder}")
    states = sorted((folder / STATES).glob("*.npz"))
    if states:
        lines.append(
            f"States:     {folder / STATES}: what the simulator held where {len(states)} of its episodes failed; "
            "docs/troubleshooting.md says how one is loaded"
        )
    lines += [f"{what + ':':<12}{command}" for what, command in commands.items()]
    offline = sorted((folder / "wandb").glob("offline-run-*"))
    return lines + [f"To W&B:     {shlex.join(['wandb', 'sync', str(run)])}" for run in offline]
