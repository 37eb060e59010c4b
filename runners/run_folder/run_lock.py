"""One process at a time plays into a run folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from groot_wrappers.errors import ContractError

__all__ = ["is_played", "run_lock"]

FILE = ".lock"
TIMEOUT_S = 5.0
"""Longest wait for the one before, which may be about to end, or for who only looks."""


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Hold a run folder for the length of the block; a process that dies lets go of it, however it dies.

    Raises:
        ContractError: Another process plays into it.
    """
    lock = FileLock(folder / FILE)
    try:
        lock.acquire(timeout=TIMEOUT_S)
    except Timeout:
        raise ContractError(
            f"Another process plays into {folder}. Wait until it has ended, or name another folder: hydra.run.dir, or "
            "sweep.name for a sweep."
        ) from None
    try:
        yield
    finally:
        lock.release()


def is_played(folder: Path) -> bool:
    """Say whether some process plays into a run folder at this moment."""
    if not (folder / FILE).exists():
        return False
    try:
        with FileLock(folder / FILE, timeout=0):
            return False
    except Timeout:
        return True
