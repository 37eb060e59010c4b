"""``groot-play``: play a policy in an env and count how often it succeeds."""

from typing import NoReturn

from omegaconf import DictConfig

from runners.cli import launch
from runners.resume import with_earlier_settings

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
    """Run the experiment; return the exit code."""
    from runners.experiment import run_experiment  # noqa: PLC0415  # --help and a refused override answer at once

    return run_experiment(config)


def main() -> NoReturn:
    """Run the ``groot-play`` command."""
    launch(play, "play", OLD_FLAGS, with_earlier_settings)


if __name__ == "__main__":
    main()
