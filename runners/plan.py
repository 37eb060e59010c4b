"""The episode plan: which seed and instruction each episode index has, fixed before the first step."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

__all__ = ["PlannedEpisode", "make_plan", "write_plan"]


@dataclass(frozen=True)
class PlannedEpisode:
    """One episode of a plan.

    Args:
        index: Place in the plan, from 0.
        seed: Seed of the episode's start, 0 ... 2**31 - 1.
        instruction: What the policy is told.
    """

    index: int
    seed: int
    instruction: str


def make_plan(episodes: int, seed: int, instructions: Sequence[str]) -> list[PlannedEpisode]:
    """Plan ``episodes`` episodes; an episode is the same for any number of envs and of episodes around it.

    Seeds are hashed from (seed, index), so that the runs of neighbouring seeds share no episode. Instructions take
    turns by index.
    """
    return [
        PlannedEpisode(
            index=index,
            seed=int(np.random.SeedSequence([seed, index]).generate_state(1)[0] >> 1),
            instruction=instructions[index % len(instructions)],
        )
        for index in range(episodes)
    ]


def write_plan(plan: Sequence[PlannedEpisode], path: Path) -> None:
    """Write a plan as JSON, a list of objects in the order of their indices."""
    path.write_text(json.dumps([asdict(episode) for episode in plan], indent=1) + "\n")
