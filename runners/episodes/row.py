"""EpisodeRow: how one attempt at an episode ended; a line of ``episodes.jsonl``."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

import msgspec

from groot_wrappers.variations.variation import Draw

__all__ = ["Arm", "Ended", "EpisodeRow", "describe", "last_rows"]

Arm = Literal["control", "varied"]

Ended = Literal["success", "failure", "time_out", "error"]

Count = Annotated[int, msgspec.Meta(ge=0)]


class EpisodeRow(msgspec.Struct, rename={"episode_return": "return"}):
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
        held_steps: Control steps for which its chunk had no action left, so that the last one was held.
        video: Path of its video in the run folder, None without one.
        error: Why it ended as an error, else None.
        warning: Why its outcome is to be looked at, None where nothing is odd.
        stages: Of the task's stages those that it reached, in the task's order, each with the first control step, from
            1, at which it had been. They are a beginning of that order. None where the env has no stages, and in rows
            that are older than these four.
        missed: The first stage that it did not reach; None of a success, and where it reached all.
        progress: Share of the way, in [0, 1]: each stage is a step of it, and success one more where the env judges it;
            1 for a success alone. None where the env has no stages, or where the episode ended as an error.
        events: Of the events that the env tells those that happened, with their first control steps; None where it
            tells none.
        checkpoint: Name of the checkpoint that played it, of a training's folder; None without such a folder.
        checkpoint_step: Its step of the training.
        variation: What was otherwise than the env has it: each variation's name, with the numbers that it drew, whose
            units ``docs/variations.md`` says. None where nothing was, and in rows that are older than it.
        pair: Of a run with variations, what the episodes that begin alike have in common, from 0; else None.
        arm: Likewise, whether it was ``varied``, or is the ``control`` beside those that were.
        strength: Likewise, by what the strengths of its variations were multiplied; 0 of the control.
    """

    index: Count
    seed: int
    instruction: str
    env: Count
    attempt: Count
    success: bool | None
    ended: Ended
    steps: Count
    episode_return: float | None
    server_calls: Count
    held_steps: Count = 0
    video: str | None = None
    error: str | None = None
    warning: str | None = None
    stages: dict[str, Count] | None = None
    missed: str | None = None
    progress: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    events: dict[str, Count] | None = None
    checkpoint: str | None = None
    checkpoint_step: Count | None = None
    variation: dict[str, Draw] | None = None
    pair: Count | None = None
    arm: Arm | None = None
    strength: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the row under the names of ``episodes.jsonl``."""
        row: dict[str, Any] = msgspec.to_builtins(self)
        return row


def last_rows(rows: Iterable[EpisodeRow]) -> list[EpisodeRow]:
    """Return the row of the last attempt at each episode, by index."""
    return [row for _, row in sorted({row.index: row for row in rows}.items())]


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
