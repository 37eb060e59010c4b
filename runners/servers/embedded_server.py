"""Embedded policy servers: a policy hosted in a process of its own, for as long as a run needs it."""

import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from groot_wrappers.errors import Gr00tError, ServerUnreachableError
from groot_wrappers.protocol.hosting import TOKEN_VARIABLE
from runners.servers.hosting import policy_server
from runners.utils.child_process import child_process

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
    token = os.environ.get(TOKEN_VARIABLE)
    with child_process(_serve, dict(policy), port, observation_form, token) as (process, pipe):
        try:
            answer = _port_or_reason(process, pipe)
        except BaseException:
            process.kill()  # what is still building its policy looks at no pipe
            raise
        if not isinstance(answer, int):
            process.kill()
            raise ServerUnreachableError(
                f"The embedded policy server ({policy.get('_target_')}) did not start: {answer.rstrip('.')}. "
                "Serve it alone to see more: groot-serve policy=... hydra.verbose=true"
            )
        yield answer


def _port_or_reason(process: BaseProcess, pipe: Connection) -> int | str:
    """Wait for a server's port; return it, or why there is none."""
    if not pipe.poll(START_TIMEOUT_S):
        return f"it was not ready in {START_TIMEOUT_S:g} s"
    try:
        answer: int | str = pipe.recv()
    except EOFError:
        process.join()
        return f"it ended with code {process.exitcode}"
    return answer


def _serve(pipe: Connection, policy: dict[str, Any], port: int, observation_form: str, token: str | None) -> None:
    """Build the policy, report the port, and serve until the other end of the pipe closes."""
    try:
        server = policy_server(policy, port=port, observation_form=observation_form, api_token=token)
    except Gr00tError as error:
        pipe.send(str(error))
        sys.exit(1)
    pipe.send(server.port)

    def stop_when_parent_is_gone() -> None:
        wait([pipe])
        server.stop()

    threading.Thread(target=stop_when_parent_is_gone, daemon=True).start()
    server.serve_forever()
    server.close()
