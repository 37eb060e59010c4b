"""The summary of a run: what its rows show, and what they cost."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from groot_wrappers.protocol.client_interface import Client, ClientStats
from runners.episodes.row import EpisodeRow, last_rows
from runners.statistics.intervals import Method, success_interval
from runners.utils.remedies import in_overrides

__all__ = ["count", "summarise", "tally"]


def tally(rows: Sequence[EpisodeRow], method: Method) -> dict[str, Any]:
    """Count rows: successes, errors, and two success rates, each with its 95% interval.

    ``success_rate`` is over the episodes that finished, ``success_rate_errors_failed`` counts those that ended in an
    error as failures. Rates are None where there is nothing to judge.

    Args:
        rows: The episodes that count.
        method: Of the intervals.
    """
    successes = sum(row.success is True for row in rows)
    judged = sum(row.success is not None for row in rows)
    errors = sum(row.ended == "error" for row in rows)
    no_success_term = not judged and errors < len(rows)
    return {
        "successes": successes,
        "errors": errors,
        **_rate(successes, judged, method, ""),
        **_rate(successes, 0 if no_success_term else judged + errors, method, "_errors_failed"),
    }


def _rate(successes: int, episodes: int, method: Method, suffix: str) -> dict[str, float | None]:
    low, high = success_interval(successes, episodes, method) if episodes else (None, None)
    rate = successes / episodes if episodes else None
    return {f"success_rate{suffix}": rate, f"ci_low{suffix}": low, f"ci_high{suffix}": high}


def tally_by_instruction(rows: Sequence[EpisodeRow], method: Method) -> list[dict[str, Any]]:
    """Count the rows of each instruction apart, in the order in which the instructions come."""
    by_instruction: dict[str, list[EpisodeRow]] = {}
    for row in rows:
        by_instruction.setdefault(row.instruction, []).append(row)
    return [
        {"instruction": instruction, "episodes": len(told), **tally(told, method)}
        for instruction, told in by_instruction.items()
    ]


def count(rows: Sequence[EpisodeRow], counted: Sequence[EpisodeRow], method: Method) -> dict[str, Any]:
    """Return what ``summary.json`` says of successes: everything that follows from the rows alone.

    Args:
        rows: All rows of the run.
        counted: Those that figures are made of; see ``runners.statistics.stop_rule``.
        method: Of the intervals.
    """
    instructions = tally_by_instruction(counted, method)
    total = tally(counted, method)
    rates = [told["success_rate"] for told in instructions if told["success_rate"] is not None]
    return {
        "episodes": len(last_rows(rows)),
        "counted": len(counted),
        **total,
        "ci_method": method,
        # Over instructions: every episode weighs the same, or every instruction does.
        "micro_success_rate": total["success_rate"],
        "macro_success_rate": float(np.mean(rates)) if rates else None,
        "instructions": instructions,
        "warnings": sum(row.warning is not None for row in counted),
    }


def summarise(
    rows: Sequence[EpisodeRow],
    *,
    task: str,
    instruction: str,
    wall_s: float,
    renders: int,
    client: Client,
    waited_s: float = 0.0,
    counted: Sequence[EpisodeRow] | None = None,
    method: Method = "wilson",
) -> dict[str, Any]:
    """Return what ``summary.json`` holds.

    Args:
        rows: All rows of the run.
        task: The env's gym id.
        instruction: The instruction, or a list of several joined by " | ".
        wall_s: Seconds from the first reset to the end of the last episode.
        renders: Moments at which the cameras were drawn.
        client: Its statistics give the requests, their latency (ms) and bytes, for each server where there are several.
        waited_s: Seconds that the world has stood still for answers.
        counted: The rows that rates and intervals are made of; all of them where it is None.
        method: Of the intervals.
    """
    env_steps = sum(row.steps for row in rows)
    return {
        "task": task,
        "instruction": instruction,
        **count(rows, last_rows(rows) if counted is None else counted, method),
        "env_steps": env_steps,
        "held_steps": sum(row.held_steps for row in rows),
        "wall_s": round(wall_s, 3),
        "env_steps_per_s": round(env_steps / wall_s, 3) if wall_s else None,
        "renders": renders,
        "server": _cost(client.stats)
        | {
            "waited_s": round(waited_s, 3),
            "endpoints": [
                {
                    "endpoint": endpoint.removeprefix("tcp://"),
                    **_cost(stats),
                    "lost": stats.lost and in_overrides(stats.lost),
                }
                for endpoint, stats in client.stats.servers.items()
            ],
        },
    }


def _cost(stats: ClientStats) -> dict[str, Any]:
    """Return what requests cost: how many, of how many observations, their latency (ms), and bytes."""
    latencies = np.asarray(stats.latencies_s) * 1e3
    p50, p99 = (round(float(p), 3) for p in np.percentile(latencies, [50, 99])) if len(latencies) else (None, None)
    return {
        "calls": stats.calls,
        "observations": stats.observations,
        "p50_ms": p50,
        "p99_ms": p99,
        "bytes": stats.bytes,
    }
