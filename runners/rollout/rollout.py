"""The rollout loop: plays the planned episodes on all envs, beat by beat.

A beat is one request to the policy server and the control steps that its chunk feeds. On every beat the envs whose
episode has ended begin the next planned one, all together.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from groot_wrappers.action import Gr00tActionWrapper
from groot_wrappers.embodiment.action_map import Chunk
from groot_wrappers.errors import Gr00tError, ServerError, ServerUnreachableError
from groot_wrappers.observation_checks import select_modalities
from groot_wrappers.protocol.batch import take_rows
from groot_wrappers.protocol.client_interface import Client
from runners.config.schema import ServerReset
from runners.episodes.episode_log import EpisodeLog
from runners.episodes.plan import PlannedEpisode
from runners.episodes.row import Ended, EpisodeRow
from runners.recorders import Recorder
from runners.rollout.clock import Clock, PausedClock
from runners.rollout.schedule import RunningEpisode, Schedule
from runners.servers.replay_watch import ReplayWatch
from runners.utils.interrupts import interrupts_held
from runners.utils.remedies import in_overrides

__all__ = ["rollout"]

SUCCESS_AT_ONCE = (
    "It succeeded on its first control step. Is the env's success term true before the episode begins, or still true "
    "from the one before?"
)
"""``warning`` of such a row: a term that latches counts the success of the episode before once more."""


def rollout(
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
) -> None:
    """Play what is missing of a plan, or until there is enough.

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
        enough: Asked with all rows that are settled before an episode begins; True begins no further one. Those that
            are running go on to their end, so that every episode that was begun has a row.

    Raises:
        Gr00tError: The server fails for good, or its chunks do not fit. The episodes that were running have been
            logged as errors; all finished ones are kept.
    """
    schedule = Schedule(plan, log.rows, retries=retries, env_instructions=env_instructions)
    clock = clock or PausedClock()
    replay = ReplayWatch(server_reset, num_envs=env.num_envs, episodes=len(schedule.waiting), execution=env.execution)
    observation: Any = None
    failures = 0  # of the server, since an episode ended otherwise

    def finish(env_id: int, ended: Ended, *, success: bool | None, error: str | None) -> None:
        """Write a row, and tell the recorders; all or none, so that an interruption leaves no two that differ."""
        row = _row(env, env_id, schedule.running[env_id], ended, success=success, error=error)
        with interrupts_held():
            recorders.on_episode_end(row)
            log.append(row)
            recorders.on_row_written(row, log.rows)
        schedule.end(row)

    def fail(error: Gr00tError) -> None:
        """End what runs as errors; raise the error where it is for good, else return once the server is back."""
        nonlocal failures
        for env_id in list(schedule.running):
            finish(env_id, "error", success=None, error=in_overrides(error))
        failures += 1
        if failures > retries or not isinstance(error, ServerError | ServerUnreachableError):
            raise error
        revive(error)

    if server_reset is ServerReset.per_run and not schedule.is_over:
        replay.on_reset(client.reset())
    while not schedule.is_over:
        idle = len(schedule.running) < env.num_envs
        if schedule.waiting and idle and enough(schedule.final_rows(log.rows)):
            schedule.waiting.clear()
            continue
        try:
            starting = schedule.begin(env.num_envs, env.reset_mode)
            if starting:
                if server_reset is ServerReset.per_episode:
                    _reset_server(client, starting.values(), replay)
                observation, _ = env.reset(options=_reset_options(starting))
                recorders.on_episodes_start(starting, observation)
            ask = _question(client, observation, sorted(schedule.running), env.num_envs, replay)
            recorders.on_beat(observation)
            observation, reward, terminated, truncated, info = clock.play_beat(env, ask)
        except Gr00tError as error:
            fail(error)
            continue
        ended = _account(schedule.running, reward, terminated, truncated, info)
        for env_id, how in ended.items():
            failures = failures if how == "error" else 0
            finish(env_id, how, success=_judged(info, env_id, how), error=info["error"][env_id])
        if info["unanswered"] is not None:
            fail(info["unanswered"])


def _judged(info: Mapping[str, Any], env_id: int, ended: Ended) -> bool | None:
    return None if info["success"] is None or ended == "error" else bool(info["success"][env_id])


def _reset_server(client: Client, episodes: Iterable[PlannedEpisode], replay: ReplayWatch) -> None:
    """Tell the server of each episode that begins."""
    for planned in episodes:
        replay.on_reset(client.reset({"seed": planned.seed, "episode_index": planned.index}))


def _reset_options(starting: Mapping[int, PlannedEpisode]) -> dict[str, Any]:
    return {
        "env_ids": list(starting),
        "seeds": [episode.seed for episode in starting.values()],
        "instructions": [episode.instruction for episode in starting.values()],
    }


def _question(
    client: Client,
    observation: Mapping[str, Any],
    rows: list[int],
    num_envs: int,
    replay: ReplayWatch,
) -> Callable[[], Chunk]:
    """Return what asks for the chunks of the envs that run an episode; rows of the others stay 0 and are never played.

    What the server wants is read here, while the env stands where it was observed; asking needs the env no more.
    """
    modality = client.get_modality_config()
    wanted = select_modalities(observation, modality)
    request = wanted if len(rows) == num_envs else take_rows(wanted, rows)

    def ask() -> Chunk:
        action, info = client.get_action(request)
        replay.on_answer(info)
        chunk = {}
        for key in modality["action"].modality_keys:  # a server may send more, of any kind
            chunk[key] = np.zeros((num_envs, *action[key].shape[1:]), np.float32)
            chunk[key][rows] = action[key]
        return chunk

    return ask


def _account(
    running: Mapping[int, RunningEpisode],
    reward: torch.Tensor,
    terminated: torch.Tensor,
    truncated: torch.Tensor,
    info: Mapping[str, Any],
) -> dict[int, Ended]:
    """Add a beat to the episodes that played it, and return how those ended that have."""
    outcome = {"terminated": terminated.tolist(), "truncated": truncated.tolist(), "error": info["error"]}
    success = None if info["success"] is None else info["success"].tolist()
    rewards, steps, held = reward.tolist(), info["steps"].tolist(), info["held"].tolist()
    ended: dict[int, Ended] = {}
    for env_id, episode in running.items():
        episode.steps += steps[env_id]
        episode.held_steps += held[env_id]
        episode.reward += rewards[env_id]
        episode.server_calls += info["unanswered"] is None
        how = _how_it_ended(env_id, outcome, success)
        if how is not None:
            ended[env_id] = how
    return ended


def _how_it_ended(env_id: int, outcome: Mapping[str, Sequence[Any]], success: Sequence[bool] | None) -> Ended | None:
    """Return how an episode ended, None while it runs. ``terminated`` alone is not success."""
    if outcome["error"][env_id] is not None:
        return "error"
    if success is not None and success[env_id]:
        return "success"
    if outcome["terminated"][env_id]:
        return "failure"
    return "time_out" if outcome["truncated"][env_id] else None


def _row(
    env: Gr00tActionWrapper,
    env_id: int,
    episode: RunningEpisode,
    ended: Ended,
    *,
    success: bool | None,
    error: str | None,
) -> EpisodeRow:
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
    )
