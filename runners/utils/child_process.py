"""Child processes: a function run in a process of its own, for as long as a block needs it, with a pipe between."""

import multiprocessing
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from runners.utils.interrupts import INTERRUPTIONS, signals_ignored
from runners.utils.terminal import prepare_terminal

__all__ = ["child_process"]

END_TIMEOUT_S = 5.0


@contextmanager
def child_process(target: Callable[..., None], *arguments: Any) -> Iterator[tuple[BaseProcess, Connection]]:
    """Start a function in a process of its own; yield the process and this end of its pipe.

    At the end of the block the pipe is closed, which is what tells the process to end, even where this one is killed;
    one that does not within END_TIMEOUT_S is killed.

    Args:
        target: Function of a module, called with the other end of the pipe and the arguments. It has to look whether
            that is still open.
        *arguments: Can be pickled.
    """
    context = multiprocessing.get_context("spawn")  # forking would copy the simulator's threads in an unknown state
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(target, theirs, *arguments))
    with signals_ignored(*INTERRUPTIONS), _main_not_imported():
        process.start()
    theirs.close()
    try:
        yield process, ours
    finally:
        ours.close()
        try:
            process.join(END_TIMEOUT_S)
        finally:  # where the wait is interrupted too
            if process.is_alive():
                process.kill()
                process.join()


@contextmanager
def _main_not_imported() -> Iterator[None]:
    """Within the block, start processes that do not import the script of this one, which would run it once more."""
    main = sys.modules["__main__"]
    hidden = {name: getattr(main, name) for name in ("__file__", "__spec__") if hasattr(main, name)}
    main.__spec__ = None
    main.__dict__.pop("__file__", None)
    try:
        yield
    finally:
        vars(main).update(hidden)


def _run(target: Callable[..., None], *arguments: Any) -> None:
    prepare_terminal()  # what a policy prints must not fail where nobody reads it any more
    target(*arguments)
