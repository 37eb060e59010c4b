"""What can be refused of a run before a server is asked, and before anything that takes seconds is imported."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runners.again.played_run import PlayedRun
from runners.config.validation import require_sensible
from runners.episodes.plan import PlannedEpisode, instruction_texts
from runners.episodes.recorded_plan import recorded_episodes
from runners.experiment.request import RunRequest
from runners.rollout.clock import Clock, make_clock
from runners.run_folder.resume import EarlierStart, earlier_start
from runners.simulation.devices import require_simulator
from runners.simulation.env_cfg import require_registered

__all__ = ["CheckedRequest", "check"]


@dataclass(frozen=True)
class CheckedRequest:
    """A request in which nothing was found that can be refused without a server.

    Args:
        request: What is asked for.
        clock: Whether the world waits for the policy.
        recorded: The plan, where episodes of a data set or of a run are played again; else empty.
        earlier: The start that this one goes on with, None for a new run.
    """

    request: RunRequest
    clock: Clock
    recorded: Sequence[PlannedEpisode]
    earlier: EarlierStart | None


def check(request: RunRequest) -> CheckedRequest:
    """Refuse what can be refused without a server.

    Raises:
        Gr00tError: It makes no run; the message says what mends it.
    """
    config = request.config
    require_sensible(config)
    clock = make_clock(config.clock, config.horizons.delay, config.horizons.execution)
    require_simulator(config.sim)
    require_registered(config.task)
    recorded = (
        recorded_episodes(config) if config.again is None else PlayedRun.read(Path(config.again), config.only).plan
    )
    if config.instruction.text is not None and not recorded:
        instruction_texts(config.instruction.text, None, per=config.instruction.per, num_envs=config.num_envs)
    return CheckedRequest(request, clock, recorded, earlier_start(request.folder, config.resume, request.sweep))
