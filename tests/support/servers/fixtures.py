"""Servers for the tests: in a thread where the client is looked at, in a process where the server may die."""

import contextlib
import json
import socket
import subprocess
import sys
import threading

import pytest

from groot_wrappers.protocol.client import PolicyClient
from groot_wrappers.protocol.server import PolicyServer
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

        start.end = end
        yield start


def _join(server, thread):
    server.stop()
    thread.join(10)
    assert not thread.is_alive()


@pytest.fixture
def connect():
    """Make clients with short time-outs, closed with the test."""
    with contextlib.ExitStack() as stack:

        def make(port, **options):
            client = PolicyClient("127.0.0.1", port, **{"timeout_s": 5.0, "connect_timeout_s": 5.0} | options)
            return stack.enter_context(client)

        yield make
