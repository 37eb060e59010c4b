"""KeptClient: stands in for a policy server where episodes are played again, and answers with what they played.

It lives in the run's own process, and finds the episode of a row by the noise that the row is sent with.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from groot_wrappers.errors import ContractError
from groot_wrappers.modality import ModalityConfig, ModalityConfigs
from groot_wrappers.protocol.client_interface import ClientStats
from groot_wrappers.protocol.offer import PolicyOffer
from runners.again.kept_episodes import KeptEpisode, KeptEpisodeError
from runners.again.played_run import PlayedRun

__all__ = ["KeptClient"]


class KeptClient:
    """A client (``groot_wrappers.protocol.client_interface.Client``) that answers with the kept actions of episodes.

    A chunk is what was played from one request to the next. Where an episode goes on after all that was played, it gets
    NaN, which ends it as an error.

    Args:
        run: Folder of the run that is played again.
        only: Indices of its episodes; None for all that have ended.
        pictures: Whether it also wants what the policy saw, for those who watch.

    Attributes:
        run: The run, as far as it is played again.
        stats: Nothing, as nobody is asked.

    Raises:
        Gr00tError: They cannot be played again.
    """

    def __init__(self, run: str | Path, only: Sequence[int] | None = None, *, pictures: bool = True) -> None:
        self.stats = ClientStats()
        self.run = PlayedRun.read(Path(run), only)
        self._pictures = pictures
        self._execution = self.run.execution
        self._by_seed = {kept.seed: kept for kept in self.run.kept}
        if len(self._by_seed) < len(self.run.kept):
            raise ContractError(
                f"Some episodes of {run} have the same seed, by which they are told apart. Play them again one at a "
                "time: only=[...]."
            )
        for kept in self.run.kept:
            self._require_beats(kept)

    def wait_until_ready(self) -> None:
        """Return at once."""

    def get_modality_config(self) -> ModalityConfigs:
        """Return what the run's server wanted, one frame of each key, and chunks of what was played of each answer."""
        wanted = {kind: ModalityConfig.from_json(told) for kind, told in self.run.manifest.modality.items()}
        shown = ("video", "state", "language") if self._pictures else ("state", "language")
        configs = {kind: ModalityConfig((0,), wanted[kind].modality_keys) for kind in shown if kind in wanted}
        keys = tuple(self.run.kept[0].action)
        return configs | {"action": ModalityConfig(tuple(range(self._execution)), keys)}

    def get_offer(self) -> PolicyOffer:
        """Return nothing, as there is no policy to tell of."""
        return PolicyOffer()

    def get_action(
        self,
        observation: Mapping[str, Any],
        options: dict[str, Any] | None = None,
        *,
        row_noise: np.ndarray[Any, Any] | None = None,
    ) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, Any]]:
        """Return the chunk that each row's request was answered with, as far as it was played."""
        if row_noise is None:
            raise RuntimeError("Which episodes ask is told by row_noise alone.")
        chunks = [self._chunk(self._by_seed[seed], request) for seed, request in row_noise.tolist()]
        return {key: np.stack([chunk[key] for chunk in chunks]) for key in chunks[0]}, {}

    def reset(self, options: dict[str, Any] | None = None) -> dict[str, Any]:
        """Do nothing, as there is no memory."""
        return {}

    def close(self) -> None:
        """Do nothing, as nothing is open."""

    def _chunk(self, kept: KeptEpisode, request: int) -> dict[str, np.ndarray[Any, Any]]:
        """Return float32 (T_action, D) by action key; behind the last action that was played it comes again."""
        begin = request * self._execution
        steps = np.minimum(np.arange(begin, begin + self._execution), kept.steps - 1)
        if begin >= kept.steps:
            return {
                key: np.full((len(steps), values.shape[1]), np.nan, np.float32) for key, values in kept.action.items()
            }
        return {key: values[steps] for key, values in kept.action.items()}

    def _require_beats(self, kept: KeptEpisode) -> None:
        """Check that an answer was asked for as often as it is now."""
        fed = kept.beats if not self.run.is_real_time else np.ones(0, np.int64)
        if (fed[:-1] != self._execution).any() or (fed > self._execution).any():
            raise KeptEpisodeError(
                f"{self.run.folder} keeps actions of episode {kept.index} that were asked for every "
                f"{int(fed[0])} control steps, but its manifest says horizons.execution={self._execution}. They are of "
                "different runs."
            )
