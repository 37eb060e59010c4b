"""ActionLog: keeps of every episode what it takes to play it again, whichever recorders were asked for.

It is a recorder that nobody chooses. Where it fails, rows are written as ever, and episodes have nothing that is kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from groot_wrappers.control_step import ControlStep
from groot_wrappers.errors import Gr00tError
from runners.again.kept_episodes import KeptEpisode, join_kept, write_kept
from runners.episodes.episode_log import read_rows
from runners.episodes.plan import PlannedEpisode
from runners.episodes.row import EpisodeRow
from runners.recorders.recorder import Recorder, RunInfo
from runners.statistics.summary import Summary

__all__ = ["ActionLog"]

Array: TypeAlias = np.ndarray[Any, Any]


@dataclass(frozen=True)
class _Step:
    """What a control step leaves of all envs."""

    action: dict[str, Array]
    distance: Array | None


@dataclass
class _Episode:
    """An episode that runs.

    Args:
        first: Number of its first control step, counted from the start of the run.
        asked: Numbers of the control steps before which the policy was asked.
        states: State key to what it was told with each request.
        chunk: The last answer.
    """

    first: int
    asked: list[int] = field(default_factory=list)
    states: dict[str, list[Array]] = field(default_factory=dict)
    chunk: dict[str, Array] = field(default_factory=dict)


class ActionLog(Recorder):
    """Writes a file for each attempt that ends, before its row is written, and joins them as a run begins and ends.

    A control step costs a copy of its actions, whatever the number of envs. What is kept is no larger than those of the
    episodes that run.
    """

    def __init__(self) -> None:
        self._steps: list[_Step] = []
        self._dropped = 0  # control steps before the first that is kept
        self._running: dict[int, _Episode] = {}

    def on_run_start(self, run: RunInfo) -> None:
        """Join what an earlier start has left, which a kill may have ended."""
        self._folder = run.folder
        self._widths = {key: width for key, (width,) in run.shapes["action"].items()}
        self._join()

    def on_episodes_start(self, episodes: Mapping[int, PlannedEpisode], observation: Mapping[str, Any]) -> None:
        """Begin to keep them, and drop what no episode that runs has played."""
        now = self._dropped + len(self._steps)
        self._running |= {env_id: _Episode(first=now) for env_id in episodes}
        first = min(episode.first for episode in self._running.values())
        del self._steps[: first - self._dropped]
        self._dropped = first

    def on_beat(self, observation: Mapping[str, Any]) -> None:
        """Keep what the policy is told of the robots."""
        now = self._dropped + len(self._steps)
        for env_id, episode in self._running.items():
            episode.asked.append(now)
            for key, values in observation["state"].items():
                episode.states.setdefault(key, []).append(values[env_id, -1])

    def on_control_step(self, step: ControlStep) -> None:
        """Keep what was played."""
        action = {key: values.copy() for key, values in step.action.items()}  # a view would keep its whole chunk
        self._steps.append(_Step(action, None if step.distance is None else step.distance.copy()))

    def on_chunk(self, rows: Sequence[int], chunk: Mapping[str, Any], latency_s: float) -> None:
        """Keep the last answer."""
        for env_id in rows:
            self._running[env_id].chunk = {key: values[env_id] for key, values in chunk.items()}

    def on_episode_end(self, row: EpisodeRow) -> None:
        """Write what was kept of it.

        Raises:
            Gr00tError: It cannot be; no OSError, which would end the run before the row is written.
        """
        episode = self._running.pop(row.env)
        begin = episode.first - self._dropped
        played = self._steps[begin : begin + row.steps]
        kept = KeptEpisode(
            index=row.index,
            attempt=row.attempt,
            seed=row.seed,
            instruction=row.instruction,
            action={
                key: np.array([step.action[key][row.env] for step in played], np.float32).reshape(-1, width)
                for key, width in self._widths.items()
            },
            beats=np.diff(np.array([*episode.asked, episode.first + row.steps], np.int64)),
            last_chunk=episode.chunk,
            states={key: np.stack(values) for key, values in episode.states.items()},
            distance=_distances(played, row.env),
        )
        try:
            write_kept(self._folder, kept)
        except OSError as error:
            raise Gr00tError(
                f"The actions of episode {row.index} could not be kept in {error.filename}: {error.strerror}. It and "
                "those that follow cannot be played again."
            ) from error

    def on_run_end(self, summary: Summary | None) -> None:
        """Join what is kept."""
        if summary is not None:
            self._join()

    def _join(self) -> None:
        path = self._folder / "episodes.jsonl"
        rows = read_rows(path)[0] if path.exists() else []
        join_kept(self._folder, {(row.index, row.attempt) for row in rows})


def _distances(steps: Sequence[_Step], env_id: int) -> Array | None:
    found = [step.distance[env_id] for step in steps if step.distance is not None]
    return np.array(found, np.float32) if found and len(found) == len(steps) else None
