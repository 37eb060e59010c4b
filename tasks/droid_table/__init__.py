"""DROID's robot puts the thing that the instruction names onto what it names, of several of each on a table."""

from tasks.common.registration import register_task

register_task({"Isaac-Groot-Droid-Table-v0": f"{__name__}.env_cfg:DroidTableEnvCfg"})
