"""A client as it is written by hand: ``msgpack`` with ``default`` and ``object_hook``, as GR00T's own reference has it.

``npy`` is ``np.save`` into a buffer (N1.6, the first N1.7), ``msgpack_numpy`` the envelope of the package of that
name (N1.7 since May 2026). It checks nothing, which is to its advantage.
"""

import io
from collections.abc import Callable
from typing import Any

import msgpack
import numpy as np
import zmq

from groot_wrappers.protocol.wire.codec import Dialect

__all__ = ["PlainClient", "plain_pack", "plain_unpack"]


def plain_pack(message: object, dialect: Dialect) -> bytes:
    """Return the frame of a message."""
    frame: bytes = msgpack.packb(message, default=_ENCODE[dialect])
    return frame


def plain_unpack(frame: bytes, dialect: Dialect) -> Any:
    """Return the message in a frame."""
    return msgpack.unpackb(frame, object_hook=_DECODE[dialect])


class PlainClient:
    """Asks a server on this machine.

    Args:
        port: Its port.
        dialect: Of the server.
    """

    def __init__(self, port: int, dialect: Dialect) -> None:
        self._dialect = dialect
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.REQ)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.RCVTIMEO, 30_000)  # an error, where a bench would hang
        self._socket.connect(f"tcp://127.0.0.1:{port}")

    def get_action(self, observation: dict[str, Any]) -> Any:
        """Return the server's reply to an observation."""
        data = {"observation": observation, "options": None}
        self._socket.send(plain_pack({"endpoint": "get_action", "data": data}, self._dialect))
        return plain_unpack(self._socket.recv(), self._dialect)

    def close(self) -> None:
        """Close the connection."""
        self._context.destroy(linger=0)


def _to_npy(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    output = io.BytesIO()
    np.save(output, value, allow_pickle=False)
    return {"__ndarray_class__": True, "as_npy": output.getvalue()}


def _from_npy(fields: dict[Any, Any]) -> Any:
    if "__ndarray_class__" not in fields:
        return fields
    return np.load(io.BytesIO(fields["as_npy"]), allow_pickle=False)


def _to_msgpack_numpy(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    data = value.data if value.flags["C_CONTIGUOUS"] else value.tobytes()
    return {b"nd": True, b"type": value.dtype.str, b"kind": b"", b"shape": value.shape, b"data": data}


def _from_msgpack_numpy(fields: dict[Any, Any]) -> Any:
    if fields.get(b"nd") is not True:
        return fields
    return np.ndarray(buffer=fields[b"data"], dtype=np.dtype(fields[b"type"]), shape=fields[b"shape"])


_ENCODE: dict[Dialect, Callable[[Any], Any]] = {Dialect.npy: _to_npy, Dialect.msgpack_numpy: _to_msgpack_numpy}
_DECODE: dict[Dialect, Callable[[dict[Any, Any]], Any]] = {
    Dialect.npy: _from_npy,
    Dialect.msgpack_numpy: _from_msgpack_numpy,
}
