"""Policy servers that a run starts by a command: they have a port and GPUs of their own, and end with the run."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from groot_wrappers.errors import ContractError, ServerUnreachableError
from groot_wrappers.protocol.client import PolicyClient
from runners.servers.command_server import server_environment, started_server
from tests.support.processes import ROOT, SERVE, living


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Start a server by a command, as a run on a CPU does."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def start(command, port=0, timeout_s=30):
        return started_server(command, port, log=tmp_path / "log", device="cpu", timeout_s=timeout_s, say=print)

    return start


def read_ids(path, timeout_s=20):
    deadline = time.monotonic() + timeout_s
    while not path.exists() or not path.read_text().endswith("\n"):
        assert time.monotonic() < deadline, "nothing was started"
        time.sleep(0.05)
    return [int(word) for word in path.read_text().split()]


@pytest.mark.process
def test_server_answers_within_the_block_and_all_that_was_started_ends_with_it(start, tmp_path):
    with start(f"sleep 300 & echo $$ $! >{tmp_path}/ids; {SERVE}") as port:
        with PolicyClient("127.0.0.1", port, connect_timeout_s=10) as client:
            client.wait_until_ready()
        ids = read_ids(tmp_path / "ids")
        assert living(ids) == ids
        asked = time.monotonic()
    assert living(ids) == []
    assert time.monotonic() - asked < 5, "it ends by Ctrl-C, and need not be killed"


@pytest.mark.process
def test_server_ends_with_a_run_that_is_killed(tmp_path):
    run = (
        "from pathlib import Path; from runners.servers.command_server import started_server\n"
        f"with started_server('sleep 300 & echo $$ $! >{tmp_path}/ids; sleep 300 # {{port}}', 0, "
        f"log=Path('{tmp_path}/log'), device='cpu', timeout_s=60, say=print): pass"
    )
    process = subprocess.Popen([sys.executable, "-c", run], env=os.environ | {"PYTHONPATH": str(ROOT)})
    try:
        ids = read_ids(tmp_path / "ids")
        assert living(ids) == ids
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    deadline = time.monotonic() + 20
    while living(ids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert living(ids) == []


@pytest.mark.process
@pytest.mark.parametrize(
    ("command", "timeout_s", "why"),
    [
        ("echo no checkpoint there; exit 3 # {port}", 30, r"(?s)it ended with code 3.*no checkpoint there"),
        ("sleep 300 # {port}", 0.5, r"nobody listens on 127.0.0.1:\d+ after 0.5 s \(server.connect_timeout_s allows"),
    ],
)
def test_server_that_does_not_start_is_told_with_its_last_words(start, command, timeout_s, why):
    with pytest.raises(ServerUnreachableError, match=why), start(command, timeout_s=timeout_s):
        pytest.fail("the block was entered")


def test_command_without_a_port_is_refused(start):
    with pytest.raises(ContractError, match=r"Write \{port\} where the port belongs"), start("serve --port 5555"):
        pytest.fail("the block was entered")


def test_port_at_which_another_server_listens_is_refused(start):
    told = "server.port={} was asked for, but another server listens there"
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ContractError, match=told.format(port)), start(SERVE, port):
            pytest.fail("the block was entered")


@pytest.mark.parametrize(
    ("gpus", "device", "of_server"),
    [
        ("0,1", "cuda:0", "1"),
        ("4,5,6", "cuda:1", "4,6"),
        ("GPU-1f,GPU-2e", "cuda", "GPU-2e"),
        ("3", "cuda:0", "3"),
        ("0,1", "cpu", "0,1"),
        (None, "cuda:0", None),
    ],
)
def test_server_shares_no_gpu_with_the_simulation_where_there_are_several(gpus, device, of_server):
    environment = {"PATH": "/bin"} | ({} if gpus is None else {"CUDA_VISIBLE_DEVICES": gpus})
    found = server_environment(environment, device)
    assert (found.get("CUDA_VISIBLE_DEVICES"), found["PATH"]) == (of_server, "/bin")
