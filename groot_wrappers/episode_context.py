"""What the terms of an env may know of the episodes that are played in it.

* ``EpisodeContext``: what each env is told, and what its start is drawn from.
* ``episode_context``: how a term reads it.
"""

from dataclasses import dataclass, field
from typing import Any

import torch

from groot_wrappers.variations.variation import EpisodeVariation

__all__ = ["EpisodeContext", "episode_context", "set_episode_context"]


@dataclass(frozen=True)
class EpisodeContext:
    """What ``Gr00tObservationWrapper`` lets the reset, termination and other terms of its env know.

    Attributes:
        instructions: What each env's policy is told, num_envs texts, set before the env is reset. Success may depend on
            it. Empty where nobody has wrapped the env.
        generators: Env index to the generator (CPU) that holds the seed of the episode which the env begins. Only
            within a reset, and only where its terms draw from them alone
            (:attr:`IsaacLabEnv.uses_episode_generators`); draw from torch's own for an env that is not there.
        variations: Env index to what is otherwise in its episode, set before the env is reset.
        places: Env index to the place in the plan of the episode that it begins. Only within a reset.
    """

    instructions: list[str] = field(default_factory=list)
    generators: dict[int, torch.Generator] = field(default_factory=dict)
    variations: dict[int, EpisodeVariation] = field(default_factory=dict)
    places: dict[int, int] = field(default_factory=dict)


def episode_context(env: Any) -> EpisodeContext:
    """Return the context of an env, bare as a term gets it; an empty one where nobody has given it any."""
    context: EpisodeContext | None = getattr(env, "episode_context", None)
    return EpisodeContext() if context is None else context


def set_episode_context(env: Any, context: EpisodeContext) -> None:
    """Give a bare env its context, which is read from then on."""
    env.episode_context = context
    env.instructions = context.instructions  # the same list, for terms that know it by this name
