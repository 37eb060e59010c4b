"""Servers that replay a recording, seen by their answers: how a run plays them, or is refused.

They have one place in one recorded episode, which each request moves on and only a reset moves back, and past the
episode's end they repeat its last action for ever. NVIDIA's (``gr00t/policy/replay_policy.py``, Isaac-GR00T N1.6 and
N1.7) and ours tell the place in each answer.

Classes:
    ReplayWatch: looks at the answers of a run's server.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from groot_wrappers.errors import ContractError
from runners.config.schema import ServerReset

__all__ = ["ReplayWatch"]


class ReplayWatch:
    """Refuses what a replay server would answer with actions of another moment than the one that is played.

    Args:
        reset: When the server is reset.
        num_envs: Envs side by side.
        episodes: How many are to be played.
        execution: Control steps that are played of each chunk.
    """

    def __init__(self, reset: ServerReset, *, num_envs: int, episodes: int, execution: int) -> None:
        self._reset, self._num_envs, self._episodes, self._execution = reset, num_envs, episodes, execution
        self._place: int | None = None

    def on_reset(self, told: Mapping[str, Any]) -> None:
        """Look at what a reset has told.

        Raises:
            ContractError: The server replays, and the run would leave its place.
        """
        self._place = None
        for _ in _places(told):
            self._require_one_place()

    def on_answer(self, info: Mapping[str, Any]) -> None:
        """Look at the info of a chunk that is to be played.

        Raises:
            ContractError: As ``on_reset``, or the server moves on by another number of control steps than are played.
        """
        for place in _places(info):
            self._require_one_place()
            moved = None if self._place is None else place - self._place
            if moved is not None and moved != self._execution:
                raise ContractError(
                    f"The server replays a recording and moves on by {moved} control steps a request, but "
                    f"horizons.execution={self._execution} of them are played, so that others are left out or come "
                    f"twice. Set horizons.execution={moved}, or start the server with --execution-horizon "
                    f"{self._execution}."
                )
            self._place = place

    def _require_one_place(self) -> None:
        if self._reset is ServerReset.per_run and self._episodes > self._num_envs:
            raise ContractError(
                f"The server replays a recording and goes back to its start on a reset alone, but {self._episodes} "
                "episodes were asked for with server.reset=per_run: from the second on it would repeat its last "
                "action. Set server.reset=per_episode and num_envs=1."
            )
        if self._reset is ServerReset.per_episode and self._num_envs > 1 < self._episodes:
            raise ContractError(
                f"num_envs={self._num_envs} was asked for, but the server replays a recording: it has one place in one "
                "episode, which each reset and each request moves. Set num_envs=1."
            )


def _places(told: Mapping[str, Any]) -> Iterator[int]:
    """Yield the place that a replay server tells, of a group of servers that of each; nothing for other servers."""
    for part in (told, *told.values()):
        if isinstance(part, Mapping) and {"current_step", "episode_length"} <= set(part):
            place = part["current_step"]
            if isinstance(place, int) and not isinstance(place, bool):
                yield place
