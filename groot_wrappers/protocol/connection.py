"""One request, one reply over ZeroMQ, never waiting without end.

* ``tcp_endpoint``: host and port, checked, as ZeroMQ writes them.
* ``Connection``: a REQ socket that is made anew after every failure and knows why no reply came.
* ``NoReplyError``: how long it waited, and why in vain.
"""

from __future__ import annotations

import ipaddress
import re
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import zmq
from zmq.utils.monitor import recv_monitor_message

from groot_wrappers.errors import Gr00tError, ProtocolError
from groot_wrappers.protocol.host_names import why_unknown
from groot_wrappers.protocol.wire.send_buffer import Outbox, Piece

__all__ = ["MAX_MESSAGE_BYTES", "Connection", "NoReplyError", "tcp_endpoint"]

MAX_MESSAGE_BYTES = 1 << 29
"""512 MiB: 64 envs with two views of 512 pixels and 5 frames of history take half of it."""

_HOST_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})")
_TICK_S = 1.0
_RETURN_S = 5.0  # for a server that went away between two calls: one that is started again is back by then, or not soon
_GRACE_MS = 50  # a reply that was read just before its connection closed

_READABLE = int(zmq.POLLIN)  # as an int: the arithmetic of enums is slow

_ABSENT, _CONNECTED, _GREETED, _CLOSED = range(4)
_REASONS = {
    _ABSENT: "nobody listens there",
    _CONNECTED: "something accepts connections there, but does not speak ZeroMQ (another program, or a halted server)",
    _GREETED: "the server is there, but is busy or stuck",
    _CLOSED: "the connection broke: the server died or was restarted, or a message was too large",
}
_EVENTS = {
    zmq.Event.CONNECTED: _CONNECTED,
    zmq.Event.HANDSHAKE_SUCCEEDED: _GREETED,
    zmq.Event.HANDSHAKE_FAILED_NO_DETAIL: _CONNECTED,
    zmq.Event.HANDSHAKE_FAILED_PROTOCOL: _CONNECTED,
    zmq.Event.DISCONNECTED: _CLOSED,
}


class NoReplyError(Exception):
    """No reply came.

    Attributes:
        waited_s: seconds since the request was given to the socket.
        closed: whether the server closed the connection in the middle, rather than the time ran out.
        unknown_host: whether the host's name leads nowhere.
    """

    def __init__(self, waited_s: float, state: int, unknown_host: str | None = None) -> None:
        super().__init__(unknown_host or _REASONS[state])
        self.waited_s = waited_s
        self.closed = state == _CLOSED
        self.unknown_host = unknown_host is not None


def tcp_endpoint(host: str, port: int, *, bind: bool = False) -> str:
    """Return ``tcp://host:port``; IPv6 addresses come with or without brackets.

    Args:
        host: a name or an address; ``*`` too where ``bind`` is set.
        port: 1 to 65535; where ``bind`` is set, 0 means any that is free.
        bind: whether it is to be listened on.

    Raises:
        Gr00tError: one of them cannot be right; it names which and says how to write it.
    """
    if isinstance(port, bool) or not isinstance(port, int) or not (0 if bind else 1) <= port <= 65535:
        raise Gr00tError(f"`port` must be a whole number from {0 if bind else 1} to 65535, got {port!r}")
    written = f"tcp://%s:{port or '*'}"
    if bind and host == "*":
        return written % host
    bare = host[1:-1] if isinstance(host, str) and host.startswith("[") and host.endswith("]") else host
    if isinstance(bare, str) and ":" in bare:
        try:
            return written % f"[{ipaddress.IPv6Address(bare)}]"
        except ValueError:
            pass  # a URL or host:port, told below
    elif isinstance(host, str) and _HOST_NAME.fullmatch(host):
        return written % host
    raise Gr00tError(
        f"`host` must be a bare name or address such as 10.0.0.7, got {host!r}; "
        "the port is a setting of its own: `host`=10.0.0.7 `port`=5555"
    )


class Connection:
    """A REQ socket to one endpoint, opened when first used. Not thread-safe, but for ``close``.

    A REQ socket whose reply never came can neither send nor receive, and one that lingers keeps a process from ending:
    so any failure, an interrupt of the caller too, drops the socket with what it holds, and the next request opens
    another.

    Args:
        endpoint: as ``tcp_endpoint`` writes it.
        max_message_bytes: a larger reply is refused, by closing the connection.
    """

    def __init__(self, endpoint: str, max_message_bytes: int = MAX_MESSAGE_BYTES) -> None:
        self._endpoint = endpoint
        self._host = endpoint.removeprefix("tcp://").rpartition(":")[0].strip("[]")
        self._max_message_bytes = max_message_bytes
        self._context: zmq.Context[zmq.Socket[bytes]] | None = zmq.Context()
        self._context.setsockopt(zmq.LINGER, 0)  # of every socket: what is not sent yet holds up no exit
        self._socket: zmq.Socket[bytes] | None = None
        self._outbox = Outbox()
        self._in_use = threading.RLock()  # re-entered where a signal handler closes what it has interrupted
        self._closing = False
        self._monitor: Any = None
        self._state = _ABSENT

    def request(
        self, pieces: Sequence[Piece], timeout_s: float, on_tick: Callable[[float], object] | None = None
    ) -> tuple[int, memoryview]:
        """Send one frame and return its size in bytes and the frame that answers it.

        The request waits in the socket for a server that does not listen yet.

        Args:
            pieces: of the frame to send.
            timeout_s: seconds to wait.
            on_tick: called about once a second with the seconds waited.

        Raises:
            NoReplyError: the time ran out, or the server closed the connection.
            ProtocolError: the reply has several frames.
            Gr00tError: the connection was closed.
        """
        with self._in_use:
            try:
                socket = self._open_socket()
                frame = self._outbox.fill(pieces)
                reply = self._exchange(socket, frame, timeout_s, on_tick)
                others = socket.recv_multipart() if reply.more else []
            except BaseException:
                self._drop_socket()
                raise
        if others:
            raise ProtocolError(f"the reply came in {1 + len(others)} frames, where the GR00T protocol has one")
        return len(frame), reply.buffer

    def close(self) -> None:
        """Close the socket, dropping what it holds; more than once does no harm.

        A request that waits in another thread notices within a second, and ends first.
        """
        self._closing = True
        with self._in_use:
            self._drop_socket()
            if self._context is not None:
                self._context.destroy(linger=0)
                self._context = None

    def _exchange(
        self,
        socket: zmq.Socket[bytes],
        frame: zmq.Frame,
        timeout_s: float,
        on_tick: Callable[[float], object] | None,
    ) -> zmq.Frame:
        """Send a frame and return the first of those that answer it."""
        self._read_events()
        lost = self._state == _CLOSED  # between two calls: ZeroMQ connects again by itself
        if lost:
            self._state = _ABSENT
        start = time.monotonic()
        socket.send(frame, copy=False)
        self._wait(socket, start, timeout_s, on_tick, lost)
        return socket.recv(copy=False)

    def _wait(
        self,
        socket: zmq.Socket[bytes],
        start: float,
        timeout_s: float,
        on_tick: Callable[[float], object] | None,
        lost: bool,
    ) -> None:
        """Return once there is something to receive."""
        next_tick = _TICK_S
        while True:
            if self._closing:
                raise self._was_closed()
            waited = time.monotonic() - start
            if waited >= timeout_s:
                raise NoReplyError(waited, self._state, why_unknown(self._host) if self._state == _ABSENT else None)
            if lost and waited >= _RETURN_S and self._state == _ABSENT:
                raise NoReplyError(waited, _CLOSED)
            if waited >= next_tick:
                next_tick += _TICK_S
                if on_tick is not None:
                    on_tick(waited)
            ready = dict(self._poller.poll(int(1e3 * max(0.0, min(timeout_s, next_tick) - waited)) + 1))
            if socket in ready:
                return
            self._read_events()
            if self._state == _CLOSED:  # the reply is lost with the connection; a new one would wait in vain
                if socket.poll(_GRACE_MS):
                    return
                raise NoReplyError(time.monotonic() - start, _CLOSED)

    def _read_events(self) -> None:
        """Follow the connection's state, from its monitor."""
        while self._monitor.getsockopt(zmq.EVENTS) & _READABLE:
            event = recv_monitor_message(self._monitor)["event"]
            state = _EVENTS.get(event, self._state)
            # Without a greeting before it, a closed connection is a tunnel or a proxy whose server is not up yet.
            self._state = _CONNECTED if state == _CLOSED and self._state != _GREETED else state

    def _open_socket(self) -> zmq.Socket[bytes]:
        if self._context is None:
            raise self._was_closed()
        if self._socket is None:
            socket = self._context.socket(zmq.REQ)
            socket.setsockopt(zmq.MAXMSGSIZE, self._max_message_bytes)
            socket.setsockopt(zmq.IPV6, int("[" in self._endpoint))
            self._monitor = socket.get_monitor_socket(sum(_EVENTS))
            self._state = _ABSENT
            self._poller = zmq.Poller()
            self._poller.register(socket, zmq.POLLIN)
            self._poller.register(self._monitor, zmq.POLLIN)
            socket.connect(self._endpoint)
            self._socket = socket
        return self._socket

    def _was_closed(self) -> Gr00tError:
        return Gr00tError(f"the connection to {self._endpoint} was closed; make another client")

    def _drop_socket(self) -> None:
        if self._socket is not None:
            self._socket.disable_monitor()
            self._monitor.close(linger=0)
            self._socket.close(linger=0)
            self._socket = None
            self._outbox = Outbox()  # what is in the old one may still be on its way
