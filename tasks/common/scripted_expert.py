"""``ScriptedExpert``, the frame of a scripted policy that sees what GR00T would see and speaks its protocol."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from groot_wrappers.modality import ActionConfig, ModalityConfig, ModalityConfigs
from groot_wrappers.observation_checks import check_observation

__all__ = ["ScriptedExpert"]

JOINT_TARGETS = ActionConfig("ABSOLUTE", "NON_EEF", "DEFAULT")
"""How the numbers of an action key are to be read where they are absolute joint targets."""


class ScriptedExpert(ABC):
    """Policy that plans each row of an observation by itself, without memory.

    So it can be asked for any env, at any time, in any order. A subclass says what it sees, and has ``plan``, which
    gets the latest frame of every key.

    Args:
        video: Keys of the pictures.
        state: Keys of the states.
        action: Keys of the action.
        horizon: Control steps in a chunk.
        language: Key of the instruction.
        action_config: How every action key's numbers are to be read, or one for each key; None for a data set's own
            convention.
        moments: Control steps of the pictures that are asked for, as a checkpoint of the same tag asks for them.
    """

    def __init__(
        self,
        video: Sequence[str],
        state: Sequence[str],
        action: Sequence[str],
        horizon: int,
        *,
        language: str = "task",
        action_config: ActionConfig | tuple[ActionConfig, ...] | None = JOINT_TARGETS,
        moments: tuple[int, ...] = (0,),
    ):
        self._language = language
        if isinstance(action_config, ActionConfig):
            action_config = (action_config,) * len(action)
        self._modality: ModalityConfigs = {
            "video": ModalityConfig(moments, tuple(video)),
            "state": ModalityConfig((0,), tuple(state)),
            "action": ModalityConfig(
                tuple(range(horizon)),
                tuple(action),
                action_configs=action_config,
            ),
            "language": ModalityConfig((0,), (language,)),
        }

    @abstractmethod
    def plan(
        self, images: dict[str, np.ndarray], states: dict[str, np.ndarray], instruction: str
    ) -> dict[str, np.ndarray]:
        """Plan one row's chunk.

        Args:
            images: Each video key's picture, uint8 (H, W, 3), RGB.
            states: Each state key's values, float64 (D,).
            instruction: What the policy is told.

        Returns:
            Each action key's numbers, (T, D).
        """

    def get_modality_config(self) -> ModalityConfigs:
        """What an observation must hold and what an action will hold."""
        return self._modality

    def get_action(
        self, observation: dict[str, Any], options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Plan one chunk for each row of the observation.

        Returns:
            The action keys, float32 (B, T, D) each, and an empty info.

        Raises:
            ContractError: The observation is not as ``get_modality_config`` asks.
        """
        batch = check_observation(observation, self._modality)
        images, states = (
            {key: observation[name][key][:, -1] for key in self._modality[name].modality_keys}
            for name in ("video", "state")
        )
        chunks = [
            self.plan(
                {key: pictures[row] for key, pictures in images.items()},
                {key: values[row].astype(float) for key, values in states.items()},
                observation["language"][self._language][row][0],
            )
            for row in range(batch)
        ]
        keys = self._modality["action"].modality_keys
        return {key: np.stack([chunk[key] for chunk in chunks]).astype(np.float32) for key in keys}, {}

    def reset(self, options: dict[str, Any] | None = None) -> dict[str, Any]:
        """Nothing to forget: no call depends on another."""
        return {}
