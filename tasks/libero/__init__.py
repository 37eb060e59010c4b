"""LIBERO's five suites on Newton: their scenes, goals, starts and controller, from the wheels that a user brings."""

from tasks.common.registration import register_task

register_task({"Isaac-Groot-Libero-v0": f"{__name__}.env_cfg:LiberoEnvCfg"})
