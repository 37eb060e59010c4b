"""A Franka lifts a cube: the environment's config, its success term, its cameras and a scripted expert."""

from tasks.common.registration import register_task

register_task(
    {
        "Isaac-Groot-Lift-Cube-Franka-v0": f"{__name__}.env_cfg:LiftCubeFrankaEnvCfg",
        "Isaac-Groot-Lift-Cube-Franka-Play-v0": f"{__name__}.env_cfg:LiftCubeFrankaPlayEnvCfg",
    }
)
