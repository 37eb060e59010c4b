"""The protocol of openpi-client 0.1: msgpack over a WebSocket, arrays as maps of bytes, dtype and shape.

* ``Connection``: to one server, bounded in time and size.
* ``pack``, ``unpack``: a message. Nothing is unpickled, and arrays hold numbers alone.
"""

from __future__ import annotations

import contextlib
import math
import re
from typing import Any

import msgpack
import numpy as np

from groot_wrappers.errors import ContractError, ProtocolError, ServerError, ServerUnreachableError

__all__ = ["LARGEST", "Connection", "pack", "unpack"]

LARGEST = 1 << 24
"""Bytes of a reply: a chunk of actions has some thousand."""


_NUMBERS = re.compile(r"[<>|=]?[biuf][1248]")


def pack(message: dict[str, Any]) -> bytes:
    """Return a message as openpi-client packs it."""
    packed: bytes = msgpack.packb(message, default=_packed)
    return packed


def unpack(data: bytes) -> dict[str, Any]:
    """Return a message that was packed.

    Raises:
        ProtocolError: It is none, or holds an array of anything but numbers.
    """
    try:
        message = msgpack.unpackb(data, object_hook=_unpacked, strict_map_key=False)
    except (ValueError, TypeError, KeyError, msgpack.UnpackException) as error:
        raise ProtocolError(f"the openpi server sent what is no message of openpi-client: {error}"[:300]) from error
    if not isinstance(message, dict):
        raise ProtocolError(f"the openpi server sent a {type(message).__name__} where a dict was expected")
    return message


class Connection:
    """A connection to a server, which greets with its metadata.

    Args:
        host: Name or address.
        port: Of the server.
        timeout_s: The longest wait for an answer.

    Raises:
        ContractError: The package websockets is not installed.
        ServerUnreachableError: Nobody answers there.
    """

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        try:
            from websockets.sync.client import connect  # noqa: PLC0415  # of an extra
        except ImportError as error:
            raise ContractError(
                "policy=openpi needs the package websockets: pip install 'gr00t-isaaclab[openpi]'"
            ) from error
        self._open = contextlib.ExitStack()
        self._where, self._timeout_s = f"ws://{host}:{port}", timeout_s
        try:
            self._socket = self._open.enter_context(
                connect(
                    self._where, compression=None, max_size=LARGEST, open_timeout=timeout_s, close_timeout=1, proxy=None
                )
            )
        except (OSError, TimeoutError, ValueError) as error:
            raise self._unreachable(error) from error
        except Exception as error:  # websockets' own, of a server that speaks something else
            raise ProtocolError(f"{self._where} answers, but not as an openpi server: {error}"[:300]) from error
        self.metadata = unpack(self._received())

    def ask(self, observation: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to one observation.

        Raises:
            ServerError: The server's policy raised.
            ServerUnreachableError: It does not answer in time, or is gone.
            ProtocolError: The answer is none.
        """
        from websockets.exceptions import ConnectionClosed  # noqa: PLC0415

        try:
            self._socket.send(pack(observation))
        except (ConnectionClosed, OSError) as error:
            raise self._unreachable(error) from error
        return unpack(self._received())

    def close(self) -> None:
        """End the connection."""
        self._open.close()

    def _received(self) -> bytes:
        from websockets.exceptions import ConnectionClosed  # noqa: PLC0415

        try:
            data: str | bytes = self._socket.recv(timeout=self._timeout_s)
        except (ConnectionClosed, OSError) as error:
            self.close()
            raise self._unreachable(error) from error
        if isinstance(data, str):  # a traceback of the server's
            self.close()
            raise ServerError(f"the openpi server at {self._where} failed: {data.strip()[-500:]}")
        return data

    def _unreachable(self, error: Exception) -> ServerUnreachableError:
        return ServerUnreachableError(
            f"no openpi server answers at {self._where} within {self._timeout_s:g} s "
            f"({type(error).__name__}: {error}). Start it (uv run scripts/serve_policy.py), or name another by "
            "policy.host and policy.port; policy.timeout_s is the longest wait"
        )


def _packed(value: object) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufU":
        return {b"__ndarray__": True, b"data": value.tobytes(), b"dtype": value.dtype.str, b"shape": value.shape}
    raise TypeError(f"{type(value).__name__} cannot be sent to an openpi server")


def _unpacked(value: dict[Any, Any]) -> Any:
    is_array = b"__ndarray__" in value
    if not is_array and b"__npgeneric__" not in value:
        return value
    name = str(value[b"dtype"])
    if not _NUMBERS.fullmatch(name):
        raise ValueError(f"an array of dtype {name:.20}, which holds no numbers")
    dtype = np.dtype(name)
    if not is_array:
        return dtype.type(value[b"data"])
    shape, data = tuple(value[b"shape"]), value[b"data"]
    if not all(type(n) is int and n >= 0 for n in shape) or math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError(f"an array of shape {shape} and dtype {dtype} in {len(data)} bytes")
    return np.frombuffer(data, dtype).reshape(shape)
