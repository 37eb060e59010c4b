"""RerunRecorder: a file an episode for Rerun's viewer, with what was predicted beside what was played."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np

from groot_wrappers.control_step import ControlStep
from groot_wrappers.errors import ContractError
from runners.episodes.plan import PlannedEpisode
from runners.episodes.row import EpisodeRow
from runners.recorders.recorder import Recorder, RunInfo
from runners.recorders.rerun_stream import EpisodeStream, Track
from runners.run_folder.rerun_files import RERUN, rerun_file
from runners.statistics.summary import Summary
from runners.utils.background import Background

__all__ = ["RerunRecorder"]

Episodes = Literal["all", "failed"]

WAITING = 4
"""Episodes that wait to be written before the run waits for them."""


@dataclass
class _Episode:
    """An episode that runs.

    Args:
        planned: Which one it is.
        track: What is not sent yet.
        steps: Control steps so far.
        asked_at: At which of them the policy was asked last.
        stream: Where it is sent as it plays; None where it is written at its end.
    """

    planned: PlannedEpisode
    track: Track = field(default_factory=Track)
    steps: int = 0
    asked_at: int = 0
    stream: EpisodeStream | None = None


class RerunRecorder(Recorder):
    """Writes ``rerun/episode_000000.rrd`` in the run folder, and ``..._attempt_1.rrd`` for a second try.

    An episode is kept in memory while it runs, and written beside the simulation once it has ended. Pictures are those
    that the policy was asked with.

    Args:
        episodes: ``all``, or ``failed``: those that ended without success.
        envs: How many envs are recorded, from the first; None for all.
        connect: Address of a viewer that shows the episodes as they play, for instance
            ``rerun+http://127.0.0.1:9876/proxy``; None for none.

    Raises:
        ContractError: A setting is none of these.
    """

    def __init__(self, episodes: Episodes = "all", envs: int | None = None, connect: str | None = None) -> None:
        if episodes not in get_args(Episodes):
            raise ContractError(
                f"recorder.rerun.episodes={episodes} was asked for. Set it to one of {', '.join(get_args(Episodes))}."
            )
        if envs is not None and envs < 1:
            raise ContractError(f"recorder.rerun.envs={envs} was asked for. Set it to 1 or more, or null for all.")
        if connect is not None and not connect.startswith("rerun+http"):
            raise ContractError(
                f"recorder.rerun.connect={connect} was asked for. A viewer's address is rerun+http://HOST:PORT/proxy, "
                "as `rerun --serve-grpc` prints it."
            )
        if connect is not None and episodes == "failed":
            raise ContractError(
                f"recorder.rerun.connect={connect} shows episodes before anybody knows how they end. "
                "Set recorder.rerun.episodes=all."
            )
        self._only_failed = episodes == "failed"
        self._envs = envs
        self._connect = connect
        self._running: dict[int, _Episode] = {}
        self._background: Background | None = None

    def on_run_start(self, run: RunInfo) -> None:
        """Make the folder."""
        self._run = run
        self._folder = run.folder / RERUN
        self._folder.mkdir(exist_ok=True)
        for half in self._folder.glob("recording_*.rrd"):  # of an earlier start that was killed
            half.unlink()
        self._background = Background(WAITING)

    def on_episodes_start(self, episodes: Mapping[int, PlannedEpisode], observation: Mapping[str, Any]) -> None:
        """Begin to keep them."""
        for env_id, planned in episodes.items():
            if self._envs is None or env_id < self._envs:
                episode = self._running[env_id] = _Episode(planned)
                self._keep_state(episode, observation, env_id)
                if self._connect is not None:
                    episode.stream = self._stream(planned, "")

    def on_beat(self, observation: Mapping[str, Any]) -> None:
        """Keep what the policy is asked with."""
        has_pictures = "video" in self._run.shapes and self._run.shapes["video"]
        for env_id, episode in self._running.items():
            episode.asked_at = episode.steps
            if has_pictures:
                frames = {key: np.array(frames[env_id, -1]) for key, frames in observation["video"].items()}
                episode.track.frames.append((episode.steps, frames))

    def on_control_step(self, step: ControlStep) -> None:
        """Keep what was played, and the state that came of it."""
        for env_id, episode in self._running.items():
            if not step.played[env_id]:
                continue
            played = {key: values[env_id].copy() for key, values in step.action.items()}
            episode.track.played.append((episode.steps, played))
            episode.steps += 1
            if step.playing[env_id]:
                self._keep_state(episode, step.observation, env_id)

    def on_chunk(self, rows: Sequence[int], chunk: Mapping[str, Any], latency_s: float) -> None:
        """Keep what was predicted."""
        for env_id in rows:
            if (episode := self._running.get(env_id)) is None:
                continue
            own = {key: np.array(values[env_id]) for key, values in chunk.items()}
            episode.track.chunks.append((episode.asked_at, own))
            episode.track.latencies.append((episode.asked_at, latency_s))
            if episode.stream is not None and self._background is not None:
                self._background.do(episode.stream.send, episode.track)
                episode.track = Track()

    def on_episode_end(self, row: EpisodeRow) -> None:
        """Write it beside the simulation."""
        episode = self._running.pop(row.env, None)
        if episode is not None and self._background is not None and not (self._only_failed and row.success):
            self._background.do(self._write, episode, row)

    def on_run_end(self, summary: Summary | None) -> None:
        """Wait until all is written; what was interrupted is not."""
        self._running.clear()
        if self._background is not None:
            self._background.close()

    def _keep_state(self, episode: _Episode, observation: Mapping[str, Any], env_id: int) -> None:
        if self._run.shapes.get("state"):
            state = {key: np.array(values[env_id, -1]) for key, values in observation["state"].items()}
            episode.track.states.append((episode.steps, state))

    def _stream(self, planned: PlannedEpisode, suffix: str) -> EpisodeStream:
        about = (
            f"**{planned.instruction}**\n\n{self._run.task}, episode {planned.index}{suffix.replace('_', ' ')}, "
            f"seed {planned.seed}"
        )
        return EpisodeStream(
            self._folder / f"recording_{planned.index:06d}.rrd",
            f"episode_{planned.index:06d}{suffix}",
            about,
            self._run.shapes,
            execution=self._run.execution,
            connect=self._connect,
        )

    def _write(self, episode: _Episode, row: EpisodeRow) -> None:
        """Write what is not written yet, and give the file its name."""
        suffix = f"_attempt_{row.attempt}" if row.attempt else ""
        stream = episode.stream or self._stream(episode.planned, suffix)
        stream.send(episode.track)
        told = f"{row.ended} after {row.steps} control steps" + (f": {row.error}" if row.error else "")
        stream.close(told, success=row.success, step=episode.steps)
        half = self._folder / f"recording_{row.index:06d}.rrd"
        half.rename(self._run.folder / rerun_file(row.index, row.attempt))
