"""What the Hydra apps share at the command line: errors that a person can act on."""

import logging
import os
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

import hydra
from hydra.errors import HydraException
from omegaconf import DictConfig

from runners.config.composed import Composition, settled
from runners.config.override_errors import explain, is_hydras
from runners.config.schema import register_schemas
from runners.launch.command_line import refuse_long_names, refuse_old_flags, refuse_tokens, written_out
from runners.launch.help_text import print_help
from runners.launch.resolvers import register_resolvers
from runners.utils.endings import begin, end_with, guarded
from runners.utils.exit_codes import FAILED, SweepEnded, worst
from runners.utils.remedies import message_of
from runners.utils.terminal import say

__all__ = ["ELSEWHERE", "launch"]

logger = logging.getLogger(__name__)

_USAGE = 2  # with which argparse ends, within Hydra

ELSEWHERE = "hydra.run.dir=FOLDER, or hydra.sweep.dir=FOLDER for a sweep"
"""By which settings a Hydra app writes to another place."""


def launch(
    app: Callable[[Composition], int],
    config_name: str,
    old_flags: Mapping[str, str] | None = None,
    complete: Callable[[list[str]], list[str]] = list,
    objective: Callable[[Path], float | None] = lambda folder: None,
) -> NoReturn:
    """Run a Hydra app and exit with its code; in a multirun, with the worst code of its jobs. Ctrl-C ends them all.

    Args:
        app: Takes the settings that were composed, returns an exit code.
        config_name: Name of the primary YAML file in ``conf/``.
        old_flags: Flags of an earlier command line, each with the key that took its place.
        objective: Returns, of the folder of a job that is over, the value that a sweeper may optimise.
        complete: Completes the arguments of the command line before they are parsed; may raise a ContractError.
    """
    begin()
    print_help(config_name, sys.argv[1:])
    refuse_old_flags(sys.argv[1:], old_flags or {})
    refuse_tokens(sys.argv[1:])
    refuse_long_names(sys.argv[1:])
    register_schemas()
    register_resolvers()
    warnings.filterwarnings("ignore", message="provider=.* is not available")  # what is missing is refused by name
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra then lets errors through instead of printing a summary of its own
    codes: list[int] = []
    command: list[str] = []

    @hydra.main(version_base="1.3", config_path="pkg://conf", config_name=config_name)
    def run(config: DictConfig) -> float | None:
        """Run the app on the settings of a run or of a job; return what an optimising sweeper is to make large."""
        sys.argv[:] = command  # a process that a launcher has started has a command line of its own

        composition = Composition.of_hydra(config, config_name)
        codes.append(guarded(lambda: app(settled(composition)), ELSEWHERE))
        return objective(composition.folder)

    def work() -> int:
        sys.argv[1:] = complete(written_out(sys.argv[1:]))
        command[:] = sys.argv
        try:
            run()
        except SystemExit as refusal:
            if isinstance(refusal, SweepEnded) or refusal.code != _USAGE:
                raise
            say("Flags such as -m come first, then the settings as key=value; --help lists them.", stream=sys.stderr)
            return FAILED
        except Exception as error:
            if not isinstance(error, HydraException) and (message_of(error) is not None or not is_hydras(error)):
                raise
            logger.debug("The settings could not be composed", exc_info=True)
            say(explain(error, config_name, command[1:]), stream=sys.stderr)
            return FAILED
        return worst(codes)

    end_with(work, ELSEWHERE)
