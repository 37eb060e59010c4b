"""Experiments with policies in envs, from the command line and from Python.

Example:
    summary = evaluate(["task=lift_cube_franka", "server=expert", "episodes=8"])
    print(summary.success_rate, summary.ci_low, summary.ci_high)
    rows = load_run("outputs/2026-11-25/01-28-34").rows_frame()

``import runners`` is light: what a run needs is imported when one is asked for. It needs the extra ``runner``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from groot_wrappers.installation.extras import require_extra

if TYPE_CHECKING:
    from runners.apps.evaluate import evaluate
    from runners.run_folder.reader import load_run

__all__ = ["evaluate", "load_run"]

require_extra("runner", "The runner")

_ROOMS = {"evaluate": "apps.evaluate", "load_run": "run_folder.reader"}


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
