"""A server for any policy on GR00T's own protocol.

* ``Policy``: what a policy must be able to do.
* ``PolicyServer``: answers ping, get_modality_config, get_action, reset and, if allowed, kill; one request at a time.

It checks as strictly as the real server, and no request, however malformed, ends it or goes without a reply.
"""

from __future__ import annotations

import contextlib
import errno
from types import TracebackType
from typing import TYPE_CHECKING

import zmq

from groot_wrappers.errors import ContractError, Gr00tError
from groot_wrappers.modality import ObservationForm
from groot_wrappers.protocol.answers import Answers, Policy
from groot_wrappers.protocol.connection import MAX_MESSAGE_BYTES, tcp_endpoint
from groot_wrappers.protocol.host_names import why_unknown
from groot_wrappers.protocol.joined_serving import JoinedServing, split_route
from groot_wrappers.protocol.offer import JOINED_BATCHES, batch_sizes_of
from groot_wrappers.protocol.wire.codec import Dialect

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Policy", "PolicyServer"]

_STOP_MS = 50  # between two looks at whether to stop, where no request comes
_LINGER_MS = 1000  # for the reply to kill
_QUEUE = 4  # requests held for one client; one that keeps to the protocol never has two


class PolicyServer:
    """Serves one policy, one request at a time, in the thread that calls ``serve_forever``.

    Of a policy with ``JOINED_BATCHES`` (``groot_wrappers.protocol.offer``) the requests of several clients that wait
    are asked at once, in that thread, while another one reads and writes.

    Example:
        >>> class StandStill:
        ...     def get_modality_config(self):
        ...         keys = ("arm",)
        ...         return {"state": ModalityConfig((0,), keys), "action": ModalityConfig(range(16), keys)}
        ...
        ...     def get_action(self, observation, options):
        ...         return {"arm": observation["state"]["arm"].repeat(16, axis=1)}, {}
        ...
        ...     def reset(self, options):
        ...         return {}
        >>> with PolicyServer(StandStill(), port=0) as server:
        ...     print(f"Listening on {server.endpoint}")
        ...     server.serve_forever()  # doctest: +SKIP
        Listening on tcp://127.0.0.1:...

    Args:
        policy: the policy.
        host: address to listen on; ``*`` is all of them. Who can reach it can use it, so it is this machine alone.
        port: 0 is any that is free; ``port`` tells which.
        dialect: of arrays and modality configs; requests in the other one are refused.
        observation_form: "nested", or "flat" as a server with ``--use-sim-policy-wrapper``.
        api_token: demanded of each request if not empty.
        allow_kill: whether a client may end the server.
        max_message_bytes: a larger request closes its connection.

    Raises:
        Gr00tError: an argument cannot be right, or the port is taken.
        ContractError: the policy's modality configs do not fit.
    """

    def __init__(
        self,
        policy: Policy,
        host: str = "127.0.0.1",
        port: int = 5555,
        *,
        dialect: Dialect = Dialect.msgpack_numpy,
        observation_form: str = ObservationForm.nested,
        api_token: str | None = None,
        allow_kill: bool = False,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
    ) -> None:
        wanted = tcp_endpoint(host, port, bind=True)
        self._dialect = Dialect(dialect)
        self._allow_kill = allow_kill
        self._answers = Answers(
            policy,
            dialect=self._dialect,
            observation_form=ObservationForm(observation_form),
            api_token=api_token,
            kill=self._kill,
        )
        self._most_rows = batch_sizes_of(policy)[-1] if JOINED_BATCHES in self._answers.offer.capabilities else None
        self._stopping = False
        self._context = zmq.Context()
        # Not REP, which drops a request that is cut wrongly without a word and can be wedged by a lost client.
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.MAXMSGSIZE, max_message_bytes)
        self._socket.setsockopt(zmq.RCVHWM, _QUEUE)
        self._socket.setsockopt(zmq.RCVTIMEO, _STOP_MS)
        self._socket.setsockopt(zmq.IPV6, int("[" in wanted))
        try:
            self._socket.bind(wanted)
        except zmq.ZMQError as error:
            self.close()
            unknown = why_unknown(host.strip("[]")) if error.errno == errno.ENODEV else None
            raise Gr00tError(
                f"cannot listen on {wanted}: {unknown or error.strerror}. Choose another port (port=0 is any that is "
                "free), or an address of this machine as host"
            ) from error
        self.endpoint: str = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)
        self.port = int(self.endpoint.rpartition(":")[2])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def serve_forever(self) -> None:
        """Answer requests until ``stop`` or an allowed kill; a KeyboardInterrupt goes through."""
        if self._most_rows is not None:
            JoinedServing(
                self._socket,
                self._answers,
                dialect=self._dialect,
                most_rows=self._most_rows,
                is_stopping=lambda: self._stopping,
            ).run()
        while not self._stopping:
            with contextlib.suppress(zmq.Again):
                route, body = split_route(self._socket.recv_multipart(copy=False))
                self._socket.send_multipart([*route, self._answers.answer(body)], copy=False)

    def stop(self) -> None:
        """Let ``serve_forever`` return soon after the request at hand; for any thread and for signal handlers."""
        self._stopping = True

    def close(self) -> None:
        """Free the port; more than once does no harm. For the thread that served."""
        self._stopping = True
        self._context.destroy(linger=_LINGER_MS)

    def _kill(self) -> None:
        if not self._allow_kill:
            raise ContractError("kill is refused; start the server with allow_kill=true, or end it where it runs")
        self._stopping = True
