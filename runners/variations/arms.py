"""The arms of an episode: the same start unvaried, and varied by each strength that is asked for.

* ``COMMON``: the settings that are about all variations.
* ``strengths_of``: which arms there are.
* ``with_arms``: a plan of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from runners.episodes.plan import PlannedEpisode

__all__ = ["COMMON", "FULL", "strengths_of", "with_arms"]

COMMON = ("strength", "control", "grid", "suite")
"""Keys of ``variation`` that are about all of them; the others are their names."""

UNVARIED, FULL = 0.0, 1.0
"""By what the strengths of all variations are multiplied: in the control, and where no grid says otherwise."""


def strengths_of(variation: Mapping[str, Any]) -> list[float]:
    """Return by what the strengths are multiplied in each arm, the control first and the most varied last.

    Args:
        variation: The settings of that name. A grid that holds 0 has a control whatever ``control`` says.

    Returns:
        None of them where nothing is varied.
    """
    if all(key in COMMON for key in variation):
        return []
    strengths = {*(float(strength) for strength in variation.get("grid") or (FULL,))}
    return sorted(strengths | ({UNVARIED} if variation.get("control") else set()))


def with_arms(plan: Sequence[PlannedEpisode], strengths: Sequence[float]) -> list[PlannedEpisode]:
    """Return a plan in which each episode stands once for each arm, from the same seed.

    The control comes before what is varied, so that whatever ends a run early has it of each episode that counts. An
    episode's index is that of its pair times the number of arms, and its place among them.

    Args:
        plan: The episodes without variations.
        strengths: Of the arms, at least one.
    """
    return [
        replace(
            episode,
            index=len(strengths) * episode.index + place,
            pair=episode.index,
            arm="control" if strength == UNVARIED else "varied",
            strength=strength,
        )
        for episode in plan
        for place, strength in enumerate(strengths)
    ]
