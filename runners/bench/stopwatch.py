"""Where the time of a rollout goes: seconds within the calls that are watched."""

import functools
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import torch

from groot_wrappers.embodiment.isaaclab_env import IsaacLabEnv

__all__ = ["Stopwatch"]


class Stopwatch:
    """Adds up the seconds of calls by name. A call within another counts as its own, not as the other's.

    Args:
        device: Where the simulator runs; what a GPU was given to do is waited for, so that it counts where it belongs.
    """

    def __init__(self, device: torch.device) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.calls = Counter[str]()
        self._device = device
        self._running: list[str] = []
        self._mark = 0.0

    def clear(self) -> None:
        """Begin anew."""
        self.seconds.clear()
        self.calls.clear()

    def watch_env(self, env: IsaacLabEnv) -> None:
        """Watch an env's own ``physics`` (a control step, without our wrappers), ``resets`` and ``renders``."""
        self.watch(env.base, "step", "physics")
        self.watch(env.base, "reset", "resets")
        for camera in env.cameras.values():
            # Cameras draw when their data is read, and data is a property, which lives on the class.
            data = type(camera).data
            timed = property(self._timed(data.fget, "renders"))
            camera.__class__ = type(type(camera).__name__, (type(camera),), {"data": timed})

    def watch(self, owner: Any, method: str, name: str) -> None:
        """Add what a method of an object takes to a name."""
        setattr(owner, method, self._timed(getattr(owner, method), name))

    def _timed(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        @functools.wraps(function)  # reset's signature tells how an env begins episodes
        def timed(*arguments: Any, **keywords: Any) -> Any:
            self._turn()
            self._running.append(name)
            self.calls[name] += 1
            try:
                return function(*arguments, **keywords)
            finally:
                if self._device.type == "cuda":
                    torch.cuda.synchronize(self._device)
                self._turn()
                self._running.pop()

        return timed

    def _turn(self) -> None:
        """Give the time since the last turn to the innermost call that runs."""
        now = time.perf_counter()
        if self._running:
            self.seconds[self._running[-1]] += now - self._mark
        self._mark = now
