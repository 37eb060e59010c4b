"""``ReplayPolicy``: plays the actions of a recorded episode, as GR00T's own replay server does.

The names, the options and the end of an episode follow ``gr00t/policy/replay_policy.py`` (Isaac-GR00T N1.6).
"""

from pathlib import Path
from typing import Any

import numpy as np

from groot_wrappers.errors import ContractError
from groot_wrappers.modality import ModalityConfig, ModalityConfigs
from runners.datasets.features import DEFAULT_ANNOTATION
from runners.datasets.layouts import open_layout, require_episodes
from runners.datasets.metadata import Modality
from runners.datasets.paths import MODALITY

__all__ = ["ReplayPolicy"]


class ReplayPolicy:
    """Policy (``groot_wrappers.protocol.server.Policy``) that returns what a data set holds, whatever it is shown.

    It has one place in one episode, which each ``get_action`` moves on: every row of a request gets the same chunk, and
    a reset is a reset for all of them. So it plays for one env at a time.

    Args:
        dataset: Folder of a LeRobot v2.0, v2.1 or v3.0 data set with ``meta/modality.json``, which names the actions.
        episode: The episode to begin with.
        action_horizon: Control steps in a chunk.
        execution_horizon: Control steps that a client plays of each chunk: so far the place moves on with each.
        language: Key under which clients give the instruction, which is not looked at; by default the data set's
            annotation, or ``task`` where it has the usual one only, which stands beside ``task``.

    Raises:
        Gr00tError: The data set cannot be read, or a setting does not fit.
    """

    def __init__(
        self,
        dataset: str | Path | None,
        episode: int = 0,
        action_horizon: int = 16,
        execution_horizon: int = 8,
        language: str | None = None,
    ) -> None:
        if dataset is None:
            raise ContractError("No data set was named to be replayed. Write dataset=DIR, its folder.")
        if not 1 <= execution_horizon <= action_horizon:
            raise ContractError(
                f"execution_horizon={execution_horizon} was asked for, but chunks hold {action_horizon} control steps. "
                f"Play 1 to {action_horizon} of them, or set action_horizon={execution_horizon}."
            )
        self._folder = Path(dataset)
        self._layout = open_layout(self._folder)
        self._episodes = [episode.index for episode in require_episodes(self._layout)]
        self._modality = Modality.read(self._folder)
        self._action_horizon, self._execution_horizon = action_horizon, execution_horizon
        special = [key for key in self._modality.annotation if key != DEFAULT_ANNOTATION]
        self._language = language or next(iter(special), "task")
        self._configs = self._modality_configs()
        self._load(episode)
        self._step = 0

    def get_modality_config(self) -> ModalityConfigs:
        """Return all keys of the data set, with one frame of each and ``action_horizon`` actions.

        A modality of which it has no key is not asked for.
        """
        return self._configs

    def get_action(
        self, observation: dict[str, Any], options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the next actions of the episode, the last one again and again past its end.

        Returns:
            action: ``{k: float32 (B, action_horizon, D)}``, the same for each of the B.
            info: ``current_step``, ``episode_length`` and ``episode_index`` of the chunk.
        """
        batch = next(len(values) for part in observation.values() for values in part.values())
        here = min(self._step, self._length)
        steps = np.minimum(here + np.arange(self._action_horizon), self._length - 1)
        action = {key: np.repeat(values[None, steps], batch, axis=0) for key, values in self._actions.items()}
        info = self._place()
        self._step += self._execution_horizon
        return action, info

    def reset(self, options: dict[str, Any] | None = None) -> dict[str, Any]:
        """Go back to the episode's first step, or to where the options say.

        Args:
            options: ``episode_index``: another episode; ``step_index``: a step other than its first.

        Returns:
            ``episode_index``, ``episode_length`` and ``current_step``.

        Raises:
            ContractError: There is no such episode or step.
        """
        options = options or {}
        episode = _whole(options.get("episode_index", self._episode), "episode_index")
        if episode != self._episode:
            self._load(episode)
        self._step = _whole(options.get("step_index", 0), "step_index")
        return self._place()

    def _place(self) -> dict[str, Any]:
        return {"episode_index": self._episode, "episode_length": self._length, "current_step": self._step}

    def _load(self, episode: int) -> None:
        """Read the actions of an episode."""
        if episode not in self._episodes:
            raise ContractError(
                f"Episode {episode} was asked for, but {self._folder} holds {len(self._episodes)}: "
                f"{self._episodes[0]} to {self._episodes[-1]}."
            )
        actions = {}
        with self._layout.rows(episode) as rows:
            columns = {name: rows.column(name) for name in {part.column for part in self._modality.action.values()}}
        for key, part in self._modality.action.items():
            values = columns[part.column]
            values = values[:, None] if values.ndim == 1 else values
            if part.end > values.shape[1] or not len(values):
                raise ContractError(
                    f"{self._folder / rows.file} holds {part.column} of shape {values.shape}, but {MODALITY} says that "
                    f"{key} is the numbers [{part.start}, {part.end}) of it. `groot-dataset check` tells more."
                )
            actions[key] = np.ascontiguousarray(values[:, part.start : part.end], np.float32)
        self._actions, self._episode, self._length = actions, episode, rows.count

    def _modality_configs(self) -> ModalityConfigs:
        keys = {
            "video": tuple(self._modality.video),
            "state": tuple(self._modality.state),
            "action": tuple(self._modality.action),
            "language": (self._language,),
        }
        if not keys["action"]:
            raise ContractError(
                f"{self._folder / MODALITY} names no key of action, but a replay plays some. `groot-dataset check` "
                "says how to write them."
            )
        deltas = {"action": tuple(range(self._action_horizon))}
        return {kind: ModalityConfig(deltas.get(kind, (0,)), names) for kind, names in keys.items() if names}


def _whole(value: object, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ContractError(f"reset's {name} must be a whole number from 0, got {value!r:.40}")
    return value
