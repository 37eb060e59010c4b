"""Background: work that is done beside the simulation, in order, with a limit on what may wait."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import Any, TypeVar

__all__ = ["Background"]

T = TypeVar("T")


class Background:
    """One thread that does jobs one after the other.

    Whoever hands in more than may wait is held up, so that what waits cannot fill the memory.

    Args:
        waiting: Jobs that may wait.
    """

    def __init__(self, waiting: int) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="data set")
        self._places = BoundedSemaphore(waiting)
        self._failure: BaseException | None = None

    def do(self, job: Callable[..., T], *arguments: Any, **options: Any) -> Future[T]:
        """Hand in a job.

        Raises:
            Exception: What an earlier job raised.
        """
        self._places.acquire()
        if self._failure is not None:
            self._places.release()
            raise self._failure
        future = self._thread.submit(job, *arguments, **options)
        future.add_done_callback(self._take_note)
        return future

    def close(self) -> None:
        """Wait until all jobs are done."""
        self._thread.shutdown()

    def _take_note(self, future: Future[Any]) -> None:
        self._failure = self._failure or future.exception()
        self._places.release()
