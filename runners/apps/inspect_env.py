"""``groot-inspect``: what an env offers, what a server wants, what fits and why not, and an embodiment to paste."""

from typing import NoReturn

from omegaconf import DictConfig

from runners.launch.hydra_app import launch

__all__ = ["main"]


def inspect_env(config: DictConfig) -> int:
    """Start the env once and print the comparison; return the exit code."""
    from runners.apps.inspection import run_inspection  # noqa: PLC0415  # --help and a refused override answer at once

    return run_inspection(config)


def main() -> NoReturn:
    """Run the ``groot-inspect`` command."""
    launch(inspect_env, "inspect")


if __name__ == "__main__":
    main()
