"""Processes of their own: servers to ask, and measurements that start a simulator, of which a process has only one."""

import logging
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from groot_wrappers.errors import Gr00tError
from runners.bench.figures import Row
from runners.launch.hydra_app import ELSEWHERE
from runners.utils.child_process import END_TIMEOUT_S, child_process
from runners.utils.remedies import message_of

__all__ = ["rows_of", "serving"]

START_TIMEOUT_S = 60.0


@contextmanager
def serving(
    serve: Callable[..., None], *arguments: Any, timeout_s: float = START_TIMEOUT_S, log: Path | None = None
) -> Iterator[int]:
    """Run a server until the block ends, and yield its port.

    Args:
        serve: Function of a module, called with a pipe and the arguments. It sends its port, and is ended from outside.
        *arguments: Can be pickled.
        timeout_s: Longest wait for the port.
        log: File that what the server prints is added to; by default it is printed here.

    Raises:
        Gr00tError: It does not start.
    """
    with child_process(_run_while_wanted, _serve, (serve, arguments, log)) as (_, pipe):
        try:
            port = pipe.recv() if pipe.poll(timeout_s) else None
        except EOFError:
            port = None
        if not isinstance(port, int):
            told = f" Its output is in {log}." if log else ""
            raise Gr00tError(f"The server {serve.__name__} of the bench did not start: {port or 'it ended'}.{told}")
        yield port


def rows_of(measure: Callable[..., Iterator[Row]], *arguments: Any, log: Path) -> Iterator[Row]:
    """Yield the rows that a generator yields in a process of its own, the moment they come.

    Args:
        measure: Function of a module.
        *arguments: Can be pickled.
        log: File that what the simulator prints is added to.

    Raises:
        Gr00tError: The measurement failed; the message is its own.
    """
    with child_process(_run_while_wanted, _send_rows, (measure, arguments, log)) as (process, pipe):
        while True:
            try:
                told = pipe.recv()
            except EOFError:
                raise Gr00tError(f"The process of {measure.__name__} died. Its output is in {log}.") from None
            if told is None:
                process.join(END_TIMEOUT_S)
                return
            if isinstance(told, str):
                raise Gr00tError(told)
            yield told


def _run_while_wanted(pipe: Connection, target: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    """Run a function, for no longer than the other end of the pipe is open: its process may have been killed."""

    def end_with_parent() -> None:
        wait([pipe])
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
    target(pipe, *arguments)


def _serve(pipe: Connection, serve: Callable[..., None], arguments: tuple[Any, ...], log: Path | None) -> None:
    if log is not None:
        with log.open("a") as output:
            for stream in (sys.stdout, sys.stderr):
                os.dup2(output.fileno(), stream.fileno())
        logging.basicConfig(level=logging.INFO)
    serve(pipe, *arguments)


def _send_rows(pipe: Connection, measure: Callable[..., Iterator[Row]], arguments: tuple[Any, ...], log: Path) -> None:
    """Send each row, then None; a failure as its message."""
    try:
        with log.open("a") as output:
            os.dup2(output.fileno(), sys.stdout.fileno())  # what libraries print by themselves too
        logging.basicConfig(filename=log, level=logging.INFO)
        for row in measure(*arguments):
            pipe.send(row)
        pipe.send(None)
    except Exception as error:  # whatever it is, the parent tells the person
        logging.getLogger(__name__).info("%s", traceback.format_exc())
        told = f"{measure.__name__} failed: {type(error).__name__}: {error}. The traceback is in {log}."
        pipe.send(message_of(error, ELSEWHERE) or told)
