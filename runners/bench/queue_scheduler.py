"""A scheduler of the field: each env has a queue of actions, and any empty one makes the whole batch be asked for."""

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from groot_wrappers import Gr00tActionWrapper
from groot_wrappers.protocol.client_interface import Client
from runners.episodes.plan import PlannedEpisode

__all__ = ["play_any_empty"]


def play_any_empty(
    env: Gr00tActionWrapper, client: Client, plan: Sequence[PlannedEpisode], execution: int
) -> list[int]:
    """Play a plan; return the control steps of its episodes, by index.

    An env begins its next episode on the control step after the last one ended, with an empty queue. So the queues soon
    run empty on different control steps, and nearly every step renders all envs and asks for the whole batch.

    Args:
        env: The wrapped env, with ``execution=1``.
        client: A client whose server is ready.
        plan: Episodes in the order in which envs take them.
        execution: Control steps that are played of each chunk.
    """
    waiting = deque(plan)
    playing: dict[int, PlannedEpisode] = {}
    steps = {episode.index: 0 for episode in plan}
    queues: list[deque[dict[str, np.ndarray[Any, Any]]]] = [deque() for _ in range(env.num_envs)]
    observation: Any = None
    while waiting or playing:
        idle = [env_id for env_id in range(env.num_envs) if env_id not in playing]
        starting = {env_id: waiting.popleft() for env_id in idle[: len(waiting)]}
        if starting:
            options = {
                "env_ids": list(starting),
                "seeds": [episode.seed for episode in starting.values()],
                "instructions": [episode.instruction for episode in starting.values()],
            }
            observation, _ = env.reset(options=options)
            playing |= starting
        if any(not queues[env_id] for env_id in playing):
            chunk, _ = client.get_action(observation)
            for env_id in playing:
                if not queues[env_id]:
                    queues[env_id].extend(
                        {key: values[env_id, step] for key, values in chunk.items()} for step in range(execution)
                    )
        rows = {key: np.zeros((env.num_envs, 1, space.shape[-1]), np.float32) for key, space in _spaces(env).items()}
        for env_id in playing:
            for key, action in queues[env_id].popleft().items():
                rows[key][env_id, 0] = action
        observation, _, terminated, truncated, info = env.step(rows)
        ended = (terminated | truncated).tolist()
        errors = info["error"]
        for env_id, episode in list(playing.items()):
            steps[episode.index] += int(info["steps"][env_id])
            if ended[env_id] or errors[env_id] is not None:
                del playing[env_id]
                queues[env_id].clear()
    return [steps[episode.index] for episode in plan]


def _spaces(env: Gr00tActionWrapper) -> dict[str, Any]:
    spaces: Any = env.action_space
    return dict(spaces.spaces)
