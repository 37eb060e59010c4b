"""How a run starts: what can be refused is, then its server is asked, and then comes what takes seconds to import."""

import functools
import sys
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from runners.config.composed import resolved
from runners.config.validation import require_sensible
from runners.episodes.plan import instruction_texts
from runners.episodes.recorded_plan import recorded_episodes
from runners.rollout.clock import make_clock
from runners.run_folder.resume import earlier_start
from runners.run_folder.run_lock import run_lock
from runners.servers.experts import require_expert
from runners.servers.policy_connection import policy_client
from runners.simulation.devices import require_simulator
from runners.simulation.env_cfg import require_registered
from runners.utils import terminal

__all__ = ["start_run"]


def start_run(config: DictConfig) -> int:
    """Play the planned episodes of a composed ``conf/play.yaml``; return the exit code."""
    say = functools.partial(terminal.say, stream=sys.stdout)  # also while stdout goes to simulator.log
    folder = Path(HydraConfig.get().runtime.output_dir)
    require_expert(config)
    settings = resolved(config, "play")
    require_sensible(config)
    clock = make_clock(config.clock, config.horizons.delay, config.horizons.execution)
    require_simulator(settings["sim"])
    require_registered(settings["task"])
    recorded = recorded_episodes(config)
    text = settings["instruction"]["text"]
    if text is not None and not recorded:
        instruction_texts(text, None, per=config.instruction.per, num_envs=config.num_envs)
    earlier = earlier_start(folder, config.resume)
    with (
        run_lock(folder),
        policy_client(config.server, say, log=folder / "server.log", device=config.sim.device) as connection,
    ):
        from runners.experiment.experiment import run_experiment  # noqa: PLC0415  # torch, scipy and recorders take seconds

        return run_experiment(config, settings, connection, clock=clock, recorded=recorded, earlier=earlier)
