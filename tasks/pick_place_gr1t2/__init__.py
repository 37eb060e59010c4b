"""A GR1T2 picks and places a steering wheel: env config, success term, camera and a scripted expert."""

from tasks.common.registration import register_task

register_task(
    {
        "Isaac-Groot-PickPlace-GR1T2-v0": f"{__name__}.env_cfg:PickPlaceGR1T2EnvCfg",
        "Isaac-Groot-PickPlace-GR1T2-Play-v0": f"{__name__}.env_cfg:PickPlaceGR1T2PlayEnvCfg",
        "Isaac-Groot-PickPlace-GR1T2-TwoHands-v0": f"{__name__}.two_hands_env_cfg:PickPlaceGR1T2TwoHandsEnvCfg",
    }
)
