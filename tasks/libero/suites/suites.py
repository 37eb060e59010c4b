"""LIBERO's five suites.

* ``libero_task``: a task by its suite and number, with its ``horizon`` of ``HORIZONS``.
* ``task_names``: all of a suite in LIBERO's order.
* ``instruction_of``, ``libero_instruction``: what LIBERO tells a policy.
"""

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from groot_wrappers.errors import ContractError, did_you_mean
from tasks.assets.cache import AssetError
from tasks.libero.suites.bddl import Problem, read_bddl
from tasks.libero.suites.wheels import bddl_file, suites_file

__all__ = ["HORIZONS", "LiberoTask", "instruction_of", "libero_instruction", "libero_task", "task_names"]

HORIZONS = {
    "libero_spatial": 280,
    "libero_object": 280,
    "libero_goal": 300,
    "libero_10": 520,
    "libero_90": 400,
}
"""Control steps of an episode, after ten of waiting, as LeRobot has them (``TASK_SUITE_MAX_STEPS`` of its
``lerobot/envs/libero.py``): the longest demonstration of a suite, and some steps. OpenVLA gives spatial 220 and the
others these; GR00T's pages let its checkpoints take 720 (``--max_episode_steps``)."""

_SIZES = {"libero_spatial": 10, "libero_object": 10, "libero_goal": 10, "libero_10": 10, "libero_90": 90}

_LARGEST = 1024 * 1024
"""Of the file that has the suites' order, bytes; that of the wheels has 78 kB."""

_SCENE = re.compile(r"[A-Z_]+_SCENE\d+_")
"""What stands before the instruction in the names of LIBERO-100."""


@dataclass(frozen=True)
class LiberoTask:
    """One task of a suite.

    Attributes:
        suite: A key of ``HORIZONS``.
        index: Its place in the suite's order, from 0.
        name: Of its files.
        problem: What its BDDL says.
        horizon: Control steps of an episode.
    """

    suite: str
    index: int
    name: str
    problem: Problem
    horizon: int

    @property
    def instruction(self) -> str:
        """What LIBERO tells a policy."""
        return instruction_of(self.name)


def instruction_of(name: str) -> str:
    """Return what LIBERO tells a policy in the task of a name: it takes it from there, and not from the BDDL."""
    return _SCENE.sub("", name).replace("_", " ")


def libero_task(suite: str, index: int) -> LiberoTask:
    """Return a task.

    Args:
        suite: A key of ``HORIZONS``.
        index: Its place in the suite's order, from 0.

    Raises:
        ContractError: There is no such task.
        AssetError: The wheels' data are missing, or are not as they should be.
    """
    names = task_names(suite)
    if not 0 <= index < len(names):
        raise ContractError(
            f"{suite} has no task {index}. Set task.index to 0 ... {len(names) - 1}; "
            f"`python -m tasks.libero.suites {suite}` lists them"
        )
    problem = read_bddl(bddl_file(suite, names[index]))
    return LiberoTask(suite, index, names[index], problem, HORIZONS[suite])


def libero_instruction(suite: str, index: int) -> str:
    """Return what LIBERO tells a policy in a task; arguments and errors are those of ``libero_task``."""
    return libero_task(suite, index).instruction


def task_names(suite: str) -> tuple[str, ...]:
    """Return the names of a suite's tasks in LIBERO's own order.

    Raises:
        ContractError: There is no such suite.
        AssetError: The wheels' data are missing, or are not as they should be.
    """
    if suite not in HORIZONS:
        raise ContractError(f"There is no suite {suite!r}, only {', '.join(HORIZONS)}.{did_you_mean(suite, HORIZONS)}")
    return _orders(suites_file())[suite]


@cache
def _orders(path: Path) -> dict[str, tuple[str, ...]]:
    """Read LIBERO's table of tasks, a Python file with one dict, as text: nothing of it is run."""
    if path.stat().st_size > _LARGEST:
        raise AssetError(f"{path} has more than {_LARGEST} bytes, so it is no table of LIBERO's tasks")
    try:
        (statement,) = ast.parse(path.read_text(encoding="utf-8")).body
        table = ast.literal_eval(statement.value) if isinstance(statement, ast.Assign) else None
    except (SyntaxError, ValueError) as error:
        raise AssetError(
            f"{path} is no table of LIBERO's tasks: {error}. Delete it, then `make libero-assets`"
        ) from error
    orders = {}
    for suite, size in _SIZES.items():
        names = table.get(suite) if isinstance(table, dict) else None
        if not isinstance(names, list) or len(set(names)) != size or not all(map(_is_name, names)):
            raise AssetError(f"{path} does not name {size} tasks of {suite}. Delete it, then `make libero-assets`")
        orders[suite] = tuple(names)
    return orders


def _is_name(name: object) -> bool:
    return isinstance(name, str) and re.fullmatch(r"\w{1,200}", name, re.ASCII) is not None
