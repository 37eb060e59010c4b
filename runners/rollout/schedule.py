"""Which episode each env plays, which wait, and which are tried again.

Classes:
    RunningEpisode: what is known of an episode while it runs.
    Schedule: gives planned episodes to envs.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from runners.episodes.plan import PlannedEpisode
from runners.episodes.progress import EpisodeProgress
from runners.episodes.row import EpisodeRow, last_rows

__all__ = ["RunningEpisode", "Schedule"]


@dataclass
class RunningEpisode:
    """What is known of an episode while it runs.

    Args:
        planned: Which it is.
        attempt: Which try at it, from 0.
        steps, held_steps: Control steps played, and those for which a chunk had no action left.
        reward: Summed over them.
        server_calls: Requests that were answered; so the next one's number is this, whatever came before the episode.
        progress: How far it has come, None where the env declares no stages, or nothing was played.
    """

    planned: PlannedEpisode
    attempt: int
    steps: int = 0
    reward: float = 0.0
    server_calls: int = 0
    held_steps: int = 0
    progress: EpisodeProgress | None = None


class Schedule:
    """Gives planned episodes to envs, in the order of the plan; what ended in an error comes back, up to a limit.

    Args:
        plan: All episodes of the run.
        rows: What earlier starts of the run have played. Their errors are tried again, with a limit of their own.
        retries: Tries beyond the first for an episode that ends in an error.
        env_instructions: Where given, env i plays only the episodes of instruction i, counted round.
    """

    def __init__(
        self,
        plan: Sequence[PlannedEpisode],
        rows: Sequence[EpisodeRow] = (),
        *,
        retries: int = 0,
        env_instructions: Sequence[str] = (),
    ) -> None:
        played = {row.index: row for row in last_rows(rows)}
        over = {index for index, row in played.items() if row.ended != "error"}
        self.waiting = [episode for episode in plan if episode.index not in over]
        self.running: dict[int, RunningEpisode] = {}
        self._attempts = Counter({index: row.attempt + 1 for index, row in played.items()})
        self._tried = Counter[int]()
        self._retries = retries
        self._env_instructions = env_instructions

    @property
    def is_over(self) -> bool:
        """Whether no episode runs and none waits."""
        return not self.waiting and not self.running

    def begin(self, num_envs: int, reset_mode: Literal["per_env", "per_batch"]) -> dict[int, PlannedEpisode]:
        """Give the next episodes to the envs that have none, and return what begins where.

        Args:
            num_envs: Envs side by side.
            reset_mode: Whether one env can begin alone; ``per_batch`` waits until none runs.
        """
        starting: dict[int, PlannedEpisode] = {}
        if self.running and reset_mode == "per_batch":
            return starting
        for env_id in range(num_envs):
            if env_id in self.running:
                continue
            texts = self._env_instructions
            own = texts[env_id % len(texts)] if texts else None
            episode = next((episode for episode in self.waiting if own in (None, episode.instruction)), None)
            if episode is not None:
                self.waiting.remove(episode)
                starting[env_id] = episode
                self.running[env_id] = RunningEpisode(episode, self._attempts[episode.index])
        return starting

    def end(self, row: EpisodeRow) -> None:
        """Take the row of an env's episode; one that ended in an error waits again, unless it was tried enough."""
        episode = self.running.pop(row.env).planned
        self._attempts[episode.index] = row.attempt + 1
        self._tried[episode.index] += 1
        if row.ended == "error" and self._tried[episode.index] <= self._retries:
            self.waiting = sorted([*self.waiting, episode], key=lambda waiting: waiting.index)

    def final_rows(self, rows: Sequence[EpisodeRow]) -> list[EpisodeRow]:
        """Return the rows of the episodes that will not be tried again."""
        open_ = {episode.index for episode in self.waiting} | {e.planned.index for e in self.running.values()}
        return [row for row in rows if row.index not in open_]
