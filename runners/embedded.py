"""Embedded policy servers: a policy hosted in a process of its own, for as long as a run needs it."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from typing import Any

from hydra.utils import instantiate

from groot_wrappers.errors import ServerUnreachableError
from groot_wrappers.server import PolicyServer
from runners.serve import TOKEN_VARIABLE

__all__ = ["embedded_server"]

START_TIMEOUT_S = 120.0


@contextmanager
def embedded_server(policy: Mapping[str, Any], port: int, observation_form: str) -> Iterator[int]:
    """Host a policy on 127.0.0.1 in a process of its own, and yield the port.

    The process ends with the block, and by itself if this process dies, however it dies.

    Args:
        policy: What ``hydra.utils.instantiate`` builds the policy from.
        port: 0 for any free one.
        observation_form: ``nested`` or ``flat``.

    Raises:
        ServerUnreachableError: The policy could not be built, or took longer than START_TIMEOUT_S.
    """
    context = multiprocessing.get_context("spawn")  # forking would copy the simulator's threads in an unknown state
    ours, theirs = context.Pipe()
    token = os.environ.get(TOKEN_VARIABLE)
    process = context.Process(
        target=_serve, args=(dict(policy), port, observation_form, token, theirs), name="policy-server", daemon=True
    )
    # Ctrl-C reaches every process of a terminal, and when to stop is this one's word: the new one inherits that.
    interruptible = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process.start()
    finally:
        signal.signal(signal.SIGINT, interruptible)
    theirs.close()
    answer: Any = None
    try:
        ready = wait([ours], timeout=START_TIMEOUT_S)
        try:
            answer = ours.recv() if ready else f"it was not ready in {START_TIMEOUT_S:g} s"
        except EOFError:
            process.join()
            answer = f"it ended with code {process.exitcode}"
        if not isinstance(answer, int):
            raise ServerUnreachableError(
                f"The embedded policy server ({policy.get('_target_')}) did not start: {answer}. "
                "Serve it alone to see more: groot-serve policy=... port=5555"
            )
        yield answer
    finally:
        ours.close()  # which is what tells a server to stop
        process.join(timeout=5 if isinstance(answer, int) else 0)
        if process.is_alive():
            process.kill()
            process.join()


def _serve(policy: dict[str, Any], port: int, observation_form: str, token: str | None, pipe: Connection) -> None:
    """Build the policy, report the port, and serve until the other end of the pipe closes."""
    try:
        server = PolicyServer(instantiate(policy), port=port, observation_form=observation_form, api_token=token)
    except Exception as error:  # whatever it is, the parent tells the person
        cause = error.__cause__ or error  # Hydra wraps what it could not build, and the reason lies inside
        pipe.send(f"{type(cause).__name__}: {cause}")
        sys.exit(1)
    pipe.send(server.port)

    def stop_when_parent_is_gone() -> None:
        wait([pipe])
        server.stop()

    threading.Thread(target=stop_when_parent_is_gone, daemon=True).start()
    server.serve_forever()
    server.close()
