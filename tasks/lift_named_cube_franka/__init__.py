"""A Franka lifts the cube that the instruction names, of a red and a blue one: the lift, and what differs from it."""

from tasks.common.registration import register_task

register_task(
    {
        "Isaac-Groot-Lift-Named-Cube-Franka-v0": f"{__name__}.env_cfg:LiftNamedCubeFrankaEnvCfg",
        "Isaac-Groot-Lift-Named-Cube-Franka-Play-v0": f"{__name__}.env_cfg:LiftNamedCubeFrankaPlayEnvCfg",
    }
)
