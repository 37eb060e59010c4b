"""Policy servers that a run starts itself by a command, and that end with it: a GR00T server in its own environment."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from groot_wrappers.errors import ContractError, ServerUnreachableError
from runners.servers import process_guard

__all__ = ["server_environment", "started_server"]

HOST = "127.0.0.1"
END_TIMEOUT_S = process_guard.GRACE_S + 20
TELL_S = 5.0
TOLD_LINES = 15
"""Lines of a failed server's output that its error tells."""


@contextmanager
def started_server(
    command: str,
    port: int,
    *,
    log: Path,
    device: str,
    timeout_s: float,
    say: Callable[[str], None],
) -> Iterator[int]:
    """Start a policy server by a command, wait until it listens on 127.0.0.1, and yield the port.

    What the command has started ends with the block, and by itself if this process dies, however it dies.

    Args:
        command: A line for a shell, in which ``{port}`` stands for the port.
        port: 0 for any free one.
        log: Where the server's output is appended.
        device: The device of the simulation, which shares no GPU with the server where there are several.
        timeout_s: Longest wait until it listens; a model may need minutes to load.
        say: Tells a person what is waited for.

    Raises:
        ContractError: The command does not say where the port goes.
        ServerUnreachableError: The command has ended, or nobody listens after ``timeout_s``.
    """
    if "{port}" not in command:
        raise ContractError(
            f"server.command={command!r} does not say which port is meant, so that two jobs on a machine would clash. "
            "Write {port} where the port belongs: server.command='... --port {port}'."
        )
    port = port or _free_port()
    if _listens(port):
        raise ContractError(
            f"server.port={port} was asked for, but another server listens there. Set server.port=0, for any free port."
        )
    with log.open("ab") as output:
        guard = subprocess.Popen(
            [sys.executable, process_guard.__file__, command.replace("{port}", str(port))],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env=server_environment(os.environ, device),
            start_new_session=True,  # Ctrl-C reaches every process of a terminal, and when to stop is this one's word
        )
    try:
        if why := _wait_until_it_listens(guard, port, timeout_s, lambda waited_s: say(_format_wait(waited_s, log))):
            end = "\n".join(log.read_text(errors="replace").splitlines()[-TOLD_LINES:])
            raise ServerUnreachableError(
                f"The policy server did not start: {why}. Its command was: {command}\nThe end of {log}:\n{end}"
            )
        yield port
    finally:
        guard.communicate(timeout=END_TIMEOUT_S)  # closes its input, which is what tells it to end


def server_environment(environment: Mapping[str, str], device: str) -> dict[str, str]:
    """Return the environment of a server that runs beside a simulation.

    Args:
        environment: That of the simulation. Where its ``CUDA_VISIBLE_DEVICES`` names several GPUs, as a scheduler does
            for those of a job, the server sees all of them but the simulation's.
        device: The simulation's: ``cpu``, ``cuda:0``.
    """
    gpus = environment.get("CUDA_VISIBLE_DEVICES", "").split(",")
    kind, _, index = device.partition(":")
    if kind == "cuda" and len(gpus) > 1:
        del gpus[int(index or 0)]
        return {**environment, "CUDA_VISIBLE_DEVICES": ",".join(gpus)}
    return dict(environment)


def _wait_until_it_listens(
    guard: subprocess.Popen[bytes], port: int, timeout_s: float, tell: Callable[[float], None]
) -> str | None:
    """Wait until the server listens; return why it never will, None once it does."""
    start = told = time.monotonic()
    while not _listens(port):
        now = time.monotonic()
        if guard.poll() is not None:
            return f"it ended with code {guard.returncode}"
        if now - start > timeout_s:
            return f"nobody listens on {HOST}:{port} after {timeout_s:g} s (server.connect_timeout_s allows more)"
        if now - told > TELL_S:
            told = now
            tell(now - start)
        time.sleep(0.2)
    return None


def _format_wait(waited_s: float, log: Path) -> str:
    return f"Waiting for the policy server that was started ({waited_s:.0f} s); its output is in {log}"


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port
