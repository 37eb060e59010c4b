"""The rollout loop: plays the planned episodes on all envs, beat by beat.

A beat is one request to the policy server and the control steps that its chunk feeds. On every beat the envs whose
episode has ended begin the next planned one, all together.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from groot_wrappers.action import Gr00tActionWrapper
from groot_wrappers.client import PolicyClient
from groot_wrappers.errors import Gr00tError
from runners.interrupts import interrupts_held
from runners.plan import PlannedEpisode
from runners.recorders import Recorder
from runners.results import Ended, EpisodeLog, EpisodeRow

__all__ = ["rollout"]


@dataclass
class _Running:
    """What is known of an episode while it runs."""

    planned: PlannedEpisode
    steps: int = 0
    reward: float = 0.0
    server_calls: int = 0


def rollout(
    env: Gr00tActionWrapper,
    client: PolicyClient,
    plan: Sequence[PlannedEpisode],
    log: EpisodeLog,
    recorders: Recorder,
    *,
    env_instructions: Sequence[str] = (),
    enough: Callable[[Sequence[EpisodeRow]], bool] = lambda rows: False,
) -> None:
    """Play every episode of a plan, or until there are enough.

    Args:
        env: The wrapped env.
        client: A client whose server is ready.
        plan: Episodes in the order in which envs take them.
        log: Takes a row the moment that its episode ends.
        recorders: Watch the rollout; their ``on_control_step`` must have been given to ``env`` as its watcher.
        env_instructions: Where given, env i plays only the episodes of instruction i, counted round; each must have an
            env.
        enough: Asked with all rows so far before an episode begins; True begins no further one. Those that are running
            go on to their end, so that every episode that was begun has a row.

    Raises:
        Gr00tError: The server failed or its chunks do not fit. The episodes that were running have been logged as
            errors; all finished ones are kept.
    """
    waiting = list(plan)
    running: dict[int, _Running] = {}
    observation: Any = None
    while waiting or running:
        if waiting and len(running) < env.num_envs and enough(log.rows):
            waiting.clear()
            continue
        try:
            starting = _take_next(waiting, running, env, env_instructions)
            if starting:
                if len(starting) == len(running):
                    # Reset concerns the server as a whole; it is due only when no episode is under way.
                    client.reset()
                observation, _ = env.reset(options=_reset_options(starting))
                recorders.on_episodes_start(starting, observation)
            chunk = _ask(client, observation, running, env)
            observation, reward, terminated, truncated, info = env.step(chunk)
        except Gr00tError as error:
            for env_id, episode in running.items():
                _finish(_row(env, env_id, episode, "error", success=None, error=str(error)), log, recorders)
            raise
        outcome = {"terminated": terminated.tolist(), "truncated": truncated.tolist(), "error": info["error"]}
        success = None if info["success"] is None else info["success"].tolist()
        rewards, steps = reward.tolist(), info["steps"].tolist()
        for env_id, episode in list(running.items()):
            episode.steps += steps[env_id]
            episode.reward += rewards[env_id]
            ended = _how_it_ended(env_id, outcome, success)
            if ended is not None:
                del running[env_id]
                judged = None if success is None or ended == "error" else success[env_id]
                row = _row(env, env_id, episode, ended, success=judged, error=info["error"][env_id])
                _finish(row, log, recorders)


def _take_next(
    waiting: list[PlannedEpisode], running: dict[int, _Running], env: Gr00tActionWrapper, instructions: Sequence[str]
) -> dict[int, PlannedEpisode]:
    """Give the next planned episodes to the envs that have none, and return what begins where."""
    starting: dict[int, PlannedEpisode] = {}
    if running and env.starts == "per_batch":
        return starting
    for env_id in range(env.num_envs):
        if env_id in running:
            continue
        own = instructions[env_id % len(instructions)] if instructions else None
        episode = next((episode for episode in waiting if own in (None, episode.instruction)), None)
        if episode is not None:
            waiting.remove(episode)
            starting[env_id] = episode
            running[env_id] = _Running(episode)
    return starting


def _reset_options(starting: Mapping[int, PlannedEpisode]) -> dict[str, Any]:
    return {
        "env_ids": list(starting),
        "seeds": [episode.seed for episode in starting.values()],
        "instructions": [episode.instruction for episode in starting.values()],
    }


def _ask(
    client: PolicyClient, observation: Mapping[str, Any], running: Mapping[int, _Running], env: Gr00tActionWrapper
) -> dict[str, np.ndarray[Any, Any]]:
    """Ask for the chunks of the envs that run an episode; the rows of the others stay 0 and are never played."""
    rows = sorted(running)
    if len(rows) == env.num_envs:
        request: Mapping[str, Any] = observation
    else:
        request = {
            modality: {
                key: [values[row] for row in rows] if isinstance(values, list) else values[rows]
                for key, values in observation[modality].items()
            }
            for modality in observation
        }
    action, _ = client.get_action(request)
    for episode in running.values():
        episode.server_calls += 1
    chunk = {}
    for key, values in action.items():
        chunk[key] = np.zeros((env.num_envs, *values.shape[1:]), np.float32)
        chunk[key][rows] = values
    return chunk


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
    env: Gr00tActionWrapper, env_id: int, episode: _Running, ended: Ended, *, success: bool | None, error: str | None
) -> EpisodeRow:
    return EpisodeRow(
        index=episode.planned.index,
        seed=episode.planned.seed,
        instruction=episode.planned.instruction,
        env=env_id,
        attempt=0,
        success=success,
        ended=ended,
        steps=episode.steps,
        episode_return=round(episode.reward, 6) if env.has_rewards and np.isfinite(episode.reward) else None,
        server_calls=episode.server_calls,
        error=error,
    )


def _finish(row: EpisodeRow, log: EpisodeLog, recorders: Recorder) -> None:
    """Write a row, and tell the recorders; all of them or none, so that an interruption leaves no two that differ."""
    with interrupts_held():
        recorders.on_episode_end(row)
        log.append(row)
        recorders.on_row_written(row, log.rows)
