"""Layouts: a frame that is read by what is known of one before gives what it gives when it is read alone."""

import msgpack
import numpy as np
import pytest
from hypothesis import given

from groot_wrappers.errors import ProtocolError
from groot_wrappers.protocol.wire import frame_template
from groot_wrappers.protocol.wire.codec import Dialect, pack, unpack
from tests.groot_wrappers.protocol.test_fuzzing import FEW, FRAMES, messages, mutated_frames
from tests.groot_wrappers.protocol.wire.test_codec import naive, plain


@pytest.fixture(autouse=True)
def nothing_known():
    frame_template._known.clear()


def message(value=0, text="pick", dtype=np.float32, shape=(2, 3)):
    return {"state": {"arm": np.full(shape, value, dtype), "hand": np.full(5, value + 1)}, "language": [[text]]}


def outcome(frame):
    """What reading a frame gives, as something that can be compared; NaN is not itself, its repr is."""
    try:
        read, dialect = unpack(frame)
    except ProtocolError as error:
        return str(error)
    return repr(plain(read)), dialect


@pytest.mark.parametrize("dialect", Dialect)
class TestAFrameLikeOneBefore:
    def test_is_not_parsed_and_has_its_own_values(self, dialect, monkeypatch):
        first, _ = unpack(pack(message(1), dialect))
        monkeypatch.setattr("groot_wrappers.protocol.wire.msgpack_reader.read", None)
        second, seen = unpack(pack(message(7), dialect))
        assert plain(first) == plain(message(1))
        assert plain(second) == plain(message(7))
        assert seen is dialect
        assert not second["state"]["arm"].flags.writeable
        assert second["state"]["arm"].flags.aligned

    def test_shares_nothing_that_can_be_changed(self, dialect):
        first, _ = unpack(pack(message(), dialect))
        first["state"].clear()
        first["language"][0].append("and drop it")
        assert plain(unpack(pack(message(), dialect))[0]) == plain(message())

    @pytest.mark.parametrize(
        "other",
        [message(text="lift"), message(dtype=np.int32), message(shape=(3, 2)), message(dtype=">f4")],
        ids=["text", "dtype", "shape", "byte order"],
    )
    def test_but_for_what_it_says_is_read_anew(self, dialect, other):
        unpack(pack(message(), dialect))
        assert len(pack(other, dialect)) == len(pack(message(), dialect))
        assert plain(unpack(pack(other, dialect))[0]) == plain(other)


@FEW
@given(mutated_frames())
def test_whatever_was_read_before_changes_nothing(frame):
    frame_template._known.clear()
    alone = outcome(frame)
    for known in (*FRAMES, frame):
        outcome(known)
        assert outcome(frame) == alone


@FEW
@given(messages)
def test_messages_come_back_twice(value):
    frame = pack(value, Dialect.npy)
    assert outcome(frame) == outcome(frame) == (repr(plain(value)), outcome(frame)[1])


def test_few_and_small_ones_are_kept():
    for size in range(100):
        unpack(pack([np.zeros(size, np.uint8)], Dialect.npy))
    assert 0 < len(frame_template._known) <= 8
    frame_template._known.clear()
    unpack(pack([np.zeros(3), "x" * 70_000], Dialect.npy))
    unpack(pack({"status": "ok"}, Dialect.npy))
    assert not frame_template._known


def test_an_array_before_the_marker_of_its_map_is_found():
    marker_last = {key: naive(np.arange(4.0))[key] for key in ("as_npy", "__ndarray_class__")}
    for values in (np.arange(4.0), np.arange(4.0) + 3):
        frame = msgpack.packb([marker_last | {"as_npy": naive(values)["as_npy"]}, 5])
        assert plain(unpack(frame)[0]) == plain([values, 5])
