"""How far an episode has come: the stages, the distance to success and the events that an env's config declares.

They are the terms of an observation group named ``progress``, which any env of IsaacLab's manager-based workflow can
have, 2.3 too: observation managers compute it at the end of every control step, where an env whose episode has ended
still stands as it ended (:meth:`IsaacLabEnv.without_autoreset`), and reset its stateful terms with their env. (A term
of the terminations would end episodes, one of the rewards with a weight of 0 is never called, and one of IsaacLab's
recorders makes the whole observation be computed twice.) No policy sees the group.

* ``ProgressTerms``: reads them, and keeps when each env's episode came to what.
* ``Progress``: that, as it is told.
* ``stages_of``: the stages of an env.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from groot_wrappers.embodiment.buffers import as_torch
from groot_wrappers.errors import ContractError, did_you_mean

__all__ = [
    "DISTANCE",
    "EVENT",
    "GROUP",
    "STAGE",
    "Progress",
    "ProgressTerms",
    "declares_progress",
    "stages_of",
]

GROUP = "progress"
"""The observation group."""

STAGE, EVENT = "progress_", "event_"
"""How the names of its terms begin: ``progress_grasped``, true where the env is at that stage, and ``event_dropped``,
true where that happens."""

DISTANCE = "distance_to_success"
"""A term of that name, where there is one: what is left to success, in a unit of the task's own (metres, if it can),
0 at success, not negative."""


@dataclass(frozen=True)
class Progress:
    """When the episodes came to what, in control steps from 1, as they are counted in ``steps`` of a row; 0 for never.

    Args:
        stages: Name to int64 (num_envs,), in the order of the config. A stage counts from where its term is true and
            all stages before it have been reached, so that those reached are a beginning of the order.
        events: Name to int64 (num_envs,), when it happened first.
    """

    stages: dict[str, np.ndarray[Any, Any]]
    events: dict[str, np.ndarray[Any, Any]]


class ProgressTerms:
    """Reads the group ``progress`` of an env after each control step; nothing at all where the env has none.

    Args:
        base: The env without its wrappers.

    Raises:
        ContractError: A term's name is none that they have, the terms are concatenated, or one has more than one number
            an env.
    """

    def __init__(self, base: Any) -> None:
        self._base = base
        self._names: list[str] = _terms_of(base) if declares_progress(base) else []
        if self._names:
            _refuse_misnamed(self._names)
            _refuse_shapes(base.observation_manager, self._names)
        nobody = np.zeros(base.num_envs, np.int64)
        self._steps = nobody.copy()
        self._first = {name: nobody.copy() for name in self._names}

    def begin(self, env_ids: Sequence[int]) -> None:
        """Forget the episodes of envs that begin one."""
        self._steps[env_ids] = 0
        for first in self._first.values():
            first[env_ids] = 0

    def see(self, played: np.ndarray[Any, Any]) -> np.ndarray[Any, Any] | None:
        """Look at one control step, right after it.

        Args:
            played: bool (num_envs,), the envs whose episode it is part of.

        Returns:
            The distance to success, float32 (num_envs,); None where the env tells none.

        Raises:
            ContractError: A term gives another number of numbers than there are envs.
        """
        if not self._names:
            return None
        terms = self._base.obs_buf[GROUP]
        rows = [as_torch(terms[name]).reshape(-1).to(torch.float32) for name in self._names]
        if wrong := [name for name, row in zip(self._names, rows, strict=True) if len(row) != len(played)]:
            raise ContractError(
                f"The term '{wrong[0]}' of the observation group '{GROUP}' gives {tuple(terms[wrong[0]].shape)}, but "
                f"({len(played)},) is wanted, a number for each env. Let it return (num_envs,), bool for a stage or an "
                "event."
            )
        # All of them together, to wait for a GPU once.
        values: dict[str, np.ndarray[Any, Any]] = dict(zip(self._names, torch.stack(rows).cpu().numpy(), strict=True))
        distance = values.pop(DISTANCE, None)
        self._steps += played
        may_reach = played
        for name, value in values.items():
            first = self._first[name]
            new = (may_reach if name.startswith(STAGE) else played) & (value > 0.5) & (first == 0)
            first[new] = self._steps[new]
            if name.startswith(STAGE):
                may_reach = played & (first > 0)
        return distance

    def so_far(self) -> Progress | None:
        """Return what the episodes have come to; None where the env declares nothing."""
        if not self._names:
            return None

        def named(prefix: str) -> dict[str, np.ndarray[Any, Any]]:
            return {
                name.removeprefix(prefix): first.copy()
                for name, first in self._first.items()
                if name.startswith(prefix)
            }

        return Progress(named(STAGE), named(EVENT))


def stages_of(base: Any) -> list[str]:
    """Return the names of an env's stages, in their order; none where it tells none."""
    return [name.removeprefix(STAGE) for name in _terms_of(base) if name.startswith(STAGE)]


def declares_progress(base: Any) -> bool:
    """Whether an env has the group: a group of that name with a term that is named as ours are."""
    return any(_is_ours(name) for name in _terms_of(base))


def _terms_of(base: Any) -> list[str]:
    observations = getattr(base, "observation_manager", None)
    return [] if observations is None else list(observations.active_terms.get(GROUP, []))


def _is_ours(name: str) -> bool:
    return name == DISTANCE or name.startswith((STAGE, EVENT))


def _refuse_misnamed(names: Sequence[str]) -> None:
    for name in names:
        if not _is_ours(name):
            raise ContractError(
                f"The observation group '{GROUP}' has a term '{name}'.{did_you_mean(name, [DISTANCE])} Its terms are "
                f"stages ({STAGE}<name>), events ({EVENT}<name>) and {DISTANCE}: rename it, or move it to another "
                "group."
            )
        if name in (STAGE, EVENT, f"{STAGE}success"):
            raise ContractError(
                f"The observation group '{GROUP}' has a term '{name}', but a stage or an event has a name, and success "
                "is what comes after all stages. Rename it."
            )


def _refuse_shapes(observations: Any, names: Sequence[str]) -> None:
    if observations.group_obs_concatenate[GROUP]:
        raise ContractError(
            f"The observation group '{GROUP}' is concatenated, so that its terms have lost their names. "
            "Set concatenate_terms = False in it."
        )
    for name, shape in zip(names, observations.group_obs_term_dim[GROUP], strict=True):
        if tuple(shape) not in ((), (1,)):
            raise ContractError(
                f"The term '{name}' of the observation group '{GROUP}' gives {tuple(shape)} numbers for each env, but "
                "one is wanted. Let it return (num_envs,), bool for a stage or an event."
            )
