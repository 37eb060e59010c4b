"""The bridge to an openpi server: what it packs, what it refuses, and its answers from a server in another process."""

import subprocess
import sys

import msgpack
import numpy as np
import pytest

from groot_wrappers.errors import ContractError, ProtocolError, ServerError, ServerUnreachableError
from groot_wrappers.openpi_bridge.policy import OpenpiBridge
from groot_wrappers.openpi_bridge.wire import pack, unpack

KEYS = {
    "video": {"scene": "observation/image"},
    "state": {"arm": "observation/state", "hand": "observation/state"},
    "action": {"arm": [0, 2], "hand": [2, 3]},
    "horizon": 3,
}


def observation_of(texts):
    rows = len(texts)
    return {
        "video": {"scene": np.full((rows, 1, 4, 4, 3), 7, np.uint8)},
        "state": {"arm": np.ones((rows, 1, 2), np.float32), "hand": np.full((rows, 1, 1), 5, np.float32)},
        "language": {"task": [[text] for text in texts]},
    }


def test_packs_and_unpacks_arrays():
    sent = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "prompt": "lift"}
    back = unpack(pack(sent))
    assert back["prompt"] == "lift"
    np.testing.assert_array_equal(back["a"], sent["a"])


@pytest.mark.parametrize(
    "array",
    [
        {b"__ndarray__": True, b"data": b"x" * 8, b"dtype": "|O", b"shape": [1]},
        {b"__ndarray__": True, b"data": b"x" * 8, b"dtype": "<f4"},
        {b"__npgeneric__": True, b"dtype": "<f4"},
        {b"__ndarray__": True, b"data": b"x" * 8, b"dtype": "<f4", b"shape": [1 << 40]},
        {b"__ndarray__": True, b"data": b"x" * 8, b"dtype": "<f4", b"shape": [-2, -1]},
    ],
    ids=["objects", "no shape", "no bytes", "larger than its bytes", "negative"],
)
def test_refuses_an_array_that_is_none(array):
    with pytest.raises(ProtocolError, match="no message of openpi-client"):
        unpack(msgpack.packb({"actions": array}))


def test_refuses_bounds_that_are_none():
    with pytest.raises(ContractError, match=r"policy.action.arm is \[first, last \+ 1\]"):
        OpenpiBridge("127.0.0.1", 9, **{**KEYS, "action": {"arm": [2, 2]}})


@pytest.fixture(scope="module")
def port():
    pytest.importorskip("websockets")
    pytest.importorskip("openpi_client")
    command = [sys.executable, "-m", "tests.groot_wrappers.openpi_bridge.server"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    yield int(server.stdout.readline())
    server.terminate()
    server.wait(10)


@pytest.mark.process
def test_answers_each_row_and_goes_on_after_a_failure(port):
    policy = OpenpiBridge("127.0.0.1", port, **KEYS, timeout_s=10)
    action, _ = policy.get_action(observation_of(["ab", "abcd"]))
    assert action["arm"].dtype == np.float32
    np.testing.assert_array_equal(action["arm"], [[[7, 2]] * 3, [[7, 4]] * 3])
    np.testing.assert_array_equal(action["hand"], np.full((2, 3, 1), 7))
    with pytest.raises(ServerError, match="the policy raised"):
        policy.get_action(observation_of(["fail"]))
    assert policy.get_action(observation_of(["a"]))[0]["arm"][0, 0, 1] == 1


@pytest.mark.process
def test_says_what_does_not_fit_and_who_is_gone(port):
    with pytest.raises(ContractError, match=r"must be \(9, 3\) or more"):
        OpenpiBridge("127.0.0.1", port, **{**KEYS, "horizon": 9}).get_action(observation_of(["a"]))
    with pytest.raises(ServerUnreachableError, match=r"policy.host and policy.port"):
        OpenpiBridge("127.0.0.1", 9, **KEYS, timeout_s=2)
