"""How a command is interrupted, and holding that back while something must not be done by halves.

SIGTERM (``kill``, a scheduler) and SIGHUP (a terminal that is closed) interrupt as Ctrl-C does. What a process was
started to ignore, by ``nohup`` or by a script's ``&``, it goes on to ignore.

* ``heed_interruptions``: lets signals interrupt this process; ``heeded`` are those that may.
* ``interrupts_held``: holds them back.
* ``signals_ignored``: keeps them from what is started.
"""

import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["INTERRUPTIONS", "heed_interruptions", "heeded", "interrupts_held", "signals_ignored"]

INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

BURST_S = 1.0
"""Interruptions that follow one another faster are one: a closing terminal tells twice, and so does ``timeout``."""


class _Interruption:
    """Handler that raises KeyboardInterrupt, once a burst, so that what is then written down is not cut off at once."""

    def __init__(self) -> None:
        self._latest = -float("inf")

    def __call__(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if now - self._latest > BURST_S:
            self._latest = now
            raise KeyboardInterrupt


def heeded() -> list[signal.Signals]:
    """Return the interruptions that this process was not started to ignore."""
    return [number for number in INTERRUPTIONS if signal.getsignal(number) not in (signal.SIG_IGN, None)]


def heed_interruptions(numbers: Iterable[signal.Signals]) -> None:
    """Let signals raise KeyboardInterrupt in the main thread, which calls this."""
    interruption = _Interruption()
    for number in numbers:
        signal.signal(number, interruption)


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Let an interruption take effect at the end of the block instead of within it; for the main thread alone."""
    held: list[int] = []

    def hold(number: int, frame: FrameType | None) -> None:
        held.append(number)

    before = {number: signal.signal(number, hold) for number in heeded()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if held:
            signal.raise_signal(held[0])


@contextmanager
def signals_ignored(*numbers: signal.Signals) -> Iterator[None]:
    """Let what is started in the block, and all that it starts, ignore signals: when to stop is this process's word.

    They reach every process of a terminal, and of a scheduler's job.
    """
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
