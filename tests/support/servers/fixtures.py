"""Servers for the tests: in a thread where the client is looked at, in a process where the server may die."""

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import zmq

from groot_wrappers.protocol.client import PolicyClient
from groot_wrappers.protocol.server import PolicyServer
from groot_wrappers.protocol.wire.codec import Dialect, pack, unpack
from tests.support.servers.policies import ToyPolicy
from tests.support.warm_parent import ROOT, start_warm


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ServerProcess:
    """A PolicyServer in a process of its own."""

    def __init__(self, **options):
        command = [sys.executable, "-m", "tests.support.servers.policies", json.dumps(options)]
        self.process = start_warm(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def kill(self):
        self.process.kill()
        self.process.wait(10)
        self.process.stdout.close()


@pytest.fixture
def server_process():
    """Start servers in processes, ended with the test."""
    started = []

    def start(**options):
        started.append(ServerProcess(**options))
        return started[-1]

    yield start
    for server in started:
        server.kill()


@pytest.fixture
def serve():
    """Start servers in threads, ended with the test or by ``serve.end``."""
    threads = {}
    with contextlib.ExitStack() as stack:

        def start(policy=None, **options):
            server = stack.enter_context(PolicyServer(policy or ToyPolicy(), **{"port": 0} | options))
            threads[server] = threading.Thread(target=server.serve_forever, daemon=True)
            threads[server].start()
            stack.callback(_join, server, threads[server])
            return server

        def end(server):
            _join(server, threads[server])
            server.close()
            while _has_client(server.port):  # which is told in a moment, and long before a server can start again
                time.sleep(0.005)

        start.end = end
        yield start


def _has_client(port):
    """Say whether a socket of this machine is connected to a port still, as far as the socket's owner has noticed."""
    connections = (line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:])
    return any(remote.endswith(f":{port:04X}") and state in {"01", "08"} for _, _, remote, state, *_ in connections)


def _join(server, thread):
    server.stop()
    thread.join(10)
    assert not thread.is_alive()


@pytest.fixture
def scripted():
    """A REP socket that gives ready-made replies, by endpoint; it keeps the requests."""
    with contextlib.ExitStack() as stack:

        def start(dialect=Dialect.npy, **replies):
            replies = {"get_modality_config": ToyPolicy().get_modality_config()} | replies
            context = stack.enter_context(zmq.Context())
            rep = context.socket(zmq.REP)
            rep.linger = 0
            port = rep.bind_to_random_port("tcp://127.0.0.1")
            requests = []
            done = threading.Event()

            def loop():
                while not done.is_set():
                    if rep.poll(20):
                        requests.append(unpack(rep.recv())[0])
                        reply = replies.get(requests[-1]["endpoint"], {"error": "not scripted"})
                        rep.send(reply if isinstance(reply, bytes) else pack(reply, dialect))
                rep.close()

            thread = threading.Thread(target=loop, daemon=True)
            thread.start()
            stack.callback(thread.join, 5)
            stack.callback(done.set)
            return port, requests

        yield start


@pytest.fixture
def connect():
    """Make clients with short time-outs, closed with the test."""
    with contextlib.ExitStack() as stack:

        def make(port, **options):
            client = PolicyClient("127.0.0.1", port, **{"timeout_s": 5.0, "connect_timeout_s": 5.0} | options)
            return stack.enter_context(client)

        yield make
