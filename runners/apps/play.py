"""``groot-play``: play a policy in an env and count how often it succeeds."""

from pathlib import Path
from typing import NoReturn

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from groot_wrappers.errors import Gr00tError
from runners.apps.finished_run import finished_run, report_finished_run
from runners.launch.hydra_app import launch
from runners.launch.sweep_job import play_job
from runners.run_folder.resume import going_on, with_earlier_settings
from runners.sweeps.folder import JobEnd
from runners.utils.exit_codes import FAILED

__all__ = ["main"]

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


def play(config: DictConfig) -> int:
    """Play a run, or a job of a sweep, unless nothing of it is missing; return the exit code."""
    folder = Path(HydraConfig.get().runtime.output_dir)
    is_job = HydraConfig.get().mode is RunMode.MULTIRUN
    try:
        config = going_on(config, folder)
        whole = finished_run(folder, config)
    except Gr00tError as error:
        if is_job:
            JobEnd(FAILED, str(error)).write(folder)
        raise
    if whole is None:
        return play_job(run, config) if is_job else run(config)
    code = report_finished_run(folder, whole)
    if is_job:
        JobEnd(code).write(folder)
    return code


def run(config: DictConfig) -> int:
    """Run the experiment; return the exit code."""
    from runners.experiment.preparation import start_run  # noqa: PLC0415  # --help and a refused override answer at once

    return start_run(config)


def main() -> NoReturn:
    """Run the ``groot-play`` command."""
    launch(play, "play", OLD_FLAGS, with_earlier_settings)


if __name__ == "__main__":
    main()
