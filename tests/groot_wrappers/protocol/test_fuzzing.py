"""Whatever the bytes: the codec gives a message or a ProtocolError, and the server a reply."""

import contextlib

import msgpack
import numpy as np
import pytest
import zmq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from groot_wrappers.errors import ContractError, ProtocolError
from groot_wrappers.modality import ModalityConfig, check_modality_configs
from groot_wrappers.observation_checks import check_action, check_observation
from groot_wrappers.protocol.flat_form import unflatten_action, unflatten_observation
from groot_wrappers.protocol.wire.codec import Dialect, pack, unpack
from tests.groot_wrappers.protocol.wire.test_codec import plain
from tests.support import golden_frames
from tests.support.servers.policies import ToyPolicy

# The same examples on every run: a failure here is of the change at hand, not of the day.
FEW = settings(
    max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
MODALITY = ToyPolicy().get_modality_config()
FRAMES = list(golden_frames.frames().values())
MARKERS = ["__ndarray_class__", "as_npy", "__ModalityConfig__", "__ModalityConfig_class__", "as_json"]
MARKERS += [b"nd", b"type", b"kind", b"shape", b"data", "<f4", "|u1", b"", "delta_indices", "modality_keys"]
WORDS = ["endpoint", "data", "observation", "options", "api_token", "get_action", "reset", "kill", "ping"]
WORDS += ["video", "state", "language", "action", "front", "arm", "gripper", "video.front", "action.arm", "error"]

dtypes = st.one_of(
    npst.boolean_dtypes(),
    npst.integer_dtypes(endianness="?"),
    npst.unsigned_integer_dtypes(endianness="?"),
    npst.floating_dtypes(endianness="?"),
    npst.complex_number_dtypes(endianness="?"),
)
arrays = npst.arrays(dtypes, npst.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4)).flatmap(
    lambda array: st.sampled_from([array, array.T, array[..., :1] if array.ndim else array])
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40).filter(lambda text: text not in MARKERS)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(), texts, st.binary(max_size=40)
)
configs = st.builds(
    ModalityConfig,
    st.lists(st.integers(-100, 100), min_size=1, max_size=3),
    st.lists(texts, min_size=1, max_size=3, unique=True),
    st.none() | st.lists(texts, max_size=2),
)


def nested(leaves, keys=texts):
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=8
    )


messages = nested(scalars | arrays | configs)
# built of the protocol's own words, so that they get past the first check
near_misses = nested(
    scalars | st.sampled_from(MARKERS + WORDS) | st.lists(st.integers(-3, 9), max_size=3),
    st.sampled_from(MARKERS + WORDS) | texts,
)


@st.composite
def mutated_frames(draw):
    """Golden frames with some bytes changed, cut out or put in."""
    frame = bytearray(draw(st.sampled_from(FRAMES)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(frame) - 1, 0)))
        end = at + draw(st.integers(0, 4))
        frame[at:end] = draw(st.binary(max_size=4))
    return bytes(frame)


frames = st.one_of(st.binary(max_size=200), mutated_frames(), near_misses.map(msgpack.packb))


@FEW
@given(messages, st.sampled_from(Dialect))
def test_messages_come_back(message, dialect):
    back, _ = unpack(pack(message, dialect))
    assert repr(plain(back)) == repr(plain(message))  # by repr, as NaN is not itself


@FEW
@given(frames)
def test_frames_are_read_or_refused(frame):
    for numbers_only in (True, False):
        with contextlib.suppress(ProtocolError):
            unpack(frame, numbers_only=numbers_only)


@FEW
@given(near_misses)
def test_checks_pass_or_say_what_is_wrong(message):
    with contextlib.suppress(ContractError):
        message, _ = unpack(msgpack.packb(message))
    if isinstance(message, dict):
        for check in (
            lambda: check_observation(message, MODALITY),
            lambda: check_observation(unflatten_observation(message, MODALITY), MODALITY),
            lambda: check_action(unflatten_action(message), MODALITY, 2),
        ):
            with contextlib.suppress(ContractError):
                check()
    for read in (check_modality_configs, ModalityConfig.from_json):
        with contextlib.suppress(ContractError):
            read(message)


@pytest.fixture(scope="module")
def server_socket():
    """A REQ socket to one server that serves all examples."""
    import threading

    from groot_wrappers.protocol.server import PolicyServer

    with PolicyServer(ToyPolicy(), port=0) as server, zmq.Context() as context:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        with context.socket(zmq.REQ) as socket:
            socket.linger = 0
            socket.rcvtimeo = 5000
            socket.connect(server.endpoint)
            yield socket
        server.stop()
        thread.join(5)


def asked(socket, *parts):
    socket.send_multipart(parts)
    return unpack(socket.recv())[0]


requests = st.one_of(
    frames,
    near_misses.map(lambda value: msgpack.packb({"endpoint": "get_action", "data": value})),
    near_misses.map(lambda value: msgpack.packb({"endpoint": "get_action", "data": {"observation": value}})),
    near_misses.map(lambda value: msgpack.packb({"endpoint": "reset", "data": value})),
    messages.map(lambda value: pack({"endpoint": "reset", "data": {"options": value}}, Dialect.msgpack_numpy)),
)


@FEW
@given(st.lists(requests, min_size=1, max_size=3))
def test_the_server_answers_whatever_it_is_asked(server_socket, parts):
    asked(server_socket, *parts)
    assert asked(server_socket, pack({"endpoint": "ping"}, Dialect.npy))["status"] == "ok"


@FEW
@given(npst.arrays(st.sampled_from([np.uint8, np.float32, np.float64]), npst.array_shapes(max_dims=5, max_side=3)))
def test_the_server_answers_any_arrays(server_socket, array):
    seen = {"video": {"front": array}, "state": {"arm": array, "gripper": array}, "language": {}}
    request = {"endpoint": "get_action", "data": {"observation": seen, "options": None}}
    assert "error" in asked(server_socket, pack(request, Dialect.msgpack_numpy))
