"""The rollout loop: plays the planned episodes on all envs, beat by beat.

A beat is one request to the policy server and the control steps that its chunk feeds. On every beat the envs whose
episode has ended begin the next planned one, all together.

Classes:
    Rollout: the loop, and what it knows between two beats.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from groot_wrappers.action import Gr00tActionWrapper
from groot_wrappers.embodiment.action_map import Chunk
from groot_wrappers.errors import Gr00tError, ServerError, ServerUnreachableError
from groot_wrappers.observation_checks import select_modalities
from groot_wrappers.protocol.batch import take_rows
from groot_wrappers.protocol.client_interface import Client
from runners.checkpoints.found import step_of
from runners.config.schema import ServerReset
from runners.episodes.episode_log import EpisodeLog
from runners.episodes.plan import PlannedEpisode
from runners.episodes.progress import EpisodeProgress
from runners.episodes.row import Ended, EpisodeRow
from runners.recorders import Recorder
from runners.rollout.clock import Clock, PausedClock
from runners.rollout.played_beat import PlayedBeat
from runners.rollout.schedule import RunningEpisode, Schedule
from runners.servers.replay_watch import ReplayWatch
from runners.utils.interrupts import interrupts_held
from runners.utils.remedies import in_overrides

__all__ = ["Rollout"]

SUCCESS_AT_ONCE = (
    "It succeeded on its first control step. Is the env's success term true before the episode begins, or still true "
    "from the one before?"
)
"""``warning`` of such a row: a term that latches counts the success of the episode before once more."""


class Rollout:
    """Plays what is missing of a plan, or until there is enough.

    Args:
        env: The wrapped env.
        client: A client whose server is ready, or a group of them.
        plan: Episodes in the order in which envs take them.
        log: Takes a row the moment that its episode ends. What it holds already is not played again, but for errors.
        recorders: Watch the rollout; their ``on_control_step`` must have been given to ``env`` as its watcher.
        retries: Tries beyond the first for an episode that ended in an error; and how often in a row the server may
            fail before the run gives up.
        revive: Called after the server failed, before it is asked again; raises if it does not come back.
        clock: Whether the world waits for each answer, as it does by default.
        server_reset: Whether the server is reset once, or before each episode with its seed and index in the options.
        env_instructions: Where given, env i plays only the episodes of instruction i, counted round; each must have an
            env.
        enough: Asked with all rows that are final before an episode begins; True begins no further one. Those that
            are running go on to their end, so that every episode that was begun has a row.
        checkpoint: Name of the checkpoint that plays, of a training's folder; None without such a folder.
        on_error: Called where an env's own error ends an episode, before its row is written: with the episode, the env
            and the reason.
    """

    def __init__(
        self,
        env: Gr00tActionWrapper,
        client: Client,
        plan: Sequence[PlannedEpisode],
        log: EpisodeLog,
        recorders: Recorder,
        *,
        retries: int = 0,
        revive: Callable[[Gr00tError], None] = lambda error: None,
        clock: Clock | None = None,
        server_reset: ServerReset = ServerReset.per_run,
        env_instructions: Sequence[str] = (),
        enough: Callable[[Sequence[EpisodeRow]], bool] = lambda rows: False,
        checkpoint: str | None = None,
        on_error: Callable[[PlannedEpisode, int, str], object] = lambda planned, env_id, error: None,
    ) -> None:
        self._env = env
        self._client = client
        self._log = log
        self._recorders = recorders
        self._retries = retries
        self._revive = revive
        self._clock = clock or PausedClock()
        self._server_reset = server_reset
        self._enough = enough
        self._checkpoint = checkpoint
        self._on_error = on_error
        self._schedule = Schedule(plan, log.rows, retries=retries, env_instructions=env_instructions)
        waiting = len(self._schedule.waiting)
        self._replay = ReplayWatch(server_reset, num_envs=env.num_envs, episodes=waiting, execution=env.execution)
        self._observation: Any = None
        self._answer: tuple[Chunk, float] | None = None  # the latest, with the seconds that it took
        self._server_failures = 0  # since an episode ended otherwise

    def play(self) -> None:
        """Play to the end.

        Raises:
            Gr00tError: The server fails for good, or its chunks do not fit. The episodes that were running have been
                logged as errors; all finished ones are kept.
        """
        schedule = self._schedule
        if self._server_reset is ServerReset.per_run and not schedule.is_over:
            self._replay.on_reset(self._client.reset())
        while not schedule.is_over:
            idle = len(schedule.running) < self._env.num_envs
            if schedule.waiting and idle and self._enough(schedule.final_rows(self._log.rows)):
                schedule.waiting.clear()
                continue
            try:
                self._begin_episodes()
                beat = self._play_beat()
            except Gr00tError as error:
                self._server_failed(error)
                continue
            self._account(beat)

    def _begin_episodes(self) -> None:
        """Let the envs that have none begin the next planned episode."""
        starting = self._schedule.begin(self._env.num_envs, self._env.reset_mode)
        if not starting:
            return
        if self._server_reset is ServerReset.per_episode:
            for planned in starting.values():
                self._replay.on_reset(self._client.reset({"seed": planned.seed, "episode_index": planned.place}))
        options = {
            "env_ids": list(starting),
            "seeds": [episode.seed for episode in starting.values()],
            "instructions": [episode.instruction for episode in starting.values()],
            "variations": [episode.variation or {} for episode in starting.values()],
            "places": {env_id: episode.place for env_id, episode in starting.items()},
        }
        self._observation, _ = self._env.reset(options=options)
        self._recorders.on_episodes_start(starting, self._observation)

    def _play_beat(self) -> PlayedBeat:
        """Ask for a chunk and play it."""
        rows = sorted(self._schedule.running)
        ask = self._question(rows)
        self._recorders.on_beat(self._observation)
        self._observation, *outcome = self._clock.play_beat(self._env, ask)
        if self._answer is not None:
            self._recorders.on_chunk(rows, *self._answer)
        return PlayedBeat.of(*outcome)

    def _question(self, rows: list[int]) -> Callable[[], Chunk]:
        """Return what asks for the chunks of the envs that run an episode; the rows of others stay 0, never played.

        What the server wants is read here, while the env stands where it was observed; asking needs the env no more.
        """
        num_envs = self._env.num_envs
        modality = self._client.get_modality_config()
        wanted = select_modalities(self._observation, modality)
        request = wanted if len(rows) == num_envs else take_rows(wanted, rows)
        # Of the episode alone, so that a policy that draws from it answers the same beside any neighbours.
        episodes = [self._schedule.running[row] for row in rows]
        noise = np.array([(episode.planned.seed, episode.server_calls) for episode in episodes], np.int64)

        self._answer = None

        def ask() -> Chunk:
            started = time.perf_counter()
            action, info = self._client.get_action(request, row_noise=noise)
            latency_s = time.perf_counter() - started
            self._replay.on_answer(info)
            chunk = {}
            for key in modality["action"].modality_keys:  # a server may send more, of any kind
                chunk[key] = np.zeros((num_envs, *action[key].shape[1:]), np.float32)
                chunk[key][rows] = action[key]
            self._answer = chunk, latency_s
            return chunk

        return ask

    def _account(self, beat: PlayedBeat) -> None:
        """Add a beat to the episodes that played it, and write the rows of those that have ended."""
        for env_id, episode in list(self._schedule.running.items()):
            episode.steps += beat.steps[env_id]
            episode.held_steps += beat.held[env_id]
            episode.reward += beat.reward[env_id]
            episode.server_calls += beat.unanswered is None
            episode.progress = None if beat.progress is None else EpisodeProgress.of(beat.progress, env_id)
            ended = beat.ended(env_id)
            if (error := beat.errors[env_id]) is not None:
                self._on_error(episode.planned, env_id, error)
            if ended is not None:
                self._server_failures = self._server_failures if ended == "error" else 0
                self._finish(env_id, ended, success=beat.judged(env_id, ended), error=error)
        if beat.unanswered is not None:
            self._server_failed(beat.unanswered)

    def _server_failed(self, error: Gr00tError) -> None:
        """End what runs as errors; raise the error where it is for good, else return once the server is back."""
        for env_id in list(self._schedule.running):
            self._finish(env_id, "error", success=None, error=in_overrides(error))
        self._server_failures += 1
        if self._server_failures > self._retries or not isinstance(error, ServerError | ServerUnreachableError):
            raise error
        self._revive(error)

    def _finish(self, env_id: int, ended: Ended, *, success: bool | None, error: str | None) -> None:
        """Write a row, and tell the recorders; all or none, so that an interruption leaves no two that differ."""
        row = _row(self._env, env_id, self._schedule.running[env_id], ended, success=success, error=error)
        if self._checkpoint is not None:
            row.checkpoint, row.checkpoint_step = self._checkpoint, step_of(self._checkpoint)
        with interrupts_held():
            self._recorders.on_episode_end(row)
            self._log.append(row)
            self._recorders.on_row_written(row, self._log.rows)
        self._schedule.end(row)


def _row(
    env: Gr00tActionWrapper,
    env_id: int,
    episode: RunningEpisode,
    ended: Ended,
    *,
    success: bool | None,
    error: str | None,
) -> EpisodeRow:
    progress = episode.progress
    return EpisodeRow(
        index=episode.planned.index,
        seed=episode.planned.seed,
        instruction=episode.planned.instruction,
        env=env_id,
        attempt=episode.attempt,
        success=success,
        ended=ended,
        steps=episode.steps,
        episode_return=round(episode.reward, 6) if env.has_rewards and np.isfinite(episode.reward) else None,
        server_calls=episode.server_calls,
        held_steps=episode.held_steps,
        error=error,
        warning=SUCCESS_AT_ONCE if ended == "success" and episode.steps <= 1 else None,
        stages=None if progress is None else progress.reached,
        missed=None if progress is None else progress.missed(success),
        progress=None if progress is None else progress.share(success, ended),
        events=None if progress is None else progress.happened,
        variation=episode.planned.variation or None,
        pair=episode.planned.pair,
        arm=episode.planned.arm,
        strength=episode.planned.strength,
    )
