"""Gym ids of the project's own tasks; importing this registers them and loads no simulator.

IsaacLab is imported by ``gym.make`` (or by whoever resolves ``env_cfg_entry_point``), never here.
"""

import gymnasium as gym

__all__ = ["TASK_IDS"]

TASK_IDS: dict[str, str] = {
    "Isaac-Groot-Lift-Cube-Franka-v0": "tasks.lift_cube_franka.env_cfg:LiftCubeFrankaEnvCfg",
    "Isaac-Groot-Lift-Cube-Franka-Play-v0": "tasks.lift_cube_franka.env_cfg:LiftCubeFrankaPlayEnvCfg",
    "Isaac-Groot-Lift-Named-Cube-Franka-v0": "tasks.lift_named_cube_franka.env_cfg:LiftNamedCubeFrankaEnvCfg",
    "Isaac-Groot-Lift-Named-Cube-Franka-Play-v0": "tasks.lift_named_cube_franka.env_cfg:LiftNamedCubeFrankaPlayEnvCfg",
    "Isaac-Groot-PickPlace-GR1T2-v0": "tasks.pick_place_gr1t2.env_cfg:PickPlaceGR1T2EnvCfg",
    "Isaac-Groot-PickPlace-GR1T2-Play-v0": "tasks.pick_place_gr1t2.env_cfg:PickPlaceGR1T2PlayEnvCfg",
    "Isaac-Groot-PickPlace-GR1T2-TwoHands-v0": "tasks.pick_place_gr1t2.two_hands_env_cfg:PickPlaceGR1T2TwoHandsEnvCfg",
}
"""Registered id -> ``module:Class`` of its environment config, as IsaacLab's registry reads it."""

for _task_id, _env_cfg in TASK_IDS.items():
    gym.register(
        id=_task_id,
        entry_point="tasks.gr00t_env:Gr00tEnv",
        kwargs={"env_cfg_entry_point": _env_cfg},
        disable_env_checker=True,
    )
