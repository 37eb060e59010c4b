"""The outbox: the frames that it fills are their pieces, whatever came before."""

import numpy as np
import pytest
import zmq

from groot_wrappers.protocol.connection import Connection, NoReplyError
from groot_wrappers.protocol.wire.codec import Dialect, pack, pieces_of
from groot_wrappers.protocol.wire.send_buffer import Outbox
from tests.support.servers.fixtures import free_port


def message(value, pixels=200):
    picture = np.full((2, pixels, pixels, 3), value, np.uint8)
    return {
        "picture": picture,
        "turned": picture[..., 0].T,
        "state": np.full(3, value, np.float32),
        "none": np.zeros(0),
    }


@pytest.mark.parametrize("dialect", Dialect)
class TestFrames:
    def test_are_the_pieces_together(self, dialect):
        outbox = Outbox()
        for value, pixels in ((1, 200), (2, 200), (3, 200), (4, 3), (5, 201), (6, 200)):
            frame = outbox.fill(pieces_of(message(value, pixels), dialect))
            assert frame.buffer == pack(message(value, pixels), dialect)

    def test_of_one_size_lie_in_the_same_memory(self, dialect):
        outbox = Outbox()
        places = set()
        for value in range(3):
            frame = outbox.fill(pieces_of(message(value), dialect))
            places.add(np.frombuffer(frame.buffer, np.uint8).ctypes.data)
        assert len(places) == 1

    def test_of_another_size_leave_those_on_their_way_alone(self, dialect):
        outbox = Outbox()
        with zmq.Context() as context, context.socket(zmq.PAIR) as here, context.socket(zmq.PAIR) as there:
            here.bind("inproc://frames")
            there.connect("inproc://frames")
            for value, pixels in ((1, 200), (2, 201), (3, 200)):
                here.send(outbox.fill(pieces_of(message(value, pixels), dialect)), copy=False)
            received = [there.recv() for _ in range(3)]
        assert received == [pack(message(1), dialect), pack(message(2, 201), dialect), pack(message(3), dialect)]


def test_it_is_left_behind_with_a_request_that_failed():
    connection = Connection(f"tcp://127.0.0.1:{free_port()}")
    outboxes = set()
    for value in range(2):
        outboxes.add(connection._outbox)
        with pytest.raises(NoReplyError):
            connection.request(pieces_of(message(value), Dialect.npy), 0.05)
    assert connection._outbox not in outboxes
    assert len(outboxes) == 2
    connection.close()
