"""Embedded servers: they answer while they are wanted, say why they could not start, and end."""

import multiprocessing
import os
import time

import pytest

from groot_wrappers.errors import ServerUnreachableError
from groot_wrappers.protocol.client import PolicyClient
from runners.servers.embedded_server import embedded_server
from runners.utils.interrupts import INTERRUPTIONS


@pytest.fixture
def empty_handed():
    """Fail if a process outlives its block."""
    yield
    assert multiprocessing.active_children() == []


@pytest.mark.process
@pytest.mark.timing
@pytest.mark.usefixtures("empty_handed")
def test_server_answers_within_the_block_and_ends_with_it(monkeypatch):
    monkeypatch.setenv("GR00T_API_TOKEN", "sesame-4711")
    with embedded_server({"_target_": "tests.support.servers.policies.ToyPolicy"}, 0, "nested") as port:
        (process,) = multiprocessing.active_children()
        for number in INTERRUPTIONS:  # which reach every process of a terminal or of a scheduler's job
            os.kill(process.pid, number)
        token = {"api_token": "sesame-4711", "connect_timeout_s": 10.0}
        with PolicyClient("127.0.0.1", port, **token) as client:
            client.wait_until_ready()
            assert "front" in client.get_modality_config()["video"].modality_keys
        start = time.monotonic()
    assert time.monotonic() - start < 3, "it stops when it is told, and need not be killed"


@pytest.mark.process
@pytest.mark.usefixtures("empty_handed")
@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ({"_target_": "tests.nowhere.Policy"}, "No module named 'tests.nowhere'"),
        ({"_target_": "builtins.int", "_args_": ["seven"]}, "invalid literal for int"),
        ({"_target_": "builtins.object"}, "get_modality_config"),
        ({"_target_": "os._exit", "_args_": [3]}, "it ended with code 3"),
    ],
)
def test_server_that_does_not_start_is_told_with_its_reason(policy, why):
    with (
        pytest.raises(ServerUnreachableError, match=rf"{policy['_target_']}\) did not start: .*\s?.*{why}"),
        embedded_server(policy, 0, "nested"),
    ):
        pytest.fail("the block was entered")
