"""A process that has imported what our commands import, and forks them: each then starts at once.

``WarmPopen`` is a ``subprocess.Popen`` whose process is forked from one that runs ``main``. It runs the same script or
module as ``__main__``, in the folder, environment and session and with the streams that it is given; the one that it is
forked from has started no thread of Python, and holds no GPU, no socket of ZMQ and no run of W&B.

What is tested in how it starts takes ``subprocess.Popen``. With ``WARM=0`` in the environment everything does.
"""

import atexit
import contextlib
import functools
import importlib
import inspect
import json
import os
import runpy
import select
import selectors
import socket
import subprocess
import sys
import threading
import warnings
from pathlib import Path

ROOT = Path(__file__).parents[2]

PRELOADED = (
    "isaaclab.app",
    "isaaclab_newton.physics",
    "runners.experiment.experiment",
    "runners.experiment.preparation",
    "runners.launch.run_hook",
    "runners.recorders.lerobot",
    "runners.recorders.video",
    "scipy.stats",
    "tests.support.servers.policy_servers",
    "tests.support.toys.task",
)
"""Not wandb: as it is imported it makes a folder, which would go with the first process that ends."""

IS_WARM = os.environ.get("WARM") != "0"

PIPES = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")

LONGEST = 2**20
"""Bytes of a request."""


class WarmPopen(subprocess.Popen):
    """Starts ``[script of the virtual environment, ...]`` or ``[python, "-m", module, ...]``.

    Of the options of ``subprocess.Popen`` it takes ``cwd``, ``env``, ``stdin``, ``stdout``, ``stderr``, ``text`` and
    ``start_new_session``. The private methods are all by which it starts a process and asks the system how it ended,
    which only its parent is told.
    """

    def _execute_child(self, *options):
        given = inspect.signature(subprocess.Popen._execute_child).bind(self, *options).arguments
        request = {
            "arguments": list(map(str, given["args"])),
            "folder": str(given["cwd"] or Path.cwd()),
            "environment": dict(os.environ if given["env"] is None else given["env"]),
            "new_session": given["start_new_session"],
        }
        streams = [given[name] for name in ("p2cread", "c2pwrite", "errwrite")]
        streams = [own if stream == -1 else stream for own, stream in enumerate(streams)]
        self._end, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(_parent(), [json.dumps(request).encode()], [*streams, theirs.fileno()])
        self.pid = int(self._end.recv(32))
        self._child_created = True
        self._close_pipe_fds(*(given[name] for name in PIPES))

    def _try_wait(self, wait_flags):
        if not select.select([self._end], [], [], 0 if wait_flags == os.WNOHANG else None)[0]:
            return 0, 0
        with self._end:
            return self.pid, int(self._end.recv(32))

    def _internal_poll(self, _deadstate=None):
        if self.returncode is None and self._waitpid_lock.acquire(blocking=False):
            try:
                pid, status = self._try_wait(os.WNOHANG)
                if pid == self.pid:
                    self._handle_exitstatus(status)
            finally:
                self._waitpid_lock.release()
        return self.returncode


start_warm = WarmPopen if IS_WARM else subprocess.Popen
"""Starts a process of ours."""


@functools.cache
def _parent():
    """Start the process that forks, once; return the socket of its requests, with which it ends."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LONGEST)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.warm_parent", str(theirs.fileno())],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )

    def end():
        ours.close()
        process.wait(10)

    atexit.register(end)
    return ours


def main(requests):
    """Import, then fork a process for each request, and tell the one that asked its id and its status at the end."""
    for name in PRELOADED:
        importlib.import_module(name)
    assert threading.active_count() == 1, "a thread of Python is not forked with the rest"
    # Those of OpenBLAS and of jemalloc are: they begin again in what is forked.
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    with selectors.DefaultSelector() as waiting:
        waiting.register(requests, selectors.EVENT_READ)
        while True:
            for key, _ in waiting.select():
                if key.fileobj is not requests:
                    waiting.unregister(key.fd)
                    _tell_end(key.fd, *key.data)
                    continue
                message, streams, _, _ = socket.recv_fds(requests, LONGEST, 4)
                if not message:
                    return None
                pid = os.fork()
                if pid == 0:
                    _close_all_of_parent(waiting)
                    return functools.partial(_run, json.loads(message), streams)
                asking = socket.socket(fileno=streams.pop())
                for stream in streams:
                    os.close(stream)
                asking.send(b"%d" % pid)
                waiting.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, asking))


def _close_all_of_parent(waiting):
    for key in list(waiting.get_map().values()):
        os.close(key.fd)
        if key.data:
            key.data[1].close()
    waiting.close()


def _tell_end(pidfd, pid, asking):
    os.close(pidfd)
    with asking:
        status = os.waitpid(pid, 0)[1]
        with contextlib.suppress(BrokenPipeError):  # nobody waits for it any more
            asking.send(b"%d" % status)


def _run(request, streams):
    """Become the process that is asked for."""
    if request["new_session"]:
        os.setsid()
    for own, stream in enumerate(streams[:3]):
        os.dup2(stream, own)
    for stream in streams:
        os.close(stream)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    first, *rest = request["arguments"]
    if first == sys.executable:
        sys.argv[:] = rest[1:]
        sys.path[0] = request["folder"]
        runpy.run_module(rest[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv[:] = request["arguments"]
        sys.path[0] = str(Path(first).parent)
        runpy.run_path(first, run_name="__main__")


if __name__ == "__main__":
    run = main(socket.socket(fileno=int(sys.argv[1])))
    if run is not None:
        run()
