"""Settings that have the right type and still make no run: refused before a server is asked or a simulator started."""

from omegaconf import DictConfig, OmegaConf

from groot_wrappers.errors import ContractError
from runners.config import InstructionPer
from runners.gate import check_share

__all__ = ["require_sensible"]

LEAST = {
    "num_envs": 1,
    "episodes": 1,
    "seed": 0,
    "episode": 0,
    "retries": 0,
    "horizons.episode": 1,
    "horizons.execution": 1,
    "shard.count": 1,
}
"""The smallest value that makes sense of a key that the schema knows as a whole number only."""


def require_sensible(config: DictConfig) -> None:
    """Check what a composed ``conf/play.yaml`` asks for.

    Raises:
        ContractError: It makes no run; the message names the key, and what mends it.
    """
    for key, least in LEAST.items():
        value = OmegaConf.select(config, key)
        if value < least:
            raise ContractError(f"{key}={value} was asked for, but the least is {least}. Set {key}={least} or more.")
    check_share("gate.min_success", config.gate.min_success)
    check_share("stop.ci_width", config.stop.ci_width)
    if config.shard.count == 1:
        return
    if config.stop.ci_width is not None:
        raise ContractError(
            f"stop.ci_width={config.stop.ci_width:g} was asked for with shard.count={config.shard.count}, but whether "
            "there is enough is seen from all shards together. Leave out one of them."
        )
    if config.instruction.per is InstructionPer.env:
        raise ContractError(
            f"instruction.per=env was asked for with shard.count={config.shard.count}, but which envs there are is no "
            "matter of the plan. Set instruction.per=episode."
        )
