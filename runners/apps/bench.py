"""``groot-bench``: how fast this is beside the alternatives, as a table, a plot and ``bench.json``."""

from typing import NoReturn

from runners.config.composed import Composition
from runners.launch.hydra_app import launch

__all__ = ["main"]


def bench(composition: Composition) -> int:
    """Measure the sections that are asked for; return the exit code."""
    from runners.bench.run import run_bench  # noqa: PLC0415  # --help and a refused override answer at once

    return run_bench(composition)


def main() -> NoReturn:
    """Run the ``groot-bench`` command."""
    launch(bench, "bench")


if __name__ == "__main__":
    main()
