"""Settings that have the right type and still make no run: refused before a server is asked or a simulator started."""

import operator
from collections.abc import Mapping, Sequence
from typing import Any

from groot_wrappers.errors import ContractError
from runners.checkpoints.served import require_served_checkpoint
from runners.config.schema import InstructionPer, PlayConfig, StopOn
from runners.utils.terminal import one_line

__all__ = [
    "BENCH",
    "ONLY",
    "SERVE",
    "check_share",
    "require_arms",
    "require_sensible",
    "require_shard",
    "require_strengths",
    "require_within",
]

A_WEEK_S = 7 * 24 * 3600

PLAY = {
    "num_envs": (1, 65_536),
    "episodes": (1, 1_000_000),  # a data set numbers them by six digits
    "seed": (0, 2**32 - 1),  # as IsaacLab seeds numpy by it
    "episode": (0, 1_000_000),
    "retries": (0, 1_000),
    "action_noise": (0, 1),
    "horizons.episode": (1, 10_000_000),
    "horizons.execution": (1, 100_000),
    "shard.count": (1, 1_000_000),
    "server.port": (0, 65_535),
    "server.connect_timeout_s": (0, A_WEEK_S),
    "server.timeout_s": (0, A_WEEK_S),
}
"""Least and most of the numbers of ``groot-play``: what makes sense, and what the programs behind them take."""

ONLY = {"only": (0, 1_000_000)}
"""The same of ``only``, where there is one."""

BENCH = {
    "num_envs": (1, 65_536),
    "seed": (0, 2**32 - 1),
    "wire.batches": (1, 65_536),
    "wire.rounds": (1, 1_000),
    "control_step.episodes": (1, 1_000_000),
    "control_step.length": (1, 100_000),
    "control_step.execution": (1, 100_000),
    "schedulers.episodes": (1, 1_000_000),
    "schedulers.compared_episodes": (1, 1_000_000),
    "schedulers.execution": (1, 100_000),
    "steps.num_envs": (1, 65_536),
    "steps.cameras": (0, 100),
    "steps.execution": (1, 100_000),
    "steps.seconds": (0, A_WEEK_S),
    "model.batches": (1, 65_536),
    "model.seconds": (0, A_WEEK_S),
}
"""The same of ``groot-bench``, of each entry of a list."""

SERVE = {"port": (0, 65_535), "base_ms": (0, 1000 * A_WEEK_S), "per_observation_ms": (0, 1000 * A_WEEK_S)}
"""The same of ``groot-serve``."""


def require_sensible(config: PlayConfig) -> None:
    """Check what a run is asked for.

    Raises:
        ContractError: It makes no run; the message names the key, and what mends it.
    """
    require_within(config, PLAY)
    require_strengths(config.variation)
    require_arms(config.variation)
    check_share("gate.min_success", config.gate.min_success)
    check_share("stop.ci_width", config.stop.ci_width)
    if config.stop.on is not StopOn.success and config.stop.ci_width is None:
        raise ContractError(
            f"stop.on={config.stop.on} was asked for, but nothing ends the run early. Set stop.ci_width=0.1, or leave "
            "out stop.on."
        )
    if config.shard.count > 1 and config.stop.ci_width is not None:
        raise ContractError(
            f"stop.ci_width={config.stop.ci_width:g} was asked for with shard.count={config.shard.count}, but whether "
            "there is enough is seen from all shards together. Leave out one of them."
        )
    if config.shard.count > 1 and config.instruction.per is InstructionPer.env:
        raise ContractError(
            f"instruction.per=env was asked for with shard.count={config.shard.count}, but which envs there are is no "
            "matter of the plan. Set instruction.per=episode."
        )
    if config.only is not None:
        require_within(config, ONLY)
        if config.shard.count > 1:
            raise ContractError(
                f"only={list(config.only)!s:.200} was asked for with shard.count={config.shard.count}, but both say "
                "which part of the plan is played. Leave out one of them."
            )
    require_shard(config.shard.index, config.shard.count, config.episodes)
    require_served_checkpoint(config)


def require_within(config: Any, ranges: Mapping[str, tuple[int, int]]) -> None:
    """Check that numbers lie in their ranges; NaN lies in none.

    Args:
        config: Settings, typed or composed.
        ranges: Least and most by key; of a list, those of its entries, of which there is at least one.

    Raises:
        ContractError: One does not; the message names the key, and what mends it.
    """
    for key, (least, most) in ranges.items():
        value = operator.attrgetter(key)(config)
        asked = f"{one_line(f'{key}={value}')} was asked for, but"
        numbers = value if isinstance(value, Sequence) else [value]
        if not numbers:
            raise ContractError(f'{asked} then nothing is left. Name at least one: "{key}=[{max(1, least)}]".')
        for number in numbers:
            if number > most:
                raise ContractError(f"{asked} the most is {most}. Set {key} to {least} ... {most}.")
            if not number >= least:
                raise ContractError(f"{asked} the least is {least}. Set {key}={least} or more.")


def require_shard(index: int, count: int, episodes: int) -> None:
    """Check that there is something to play in a part of a plan.

    Raises:
        ContractError: There is no such part, or nothing in it.
    """
    if not 0 <= index < count:
        raise ContractError(
            f"shard.index={index} was asked for with shard.count={count}: it counts from 0 to {count - 1}. A sweep "
            f"plays all parts: groot-play -m shard.count={count} 'shard.index=range({count})'."
        )
    if count > max(1, episodes):
        raise ContractError(
            f"shard.count={count} was asked for, but there are {episodes} episodes, so that a part would be empty. "
            f"Set shard.count={episodes} or less, or more episodes."
        )


def require_strengths(variation: Mapping[str, Any]) -> None:
    """Check that the strengths of variations are shares of their full ranges.

    Args:
        variation: The settings of that name: ``strength``, and that of each variation.

    Raises:
        ContractError: One is not; the message names the key.
    """
    strengths = {"variation.strength": variation.get("strength", 1.0)} | {
        f"variation.{kind}.strength": settings["strength"]
        for kind, settings in variation.items()
        if isinstance(settings, Mapping) and "strength" in settings
    }
    for key, strength in strengths.items():
        if not _is_strength(strength):
            raise ContractError(
                f"{one_line(f'{key}={strength}')} was asked for, but a strength is a share of the full range, 0 to 1. "
                "The range itself is set by the variation's other keys."
            )


def require_arms(variation: Mapping[str, Any]) -> None:
    """Check what is asked of the arms in which an episode is played.

    Args:
        variation: The settings of that name: ``control``, and ``grid``.

    Raises:
        ContractError: It is something else; the message names the key.
    """
    control, grid = variation.get("control", True), variation.get("grid")
    if not isinstance(control, bool):
        raise ContractError(
            f"{one_line(f'variation.control={control}')} was asked for, but it takes true or false: whether each "
            "varied episode is also played unvaried."
        )
    if grid is None:
        return
    asked = f"{one_line(f'variation.grid={grid}')} was asked for, but"
    if not any(isinstance(settings, Mapping) for settings in variation.values()):
        raise ContractError(f"{asked} nothing is varied. Choose what: variation=brightness, or leave out the grid.")
    if not isinstance(grid, Sequence) or not all(_is_strength(strength) for strength in grid) or not any(grid):
        raise ContractError(
            f"{asked} it takes strengths of 0 to 1 by which those of the variations are multiplied, at least one of "
            'them above 0: "variation.grid=[0, 0.25, 0.5, 1]".'
        )


def _is_strength(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def check_share(key: str, value: float | None) -> None:
    """Refuse a setting that is no share between 0 and 1.

    Raises:
        ContractError: It is not; the message names the key.
    """
    if value is None or 0 < value < 1:
        return
    meant = f" Is {key}={value / 100:g} meant?" if 1 < value < 100 else ""
    raise ContractError(f"{key}={value:g} was asked for, but it is a share between 0 and 1.{meant}")
