"""``groot-play``: play a policy in an env and count how often it succeeds."""

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from groot_wrappers.errors import Gr00tError
from runners.again.comparison import COMPARISON, compare_again, format_comparison, write_comparison
from runners.again.played_run import PlayedRun
from runners.again.settings import played_again
from runners.apps.finished_run import finished_run
from runners.config.composed import Composition
from runners.experiment.request import RunRequest
from runners.launch.hydra_app import launch
from runners.launch.sweep_job import play_job
from runners.run_folder.results import read_summary
from runners.run_folder.resume import going_on, with_earlier_settings
from runners.sweeps.folder import JobEnd
from runners.utils.exit_codes import DONE, DONE_WITH_ERRORS, FAILED, PLAYED_OTHERWISE
from runners.utils.json_files import JsonFileError
from runners.utils.terminal import say
from runners.variations.suite import with_suite, with_suite_kinds

if TYPE_CHECKING:
    from runners.experiment.run_end import RunEnd

__all__ = ["main", "play_run"]

OLD_FLAGS = {
    "--task": "task",
    "--server_host": "server.host",
    "--server_port": "server.port",
    "--language_instruction": "instruction.text",
    "--num_envs": "num_envs",
    "--horizon": "horizons.episode",
    "--video_horizon": "horizons.video",
    "--state_horizon": "horizons.state",
}
"""Flags of the earlier command line, each with the key that took its place."""


def play(composition: Composition) -> int:
    """Play a run, or a job of a sweep, unless nothing of it is missing; return the exit code."""
    if composition.sweep is None:
        return play_run(composition).code
    try:
        composition = going_on(played_again(with_suite(composition)))
        end = finished_run(composition)
    except Gr00tError as error:
        JobEnd(FAILED, str(error)).write(composition.folder)
        raise
    if end is None:
        return play_job(play_missing, composition)
    JobEnd(end.code).write(composition.folder)
    return end.code


def play_run(composition: Composition) -> "RunEnd":
    """Play a run in this process, unless nothing of it is missing.

    Raises:
        Gr00tError: It cannot be played; the message says what mends it.
    """
    composition = going_on(played_again(with_suite(composition)))
    end = finished_run(composition) or play_missing(composition)
    return end if composition.config.again is None else compared(composition, end)


def play_missing(composition: Composition) -> "RunEnd":
    """Play what is missing of a run, in this process."""
    from runners.experiment.start import start_run  # noqa: PLC0415  # --help and a refused override answer at once

    return start_run(RunRequest.of(composition))


def compared(composition: Composition, end: "RunEnd") -> "RunEnd":
    """Tell whether episodes that were played again went as they did, and return how that ends the run."""
    run = PlayedRun.read(Path(composition.config.again), composition.config.only)
    found = compare_again(run, composition.folder)
    write_comparison(composition.folder / COMPARISON, run.folder, found)
    say(*format_comparison(found))
    if not all(each.is_same for each in found):
        return replace(end, code=PLAYED_OTHERWISE)
    return replace(end, code=DONE_WITH_ERRORS if end.summary.recorders else DONE)


def success_rate(folder: Path) -> float | None:
    """Return the success rate of a run that is over, as a sweeper that optimises wants it; NaN where there is none."""
    try:
        rate = read_summary(folder).success_rate
    except JsonFileError:
        rate = None
    return math.nan if rate is None else rate


def completed(arguments: list[str]) -> list[str]:
    """Return a command line that can go on with a run, or play a suite.

    Raises:
        ContractError: There is no such run, or no such suite.
    """
    return with_suite_kinds(with_earlier_settings(arguments))


def main() -> NoReturn:
    """Run the ``groot-play`` command."""
    launch(play, "play", OLD_FLAGS, completed, success_rate)


if __name__ == "__main__":
    main()
