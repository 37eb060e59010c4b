"""Whether some episodes' actions go far from those of the others: the limits of the robot are not in the data set."""

from typing import Any

import numpy as np

from runners.datasets.checks.problem import Problem
from runners.datasets.layouts import Layout

__all__ = ["Reach"]

FAR = 10.0
"""A number that is so many widths outside of where most episodes keep is a slip, or has other units."""


class Reach:
    """How far the actions of each episode go."""

    def __init__(self) -> None:
        self._episodes: list[int] = []
        self._extremes: list[tuple[np.ndarray[Any, Any], ...]] = []

    def add(self, episode: int, action: np.ndarray[Any, Any]) -> None:
        """Take an episode's action, (rows,) or (rows, D)."""
        values = action.reshape(len(action), -1)
        if len(values):
            self._episodes.append(episode)
            self._extremes.append((values.min(0), values.max(0), values.argmin(0), values.argmax(0)))

    def check(self, layout: Layout) -> list[Problem]:
        """Name the episodes that go far from the others."""
        if not self._episodes:
            return []
        lowest, highest, lowest_row, highest_row = (np.stack(each) for each in zip(*self._extremes, strict=True))
        low, high = np.quantile(lowest, 0.25, axis=0), np.quantile(highest, 0.75, axis=0)
        room = FAR * np.maximum(high - low, 1e-3)
        problems = []
        for place, episode in enumerate(self._episodes):
            below, above = lowest[place] < low - room, highest[place] > high + room
            if not (below | above).any():
                continue
            number = int(np.argmax(below | above))
            extreme, row = (lowest, lowest_row) if below[number] else (highest, highest_row)
            problem = Problem(
                layout.rows_file(episode),
                f"number {number} of action is {extreme[place, number]:.4g} in row {row[place, number]}, far "
                f"outside [{low[number]:.4g}, {high[number]:.4g}], within which most episodes keep",
                "Look at the episode; if its numbers have other units or a slip, leave it out or record it again.",
            )
            problems.append(problem.of_episode(episode) if layout.info.has_shared_files else problem)
        return problems
