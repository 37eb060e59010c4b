"""The funnel of some episodes: how many reached each stage of the task, and before which they stopped.

* ``Funnel``, ``Step``: what ``summary.json`` holds of it.
* ``funnel_of``: makes one.
"""

from collections import Counter
from collections.abc import Sequence

import msgspec
import numpy as np

from runners.episodes.row import EpisodeRow
from runners.statistics.bounded_mean import mean_interval
from runners.statistics.intervals import Method, success_interval

__all__ = ["SUCCESS", "Funnel", "Step", "funnel_of"]

SUCCESS = "success"
"""The step after the last stage, where the env judges it."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A stage of the task, or success after the last one.

    Args:
        stage: Its name.
        reached: Episodes that reached it. A success has passed all stages, seen or not.
        share, low, high: That share of the episodes, with its 95% interval.
        stopped: Episodes that reached all before it, and not it.
    """

    stage: str
    reached: int
    share: float
    low: float
    high: float
    stopped: int


class Funnel(msgspec.Struct, frozen=True, kw_only=True):
    """How far some episodes came.

    Args:
        episodes: How many it is of: those that did not end in an error.
        progress, low, high: Their mean progress, with its 95% interval.
        steps: Each stage in the task's order, and success. Stages after the first that no episode reached are unknown.
        events: In how many of the episodes each event happened; those that happened in none are unknown.
    """

    episodes: int
    progress: float
    low: float
    high: float
    steps: list[Step]
    events: dict[str, int]

    @property
    def worst(self) -> Step | None:
        """The step before which most episodes stopped, None where none did."""
        worst = max(self.steps, key=lambda step: step.stopped, default=None)
        return None if worst is None or not worst.stopped else worst


def funnel_of(rows: Sequence[EpisodeRow], method: Method) -> Funnel | None:
    """Return the funnel of some episodes, None where none of them tells how far it came.

    Args:
        rows: The episodes that count, in the order of the plan.
        method: Of the intervals.
    """
    told = [(row, row.stages, row.progress) for row in rows if row.stages is not None and row.progress is not None]
    if not told:
        return None
    # Those that were reached are a beginning of the task's order, and the one that was missed comes next.
    stages = max(([*reached] + ([row.missed] if row.missed else []) for row, reached, _ in told), key=len)
    judges = any(row.success is not None for row, _, _ in told)
    counts = [sum(bool(row.success) or stage in reached for row, reached, _ in told) for stage in stages]
    if judges:
        stages, counts = [*stages, SUCCESS], [*counts, sum(bool(row.success) for row, _, _ in told)]
    episodes = len(told)
    before = [episodes, *counts[:-1]]
    steps = []
    for stage, reached_by, had in zip(stages, counts, before, strict=True):
        low, high = success_interval(reached_by, episodes, method)
        steps.append(
            Step(
                stage=stage,
                reached=reached_by,
                share=reached_by / episodes,
                low=low,
                high=high,
                stopped=had - reached_by,
            )
        )
    progress = [each for _, _, each in told]
    low, high = mean_interval(progress, method)
    events = Counter(event for row, _, _ in told for event in row.events or {})
    return Funnel(
        episodes=episodes,
        progress=float(np.mean(progress)),
        low=low,
        high=high,
        steps=steps,
        events=dict(sorted(events.items())),
    )
