"""Policy servers that a run starts by a command: they have a port and a GPU of their own, and end with the run."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from groot_wrappers.client import PolicyClient
from groot_wrappers.errors import ContractError, ServerUnreachableError
from runners.started_server import server_environment, started_server
from tests.runners.conftest import ROOT
from tests.runners.test_failures import finish, free_port, rows_of, wait_for_rows
from tests.runners.test_resume import SLOW, require_every_episode_once

SERVE = f"{sys.executable} -m tests.runners.serve_toy {{port}}"
"""Two processes, as a shell with a server in it; and a third that no signal of Ctrl-C ends."""


@pytest.fixture
def start(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def start(command, port=0, **options):
        told = {"log": tmp_path / "server.log", "device": "cpu", "timeout_s": 30, "say": print}
        return started_server(command, port, **told | options)

    return start


def living(pids):
    """Return those of some processes that are there, zombies aside."""

    def state(pid):
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return "X"

    return [pid for pid in pids if state(pid) not in "ZX"]


def wait_until_gone(pids, timeout_s=20):
    deadline = time.monotonic() + timeout_s
    while living(pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    return living(pids)


def test_server_answers_within_the_block_and_all_that_was_started_ends_with_it(start, tmp_path):
    with start(f"trap '' INT; sleep 300 & echo $! $$ >{tmp_path}/pids; {SERVE}") as port:
        with PolicyClient("127.0.0.1", port, connect_timeout_s=10) as client:
            client.wait_until_ready()
        pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
        assert living(pids) == pids
    assert not wait_until_gone(pids, timeout_s=0)
