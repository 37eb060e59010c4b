"""The settings of a run that plays another one's episodes again: ``again=RUN``.

They are those of that run, as its manifest has them, but for what watches it and where it is simulated.

* ``played_again``: completes what was composed.
"""

from pathlib import Path

from omegaconf import DictConfig, OmegaConf, open_dict

from groot_wrappers.errors import ContractError, raise_all
from groot_wrappers.modality import ObservationForm
from runners.again.kept_client import KeptClient
from runners.again.played_run import PlayedRun
from runners.config.composed import Composition
from runners.config.overrides import all_parsed, key_of
from runners.config.schema import (
    ClockKind,
    GateConfig,
    InstructionConfig,
    ServerConfig,
    ShardConfig,
    StopConfig,
    StopOn,
)
from runners.config.validation import ONLY, require_within
from runners.run_folder.begun_settings import restored_settings

__all__ = ["MAY_DIFFER", "played_again"]

MAY_DIFFER = ("again", "only", "viewer", "recorder", "num_envs", "sim.device", "fresh")
"""Settings that are those of this command; ``recorder`` and ``viewer`` are so even where nobody sets them."""

CLIENT = f"{KeptClient.__module__}.{KeptClient.__name__}"


def played_again(composition: Composition) -> Composition:
    """Return the settings of a run; where it plays another one again, those of that one.

    What goes on with such a run has them from its own manifest.

    Raises:
        ContractError: That run cannot be played again, or other settings are asked for than may differ.
    """
    config = composition.config
    if config.again is None or config.resume is not None:
        return composition
    if composition.sweep is not None:
        raise ContractError(
            f"again={config.again} was asked for with -m, but it plays the episodes of one run. Leave out -m."
        )
    if config.only is not None:
        require_within(config, ONLY)
    run = PlayedRun.read(Path(config.again), config.only)
    given = _given(composition, run)
    begun = restored_settings(run.manifest.config, config, {*given, "again", "only", "viewer", "recorder"})
    with open_dict(begun):
        begun.only = [row.index for row in run.rows]
        if "recorder" not in given:
            named = {"video", *(key.split(".")[1] for key in given if key.startswith("recorder."))}
            begun.recorder = {name: config.recorder[name] for name in config.recorder if name in named}
        if "num_envs" not in given:
            begun.num_envs = min(begun.num_envs, len(run.rows))
    _without_server(begun, run)
    return composition.with_config(begun)


def _given(composition: Composition, run: PlayedRun) -> set[str]:
    """Return the keys that this command sets; what the run was begun with says nothing new.

    Raises:
        ContractError: Some of them may not differ.
    """
    anew = set(composition.overrides) - set(run.manifest.overrides)
    given = {key_of(override): override.input_line for override in all_parsed(anew)}
    raise_all(
        f"again={run.folder} plays what was played, so that only {', '.join(MAY_DIFFER)} may differ. Leave out:",
        [
            str(line)
            for key, line in sorted(given.items())
            if not any(key == free or key.startswith(f"{free}.") for free in MAY_DIFFER)
        ],
    )
    return set(given)


def _without_server(config: DictConfig, run: PlayedRun) -> None:
    """Let the kept actions be played, once, whatever was waited for and judged then."""
    policy = {
        "_target_": CLIENT,
        "run": str(run.folder),
        "only": list(config.only),
        "pictures": bool(config.recorder or config.viewer),
    }
    config.server = OmegaConf.structured(
        ServerConfig(
            policy=policy,
            host="127.0.0.1",
            port=0,
            observation_form=ObservationForm.nested,
            connect_timeout_s=0,
            timeout_s=0,
        )
    )
    config.clock = ClockKind.paused
    config.horizons.update({"execution": run.execution, "delay": None, "video": None, "state": None})
    config.instruction = OmegaConf.structured(InstructionConfig(None))
    config.shard = OmegaConf.structured(ShardConfig(0, 1))
    config.gate = OmegaConf.structured(GateConfig(None))
    config.stop = OmegaConf.structured(StopConfig(None, StopOn.success))
    config.dataset, config.label, config.retries = None, None, 0
