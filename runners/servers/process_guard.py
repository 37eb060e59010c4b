"""Runs a command for as long as standard input is open, then ends all that it has started: ``server_guard.py COMMAND``.

The other end of standard input closes when the process that holds it ends, however it dies. This one imports nothing of
ours, so that it starts at once.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading

GRACE_S = 10.0
"""Time for what the command has started to end by itself, as on Ctrl-C, before it is killed."""


def main() -> None:
    """Run the command in a shell, in a process group of its own, and end with its exit code."""
    # Not SIGTERM, by which schedulers announce that a job's time is up: how long a server is needed is its run's word.
    command = subprocess.Popen(["/bin/sh", "-c", sys.argv[1]], stdin=subprocess.DEVNULL, start_new_session=True)

    def end_with_input() -> None:
        while os.read(sys.stdin.fileno(), 1):
            pass
        _signal_group(command.pid, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            command.wait(GRACE_S)
        _signal_group(command.pid, signal.SIGKILL)

    threading.Thread(target=end_with_input, daemon=True).start()
    code = command.wait()
    _signal_group(command.pid, signal.SIGKILL)
    sys.exit(code)


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


if __name__ == "__main__":
    main()
