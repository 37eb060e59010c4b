"""Whether the world waits for the policy: how a beat's request and its control steps are put side by side.

Classes:
    PausedClock: the world waits.
    RealClock: the world goes on while the policy thinks.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

from groot_wrappers.errors import ContractError
from runners.config.schema import ClockKind

if TYPE_CHECKING:  # torch takes seconds to import, and settings are checked before that
    from groot_wrappers.action import Gr00tActionWrapper
    from groot_wrappers.embodiment.action_map import Chunk

__all__ = ["Clock", "PausedClock", "RealClock", "make_clock"]


class PausedClock:
    """The world waits for each answer, however long it takes.

    Attributes:
        waited_s: Seconds that the world has stood still for.
    """

    def __init__(self) -> None:
        self.waited_s = 0.0

    def play_beat(self, env: "Gr00tActionWrapper", ask: "Callable[[], Chunk]") -> Any:
        """Ask, then play; see ``Gr00tActionWrapper.step`` for what is returned and raised."""
        start = time.perf_counter()
        chunk = ask()
        self.waited_s += time.perf_counter() - start
        return env.step(chunk)


class RealClock:
    """The world goes on while the policy thinks: a thread asks, and this one plays.

    Args:
        delay: Control steps after which the answer counts, whenever it is there; a later one is waited for. None: it
            counts as soon as it is there, so that outcomes depend on the speed of server and simulator.

    Attributes:
        waited_s: Seconds that the world has stood still for, where an answer was not there after ``delay`` steps.
    """

    def __init__(self, delay: int | None) -> None:
        self.waited_s = 0.0
        self._delay = delay
        # Never shut down: what hangs in it ends with its client, and an interruption must not wait for a server.
        self._thread = ThreadPoolExecutor(1, "asks the policy")

    def play_beat(self, env: "Gr00tActionWrapper", ask: "Callable[[], Chunk]") -> Any:
        """Play while asking; see ``Gr00tActionWrapper.step_while_asking`` for what is returned and raised."""
        pending = self._thread.submit(ask)
        outcome = env.step_while_asking(lambda steps: self._answer(pending, steps))
        # Where every episode ended before the answer came, nobody needs it; but its connection is needed next.
        self._wait_for(pending)
        return outcome

    def _answer(self, pending: "Future[Chunk]", steps: int) -> "Chunk | None":
        is_due = pending.done() if self._delay is None else steps >= self._delay
        if not is_due:
            return None
        self._wait_for(pending)
        return pending.result()

    def _wait_for(self, pending: "Future[Chunk]") -> None:
        start = time.perf_counter()
        wait([pending])
        self.waited_s += time.perf_counter() - start


Clock = PausedClock | RealClock


def make_clock(kind: ClockKind, delay: int | None, execution: int) -> Clock:
    """Return the clock that a configuration asks for.

    Args:
        kind: ``clock``.
        delay: ``horizons.delay``.
        execution: ``horizons.execution``.

    Raises:
        ContractError: They do not go together.
    """
    if kind is ClockKind.paused:
        if delay is not None:
            raise ContractError(
                f"horizons.delay={delay} was asked for, but with clock=paused the world waits for each answer. Set "
                "clock=real, or leave horizons.delay out."
            )
        return PausedClock()
    if delay is not None and not 0 <= delay <= execution:
        raise ContractError(
            f"horizons.delay={delay} was asked for with horizons.execution={execution}, but the policy is asked again "
            f"every {execution} control steps, and must have answered by then. Set horizons.delay to 0 ... "
            f"{execution}, or horizons.execution higher."
        )
    return RealClock(delay)
