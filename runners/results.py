"""Results of a run: a row an episode, kept the moment it ends, and the summary over the rows.

Classes:
    EpisodeRow: how one attempt at a planned episode ended.
    EpisodeLog: ``episodes.jsonl``, on disk before the next step is played.
"""

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np
from scipy.stats import binomtest

from groot_wrappers.client import PolicyClient

__all__ = ["Ended", "EpisodeLog", "EpisodeRow", "describe", "success_interval", "summarise"]

Ended = Literal["success", "failure", "time_out", "error"]


@dataclass
class EpisodeRow:
    """How one attempt at a planned episode ended; its JSON form is a line of ``episodes.jsonl``.

    Args:
        index, seed, instruction: From the plan.
        env: Index of the env that played it.
        attempt: 0 for the first try at this index.
        success: The env's own success term; None where it has none, or where the episode ended as an error.
        ended: ``success``, ``failure`` (terminated otherwise), ``time_out`` or ``error`` (server, network, simulator).
        steps: Control steps played.
        episode_return: Sum of the rewards, None for an env without rewards; written as ``return``.
        server_calls: Requests that this episode took part in.
        video: Path of its video in the run folder, None without one.
        error: Why it ended as an error, else None.
    """

    index: int
    seed: int
    instruction: str
    env: int
    attempt: int
    success: bool | None
    ended: Ended
    steps: int
    episode_return: float | None
    server_calls: int
    video: str | None = None
    error: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the row under the names of ``episodes.jsonl``."""
        return {"return" if key == "episode_return" else key: value for key, value in vars(self).items()}


@dataclass
class EpisodeLog:
    """``episodes.jsonl``: every row is on disk before the next control step, so that no kill takes it away."""

    path: Path
    rows: list[EpisodeRow] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._file = self.path.open("a", encoding="utf-8")
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self._file.close()

    def append(self, row: EpisodeRow) -> None:
        """Write one row through to the disk."""
        self._file.write(json.dumps(row.to_json()) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self.rows.append(row)


def success_interval(successes: int, episodes: int) -> tuple[float, float]:
    """Return the 95% Wilson interval of a success rate."""
    interval = binomtest(successes, episodes).proportion_ci(0.95, "wilson")
    return float(interval.low), float(interval.high)


def summarise(
    rows: Sequence[EpisodeRow], *, task: str, instruction: str, wall_s: float, renders: int, client: PolicyClient
) -> dict[str, Any]:
    """Return what ``summary.json`` holds.

    The success rate and its 95% Wilson interval are over the episodes that finished; errors are counted apart. They are
    None where nothing finished or the env has no success term.

    Args:
        rows: All rows of the run.
        task: The env's gym id.
        instruction: The instruction, or a list of several joined by " | ".
        wall_s: Seconds from the first reset to the end of the last episode.
        renders: Moments at which the cameras were drawn.
        client: Its statistics give the requests, their latency (ms) and bytes.
    """
    judged = [row for row in rows if row.success is not None]
    successes = sum(bool(row.success) for row in judged)
    low, high = success_interval(successes, len(judged)) if judged else (None, None)
    env_steps = sum(row.steps for row in rows)
    latencies = np.asarray(client.stats.latencies_s) * 1e3
    p50, p99 = (round(float(p), 3) for p in np.percentile(latencies, [50, 99])) if len(latencies) else (None, None)
    return {
        "task": task,
        "instruction": instruction,
        "episodes": len(rows),
        "successes": successes,
        "errors": sum(row.ended == "error" for row in rows),
        "success_rate": successes / len(judged) if judged else None,
        "ci_low": low,
        "ci_high": high,
        "env_steps": env_steps,
        "wall_s": round(wall_s, 3),
        "env_steps_per_s": round(env_steps / wall_s, 3) if wall_s else None,
        "renders": renders,
        "server": {
            "calls": client.stats.calls,
            "observations": client.stats.observations,
            "p50_ms": p50,
            "p99_ms": p99,
            "bytes": client.stats.bytes,
        },
    }


def describe(rows: Sequence[EpisodeRow]) -> str:
    """Say in one line how the episodes ended: ``11 succeeded, 1 timed out``."""
    words: dict[Ended, str] = {
        "success": "succeeded",
        "failure": "failed",
        "time_out": "timed out",
        "error": "ended in an error",
    }
    counts = Counter(row.ended for row in rows)
    return ", ".join(f"{counts[ended]} {word}" for ended, word in words.items() if counts[ended]) or "No episode ended"
