"""The episode plan: which seed and instruction each episode index has, fixed before the first step."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from groot_wrappers.errors import ContractError
from groot_wrappers.variations.variation import Draw
from runners.config.schema import InstructionPer
from runners.config.validation import require_shard
from runners.episodes.row import Arm, EpisodeRow
from runners.utils.atomic_files import write_whole

__all__ = [
    "PlannedEpisode",
    "chosen",
    "instruction_texts",
    "make_plan",
    "require_parts",
    "require_planned",
    "shard_of",
    "write_plan",
]


@dataclass(frozen=True)
class PlannedEpisode:
    """One episode of a plan.

    Args:
        index: Place in the plan, from 0; of a recorded plan, the episode's index in the data set.
        seed: Seed of the episode's start, 0 ... 2**31 - 1.
        instruction: What the policy is told.
        variation: Name of each variation to what it drew (``runners.variations``); None where nothing is otherwise.
        pair, arm, strength: As of :class:`runners.episodes.row.EpisodeRow`.
    """

    index: int
    seed: int
    instruction: str
    variation: dict[str, Draw] | None = None
    pair: int | None = None
    arm: Arm | None = None
    strength: float | None = None

    @classmethod
    def of(cls, row: EpisodeRow) -> "PlannedEpisode":
        """Return the episode that a row is of, as it was planned."""
        return cls(row.index, row.seed, row.instruction, row.variation, row.pair, row.arm, row.strength)

    @property
    def place(self) -> int:
        """Which start it is: its pair, or where it has none its index."""
        return self.index if self.pair is None else self.pair


def instruction_texts(text: object, declared: str | None, *, per: InstructionPer, num_envs: int) -> list[str]:
    """Return the instructions that take turns.

    Args:
        text: ``instruction.text``: a text, a list of texts, or None for what is declared.
        declared: What the env's config declares, None where it declares nothing.
        per: Who takes turns.
        num_envs: Envs side by side.

    Raises:
        ContractError: It is none of these, or there are more texts than envs where each env has its own.
    """
    text = declared if text is None else text
    if text is None:
        raise ContractError(
            "The env's config declares no instruction, and none was given. Say what the policy is to be told: "
            "\"instruction.text='pick up the cube'\"."
        )
    texts = [text] if isinstance(text, str) else text
    if not isinstance(texts, list) or not texts or not all(isinstance(each, str) for each in texts):
        raise ContractError(
            f"instruction.text={text!r} was asked for, but it takes a text or a list of texts: "
            "\"instruction.text=['lift the red block', 'pick up the cube']\"."
        )
    if per is InstructionPer.env and len(texts) > num_envs:
        raise ContractError(
            f"instruction.per=env was asked for with {len(texts)} texts, but there are {num_envs} envs, so that some "
            f"text would never be told. Set num_envs={len(texts)} or more, or instruction.per=episode."
        )
    return texts


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


def shard_of(plan: Sequence[PlannedEpisode], index: int, count: int) -> list[PlannedEpisode]:
    """Return one of ``count`` parts of a plan, each with every ``count``-th start and all of its episodes.

    Together the shards are the plan, and while all of them are played, a beginning of it is played without a gap.

    Raises:
        ContractError: As ``runners.config.validation.require_shard``.
    """
    places = list(dict.fromkeys(episode.place for episode in plan))
    require_shard(index, count, len(places))
    own = set(places[index::count])
    return [episode for episode in plan if episode.place in own]


def chosen(plan: Sequence[PlannedEpisode], only: Sequence[int] | None) -> list[PlannedEpisode]:
    """Return the episodes of a plan that are asked for, in its order.

    Args:
        plan: The plan.
        only: Their indices; None for all.

    Raises:
        ContractError: There is no episode of some index.
    """
    require_planned(only, [episode.index for episode in plan])
    return [episode for episode in plan if only is None or episode.index in only]


def require_planned(only: Sequence[int] | None, indices: Sequence[int]) -> None:
    """Check that there are the episodes that are asked for.

    Args:
        only: Their indices; None for all.
        indices: Those that there are, ascending; at least one.

    Raises:
        ContractError: There is no episode of some index.
    """
    if missing := sorted(set(only or ()) - set(indices)):
        raise ContractError(
            f"only={list(only or ())!s:.200} was asked for, but there is no episode {missing[0]}: there are "
            f"{len(indices)}, from {indices[0]} to {indices[-1]}. Leave it out of only."
        )


def require_parts(reset_mode: str, count: int, only: Sequence[int] | None = None) -> None:
    """Check that the parts of a plan are played as the whole plan is.

    Args:
        reset_mode: Whether an episode's start depends on its own seed alone (``per_env``), or on those it begins with.
        count: Number of parts.
        only: Indices of the episodes that are played, None for all.

    Raises:
        ContractError: They are not.
    """
    asked = f"shard.count={count}" if count > 1 else None if only is None else f"only={list(only)!s:.200}"
    if asked is not None and reset_mode != "per_env":
        raise ContractError(
            f"{asked} was asked for, but the envs begin episodes only together (reset mode: {reset_mode}), so that a "
            f"part of the plan is another experiment than the plan. Leave out {asked.partition('=')[0]}."
        )


def write_plan(plan: Sequence[PlannedEpisode], path: Path) -> None:
    """Write a plan as JSON, a list of objects in the order of their indices; what is None is left out."""
    told = [{name: value for name, value in asdict(episode).items() if value is not None} for episode in plan]
    write_whole(path, json.dumps(told, indent=1) + "\n")
