"""``groot-inspect``: what an env offers, what a server wants, what fits and why not, and an embodiment to paste."""

from typing import NoReturn

from runners.config.composed import Composition
from runners.launch.hydra_app import launch

__all__ = ["main"]


def inspect_env(composition: Composition) -> int:
    """Start the env once and print the comparison; return the exit code."""
    from runners.apps.inspection import run_inspection  # noqa: PLC0415  # --help and a refused override answer at once

    return run_inspection(composition)


def main() -> NoReturn:
    """Run the ``groot-inspect`` command."""
    launch(inspect_env, "inspect")


if __name__ == "__main__":
    main()
