"""Registering the gym ids of a task, in its folder's ``__init__``, without loading a simulator."""

from collections.abc import Mapping

import gymnasium as gym

__all__ = ["TASK_IDS", "register_task"]

TASK_IDS: dict[str, str] = {}
"""Registered id -> ``module:Class`` of its environment config, as IsaacLab's registry reads it."""


def register_task(ids: Mapping[str, str]) -> None:
    """Register the ids of a task.

    Args:
        ids: Id to ``module:Class`` of its environment config, which is imported once an env of it is made.
    """
    for task_id, env_cfg in ids.items():
        gym.register(
            id=task_id,
            entry_point="tasks.gr00t_env:Gr00tEnv",
            kwargs={"env_cfg_entry_point": env_cfg},
            disable_env_checker=True,
        )
        TASK_IDS[task_id] = env_cfg
