"""The arms of an episode: the same start unvaried, and varied by each strength that is asked for."""

from collections.abc import Sequence
from dataclasses import replace

from runners.episodes.plan import PlannedEpisode

__all__ = ["FULL", "UNVARIED", "arms_of", "with_arms"]

UNVARIED, FULL = 0.0, 1.0
"""By what the strengths of all variations are multiplied: in the control, and where no grid says otherwise."""


def arms_of(grid: Sequence[float] | None, *, control: bool) -> list[float]:
    """Return by what the strengths are multiplied in each arm, the control first and the most varied last.

    Args:
        grid: ``variation.grid``; None for one arm of the strengths as they are.
        control: ``variation.control``; a grid that holds 0 has a control whatever this says.
    """
    return sorted({*(float(strength) for strength in grid or (FULL,)), *((UNVARIED,) if control else ())})


def with_arms(plan: Sequence[PlannedEpisode], arms: Sequence[float]) -> list[PlannedEpisode]:
    """Return a plan in which each episode stands once for each arm, from the same seed.

    An episode is followed by the others of its pair, so that whatever ends a run early has the control of each episode
    that counts. Its index is that of the pair times the number of arms, and its place among them.

    Args:
        plan: The episodes without variations.
        arms: As of ``arms_of``.
    """
    return [
        replace(
            episode,
            index=len(arms) * episode.index + place,
            pair=episode.index,
            arm="control" if strength == UNVARIED else "varied",
            strength=strength,
        )
        for episode in plan
        for place, strength in enumerate(arms)
    ]
