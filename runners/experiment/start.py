"""How a run starts: what can be refused is, then its server is asked, and then comes what takes seconds to import."""

import functools
import sys
from dataclasses import replace
from pathlib import Path

from runners.checkpoints.found import named_checkpoint
from runners.checkpoints.served import with_checkpoint
from runners.experiment.checks import check
from runners.experiment.request import RunRequest
from runners.experiment.run_end import RunEnd
from runners.run_folder.run_lock import run_lock
from runners.servers.policy_connection import policy_client
from runners.utils import terminal

__all__ = ["start_run"]


def start_run(request: RunRequest) -> RunEnd:
    """Play the planned episodes that are asked for.

    Raises:
        Gr00tError: The request makes no run, or the server fails for good; what has ended is kept.
    """
    say = functools.partial(terminal.say, stream=sys.stdout)  # also while stdout goes to simulator.log
    checked = check(request)
    config = request.config
    server = config.server
    if config.checkpoints is not None and config.checkpoint is not None and server.command is not None:
        served = named_checkpoint(Path(config.checkpoints), config.checkpoint)
        server = replace(server, command=with_checkpoint(server.command, served))
    with (
        run_lock(request.folder),
        policy_client(server, say, log=request.folder / "server.log", device=config.sim.device) as connection,
    ):
        from runners.experiment.experiment import run_experiment  # noqa: PLC0415  # torch, scipy, recorders: seconds

        return run_experiment(checked, connection, say)
