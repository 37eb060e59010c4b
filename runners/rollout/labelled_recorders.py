"""LabelledRecorders: recorders that also see what the task's expert would have played, whoever plays.

It is DAgger: the policy plays, and the expert says of each state that the policy meets what it would have done there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from groot_wrappers.control_step import ControlStep
from groot_wrappers.errors import ContractError
from groot_wrappers.modality import ModalityConfigs
from runners.episodes.plan import PlannedEpisode
from runners.recorders.recorder import Recorder, Recorders, RunInfo

__all__ = ["Expert", "LabelledRecorders"]


class Expert(Protocol):
    """A policy that can be asked for any env at any time, as those of ``tasks/*/expert`` can be."""

    def get_modality_config(self) -> ModalityConfigs:
        """Return what an observation must hold and what an action will hold."""

    def get_action(
        self, observation: dict[str, Any], options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, Any]]:
        """Return a chunk for each row of the observation, float32 (B, T, D) by action key."""


class LabelledRecorders(Recorders):
    """Recorders whose control steps have a ``label``: the first action of the expert's chunk for what was seen before.

    The expert is asked before each control step, with the same pixels, states and instruction as a policy is, of the
    envs whose episode goes on.

    Args:
        recorders: Called in this order.
        expert: Whom to ask; it must look at the present moment alone.

    Raises:
        ContractError: The expert also wants moments of before.
    """

    def __init__(self, recorders: Sequence[Recorder], expert: Expert) -> None:
        super().__init__(recorders)
        self._expert = expert
        self._wanted = expert.get_modality_config()
        self._labels: dict[str, np.ndarray[Any, Any]] = {}
        for kind in ("video", "state"):
            if kind in self._wanted and tuple(self._wanted[kind].delta_indices) != (0,):
                raise ContractError(
                    f"label=expert was asked for, but {type(expert).__name__} wants the {kind} of "
                    f"{list(self._wanted[kind].delta_indices)}, and is asked with that of [0] alone. Name another "
                    "one by task.expert._target_."
                )

    def on_run_start(self, run: RunInfo) -> None:
        """Make room for a label of each env."""
        self._widths = {key: width for key, (width,) in run.shapes["action"].items()}
        super().on_run_start(run)

    def on_episodes_start(self, episodes: Mapping[int, PlannedEpisode], observation: Mapping[str, Any]) -> None:
        """Ask the expert what it would begin with."""
        super().on_episodes_start(episodes, observation)
        self._ask(observation, sorted(episodes))

    def on_control_step(self, step: ControlStep) -> None:
        """Give the step its label, and ask for that of the next one."""
        label = {key: values.copy() for key, values in self._labels.items()}
        super().on_control_step(replace(step, label=label))
        self._ask(step.observation, np.flatnonzero(step.playing).tolist())

    def _ask(self, observation: Mapping[str, Any], rows: list[int]) -> None:
        """Keep the label of what some envs show now.

        Raises:
            ContractError: The expert's chunk is not that of the embodiment, or holds NaN.
        """
        if not rows:
            return
        asked: dict[str, Any] = {
            kind: {key: observation[kind][key][rows, -1:] for key in self._wanted[kind].modality_keys}
            for kind in ("video", "state")
            if kind in self._wanted
        }
        if "language" in self._wanted:
            texts = next(iter(observation["language"].values()))  # the same under each key
            asked["language"] = {key: [texts[row] for row in rows] for key in self._wanted["language"].modality_keys}
        chunk, _ = self._expert.get_action(asked)
        for key, width in self._widths.items():
            first = np.asarray(chunk[key], np.float32)[:, 0]
            if first.shape != (len(rows), width) or not np.isfinite(first).all():
                raise ContractError(
                    f"label=expert was asked for, but {type(self._expert).__name__} gives {first.shape} under {key} "
                    f"for {len(rows)} envs with {width} numbers each, or numbers that are not finite."
                )
            envs = len(observation["state"][next(iter(observation["state"]))])
            self._labels.setdefault(key, np.zeros((envs, width), np.float32))[rows] = first
