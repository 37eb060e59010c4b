"""The policy: an openpi server's answers, under GR00T's keys.

* ``OpenpiBridge``: the policy; ``policy=openpi`` hosts it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from groot_wrappers.errors import ContractError, Gr00tError, describe_value
from groot_wrappers.modality import ModalityConfig, ModalityConfigs
from groot_wrappers.openpi_bridge.wire import Connection

__all__ = ["OpenpiBridge"]

_LANGUAGE = "task"


class OpenpiBridge:
    """A policy that asks an openpi server row by row, as the server takes one observation at a time.

    Args:
        host: Name or address of the server.
        port: Of the server.
        video: openpi's key of each GR00T camera.
        state: openpi's key of each GR00T state; those of one key are joined in their order.
        action: of each GR00T action, first and last + 1 of openpi's numbers.
        horizon: Steps of a chunk, the server's.
        prompt: openpi's key of the instruction.
        timeout_s: The longest wait for an answer; the first of a server compiles.

    Raises:
        ContractError: A setting is none.
        ServerUnreachableError: Nobody answers there.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        video: Mapping[str, str],
        state: Mapping[str, str],
        action: Mapping[str, Sequence[int]],
        horizon: int,
        prompt: str = "prompt",
        timeout_s: float = 60.0,
    ) -> None:
        if timeout_s <= 0 or horizon < 1 or not 0 < port < 1 << 16:
            raise ContractError(
                "policy.timeout_s is more than 0, policy.horizon 1 and more, policy.port 1 to 65535; "
                f"got {timeout_s}, {horizon}, {port}"
            )
        self._video, self._state, self._prompt = dict(video), dict(state), prompt
        self._parts = {key: _part(key, bounds) for key, bounds in action.items()}
        self._horizon = horizon
        self._where = (host, port, timeout_s)
        self._modality = {
            "action": ModalityConfig(tuple(range(horizon)), tuple(self._parts)),
            "language": ModalityConfig((0,), (_LANGUAGE,)),
        }
        for name, keys in (("video", self._video), ("state", self._state)):
            if keys:
                self._modality[name] = ModalityConfig((0,), tuple(keys))
        self._connection: Connection | None = Connection(*self._where)
        self.identity: dict[str, str | int | float | bool] = {"policy": "openpi", "host": host, "port": port}

    def get_modality_config(self) -> ModalityConfigs:
        """Return what the settings name."""
        return self._modality

    def get_action(
        self, observation: dict[str, Any], options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return a chunk of actions, ``{k: float32 (B, T_action, D)}``.

        Raises:
            ContractError: The server gave no chunk that has the numbers that the settings name.
            Gr00tError: The server failed, or is gone; the next request connects anew.
        """
        del options  # openpi's protocol has no seed
        texts = observation["language"][_LANGUAGE]
        chunks = [self._chunk(self._asked(observation, row, texts[row][0])) for row in range(len(texts))]
        actions = np.stack(chunks)
        return {key: np.ascontiguousarray(actions[:, :, part]) for key, part in self._parts.items()}, {}

    def reset(self, options: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return nothing: an openpi server keeps nothing of an episode."""
        del options
        return {}

    def _asked(self, observation: dict[str, Any], row: int, text: str) -> dict[str, Any]:
        asked: dict[str, Any] = {self._prompt: text}
        for key, name in self._video.items():
            asked[name] = np.ascontiguousarray(observation["video"][key][row, -1])
        for name in dict.fromkeys(self._state.values()):
            own = [observation["state"][key][row, -1] for key, other in self._state.items() if other == name]
            asked[name] = np.concatenate(own)
        return asked

    def _chunk(self, asked: dict[str, Any]) -> np.ndarray:
        if self._connection is None:
            self._connection = Connection(*self._where)
        try:
            answer = self._connection.ask(asked)
        except Gr00tError:
            self._connection.close()
            self._connection = None
            raise
        actions = answer.get("actions")
        width = max(part.stop for part in self._parts.values())
        least = (self._horizon, width)
        if (
            not isinstance(actions, np.ndarray)
            or actions.ndim != 2
            or not np.all(np.greater_equal(actions.shape, least))
        ):
            raise ContractError(
                f"the openpi server's actions must be {least} or more, as policy.horizon and "
                f"policy.action say, got {describe_value(actions)}"
            )
        return actions[: self._horizon].astype(np.float32)


def _part(key: str, bounds: Sequence[int]) -> slice:
    if len(bounds) != 2 or not 0 <= bounds[0] < bounds[1]:
        raise ContractError(f"policy.action.{key} is [first, last + 1] of openpi's numbers, got {list(bounds)}")
    return slice(int(bounds[0]), int(bounds[1]))
