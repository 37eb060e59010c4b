"""ControlStep: what there is to see at one control step inside a chunk, which no caller of ``step`` sees.

Classes:
    ControlStep: the step.
    ControlStepWatcher: what may look at every control step.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

__all__ = ["ControlStep", "ControlStepWatcher"]


@dataclass(frozen=True)
class ControlStep:
    """One control step of all envs. Rows of envs that did not play it mean nothing.

    Args:
        observation: The observation after the step, lazy: reading its pixels draws them. Of an env whose episode ended
            by the step, a direct env shows the first of an episode that nobody plays.
        played: bool (num_envs,), the envs whose episode the step is part of.
        playing: bool (num_envs,), those of them whose episode goes on after it.
        action: ``{action key: float32 (num_envs, D)}``, what the server asked to be played on this step, under its keys
            and in its numbers.
        played_action: The same as it was played: with the noise that was asked for (``action_noise``) added.
        reward: float32 (num_envs,) on the env's device; None where the env is configured without reward terms.
        success: bool (num_envs,) on the env's device, whether the step ended the episode with success; None where the
            env has no success term.
        distance: float32 (num_envs,) on the host, what is left to success in the task's own unit; None where the env
            does not tell it (:mod:`groot_wrappers.embodiment.stages`).
        label: ``{action key: float32 (num_envs, D)}``, what the task's expert would have asked for on this step;
            None where nobody asked it.
    """

    observation: Any
    played: np.ndarray[Any, Any]
    playing: np.ndarray[Any, Any]
    action: Mapping[str, np.ndarray[Any, Any]]
    played_action: Mapping[str, np.ndarray[Any, Any]]
    reward: torch.Tensor | None
    success: torch.Tensor | None
    distance: np.ndarray[Any, Any] | None = None
    label: Mapping[str, np.ndarray[Any, Any]] | None = None


class ControlStepWatcher(Protocol):
    """Looks at the control steps inside a chunk, right after each."""

    def __call__(self, step: ControlStep) -> None:
        """See one control step."""
