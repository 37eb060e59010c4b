"""What a run has shown, in words: for the terminal and for the pages."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runners.datasets.paths import RUN_FOLDER
from runners.episodes.row import EpisodeRow, describe, last_rows

__all__ = [
    "METHODS",
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

CHUNKED_EXECUTION = 8
"""``horizons.execution`` of ``conf/horizons/chunked.yaml``, for the hint of what it would save."""


def format_rate(summary: Mapping[str, Any], suffix: str = "", interval: str = "95% interval ") -> str:
    """Return a rate with its interval: ``80% (95% interval 55% to 93%)``.

    Args:
        summary: Or what it holds of one instruction.
        suffix: ``_errors_failed`` for the rate that counts errors as failures.
        interval: What the interval is called; nothing in a table that calls it so at its head.
    """
    rate, low, high = (summary[f"{name}{suffix}"] for name in ("success_rate", "ci_low", "ci_high"))
    return "none judged" if rate is None else f"{rate:.0%} ({interval}{low:.0%} to {high:.0%})"


def format_outcome(summary: Mapping[str, Any], rows: Sequence[EpisodeRow]) -> list[str]:
    """Return the lines that end a run at the terminal: how episodes ended, rates, instructions, stop and gate."""
    outcome = describe(last_rows(rows))
    lines = [outcome if summary["success_rate"] is None else f"{outcome}: success rate {format_rate(summary)}"]
    if summary["errors"] and summary["success_rate_errors_failed"] is not None:
        lines.append(f"With errors counted as failures: {format_rate(summary, '_errors_failed')}")
    lines += format_counted(summary)
    if len(summary["instructions"]) > 1:
        lines.append(format_means(summary))
        lines += [f"  {format_rate(told)}: {told['instruction']!r}" for told in summary["instructions"]]
    if summary["gate"]:
        lines.append(summary["gate"]["told"])
    return lines + format_what_is_odd(summary, rows)


def format_what_is_odd(summary: Mapping[str, Any], rows: Sequence[EpisodeRow]) -> list[str]:
    """Return what whoever reads the figures has to know: rows with a warning, and recorders that failed."""
    odd: dict[str, list[int]] = {}
    for row in last_rows(rows):
        if row.warning is not None:
            odd.setdefault(row.warning, []).append(row.index)
    lines = [f"Warning, {_episodes(indices)}: {warning}" for warning, indices in odd.items()]
    return lines + [
        f"{failure['recorder']} failed in {failure['hook']}: {failure['error']}"
        for failure in summary.get("recorders", ())
    ]


def _episodes(indices: Sequence[int]) -> str:
    """Return which episodes are meant: all of a few, the first of many."""
    named = ", ".join(map(str, indices[:5]))
    return (
        f"episode {named}" if len(indices) == 1 else f"{len(indices)} episodes ({named}{', ...' * (len(indices) > 5)})"
    )


def format_counted(summary: Mapping[str, Any]) -> list[str]:
    """Say why figures are of fewer episodes than were planned, or than have ended; nothing where they are of all."""
    stop = summary["stop"]
    lines = []
    if stop["ended_early"]:
        lines.append(
            f"Ended early, after {summary['counted']} of {stop['planned']} episodes: the interval is no wider than "
            f"stop.ci_width={stop['ci_width']:g}"
        )
    if beyond := summary["episodes"] - summary["counted"]:
        lines.append(
            f"The figures are of the first {summary['counted']} episodes of the plan; {beyond} more ended, but "
            "counting those that happened to end would favour the short ones"
        )
    return lines


def format_means(summary: Mapping[str, Any]) -> str:
    """Return both means over the instructions, with what they are."""
    micro, macro = summary["micro_success_rate"], summary["macro_success_rate"]
    instructions = f"Over {len(summary['instructions'])} instructions"
    if micro is None:
        return f"{instructions}: no episode was judged"
    return (
        f"{instructions}: micro mean {micro:.1%} (every episode weighs the same), macro mean {macro:.1%} (every "
        "instruction does)"
    )


def format_servers(summary: Mapping[str, Any]) -> list[str]:
    """Return a line for each server, where there are several: its share, its latency, and whether it was left out."""
    lines = []
    for told in summary["server"]["endpoints"]:
        latency = "no answer" if told["p50_ms"] is None else f"{told['p50_ms']:.0f} ms each (median)"
        lost = "; left out in the end" if told["lost"] else ""
        lines.append(
            f"{told['endpoint']}: {told['calls']} requests with {told['observations']} observations, {latency}{lost}"
        )
    return lines


def format_end(folder: Path, summary: Mapping[str, Any], rows: Sequence[EpisodeRow], execution: int) -> list[str]:
    """Return what ends a run at the terminal: the outcome, what it cost, where it lies, and what opens it.

    Args:
        folder: The run folder.
        summary: Of the run.
        rows: All of its rows.
        execution: ``horizons.execution``.
    """
    lines = ["", *format_outcome(summary, rows)]
    calls, p50_ms = summary["server"]["calls"], summary["server"]["p50_ms"]
    if p50_ms is not None:
        speed = summary["env_steps_per_s"]
        lines.append(
            f"{calls} requests, {p50_ms:.0f} ms each (median); {speed:.1f} control steps a second over all envs"
        )
        lines += [f"  {line}" for line in format_servers(summary)]
        if execution < CHUNKED_EXECUTION:
            fewer = -(-calls * execution // CHUNKED_EXECUTION)
            lines.append(f"horizons=chunked would ask about {fewer} times instead of {calls}")
    commands = {"Look at it": ["xdg-open", folder / "report.html"]}
    if (folder / RUN_FOLDER).exists():
        commands["Data set"] = ["groot-dataset", "show", folder / RUN_FOLDER]
    lines.append(f"Results:    {folder}")
    lines += [f"{what + ':':<12}{shlex.join(map(str, command))}" for what, command in commands.items()]
    offline = sorted((folder / "wandb").glob("offline-run-*"))
    return lines + [f"To W&B:     {shlex.join(['wandb', 'sync', str(run)])}" for run in offline]
