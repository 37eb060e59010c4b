"""A server for any policy on GR00T's own protocol.

* ``Policy``: what a policy must be able to do.
* ``PolicyServer``: answers ping, get_modality_config, get_action, reset and, if allowed, kill; one request at a time.

It checks as strictly as the real server (``gr00t/policy/gr00t_policy.py``, ``gr00t/policy/server_client.py``), and no
request, however malformed, ends it or goes without a reply.
"""

from __future__ import annotations

import contextlib
import errno
import hmac
import logging
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

import zmq

from groot_wrappers.errors import ContractError, Gr00tError, ProtocolError
from groot_wrappers.modality import ModalityConfigs, ObservationForm, check_modality_configs
from groot_wrappers.observation_checks import check_action, check_observation
from groot_wrappers.protocol.connection import MAX_MESSAGE_BYTES, tcp_endpoint
from groot_wrappers.protocol.flat_form import flatten_action, unflatten_observation
from groot_wrappers.protocol.host_names import why_unknown
from groot_wrappers.protocol.wire.codec import Dialect, pack, unpack
from groot_wrappers.protocol.wire.texts import with_texts

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Policy", "PolicyServer"]

logger = logging.getLogger(__name__)

_STOP_MS = 50  # between two looks at whether to stop, where no request comes
_LINGER_MS = 1000  # for the reply to kill
_QUEUE = 4  # requests held for one client; one that keeps to the protocol never has two
_MAX_TOLD = 2000
_UNAUTHORIZED = "Unauthorized: Invalid API token"


class Policy(Protocol):
    """What a server can serve."""

    def get_modality_config(self) -> ModalityConfigs:
        """Return what the policy wants and gives; asked once, when the server starts."""

    def get_action(
        self, observation: dict[str, Any], options: dict[str, Any] | None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return a chunk of actions.

        Args:
            observation: nested form and checked: ``{"video": {k: uint8 (B, T, H, W, 3)}, "state": {k: float32
                (B, T, D)}, "language": {k: [[str]] * B}}``; arrays are read-only.
            options: whatever the client gives, or None.

        Returns:
            action: ``{k: float32 (B, T_action, D)}``, keys without prefix.
            info: anything that a message can hold; arrays of text are sent as lists of str.
        """

    def reset(self, options: dict[str, Any] | None) -> dict[str, Any]:
        """Forget what happened so far; return what the client may want to know."""


class PolicyServer:
    """Serves one policy, one request at a time, in the thread that calls ``serve_forever``.

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
        self._policy = policy
        self._modality = check_modality_configs(policy.get_modality_config())
        self._dialect = Dialect(dialect)
        self._observation_form = ObservationForm(observation_form)
        self._token = api_token.encode(errors="surrogateescape") if api_token else None
        self._allow_kill = allow_kill
        self._endpoints: dict[str, Callable[[dict[str, Any]], object]] = {
            "get_action": self._get_action,
            "get_modality_config": lambda _: self._modality,
            "kill": self._kill,
            "ping": lambda _: {"status": "ok", "message": "Server is running"},
            "reset": self._reset,
        }
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
        while not self._stopping:
            with contextlib.suppress(zmq.Again):
                route, body = _split(self._socket.recv_multipart(copy=False))
                self._socket.send_multipart([*route, self._answer(body)], copy=False)

    def stop(self) -> None:
        """Let ``serve_forever`` return soon after the request at hand; for any thread and for signal handlers."""
        self._stopping = True

    def close(self) -> None:
        """Free the port; more than once does no harm. For the thread that served."""
        self._stopping = True
        self._context.destroy(linger=_LINGER_MS)

    def _answer(self, body: Sequence[zmq.Frame]) -> bytes:
        """Return the frame that answers a request, an error if need be."""
        try:
            if len(body) != 1:
                raise ProtocolError(f"a request must be one frame, got {len(body)}")
            request, dialect = unpack(body[0].buffer)
            if not isinstance(request, dict):
                raise ProtocolError(f"a request must be a map with an 'endpoint', got a {type(request).__name__}")
            if not self._is_authorized(request.get("api_token")):
                return self._error(_UNAUTHORIZED)
            if dialect not in (None, self._dialect):
                raise ContractError(
                    f"the request's arrays are in the dialect {dialect.description}, "
                    f"this server speaks {self._dialect.description}. "
                    f"Send that one, or start the server with dialect={dialect}"
                )
            return pack(self._result(request), self._dialect)
        except ContractError as error:
            logger.warning("Refused a request: %s", error)
            return self._error(str(error))
        except Exception as error:
            logger.exception("A request failed in the policy")
            return self._error(f"{type(error).__name__}: {error}")

    def _error(self, text: str) -> bytes:
        readable = text[:_MAX_TOLD].encode(errors="replace").decode()
        return pack({"error": readable}, self._dialect)

    def _is_authorized(self, token: object) -> bool:
        if self._token is None:
            return True
        return isinstance(token, str) and hmac.compare_digest(token.encode(), self._token)

    def _result(self, request: dict[str, Any]) -> object:
        endpoint = request.get("endpoint", "get_action")  # as the real server has it
        if not isinstance(endpoint, str) or endpoint not in self._endpoints:
            raise ContractError(f"Unknown endpoint: {endpoint!r:.80}. This server has: {', '.join(self._endpoints)}")
        data = request.get("data")
        if not isinstance(data, dict | None):
            raise ContractError(f"the 'data' of {endpoint} must be a map, got a {type(data).__name__}")
        return self._endpoints[endpoint](data or {})

    def _get_action(self, data: dict[str, Any]) -> object:
        observation = data.get("observation")
        if not isinstance(observation, dict):
            raise ContractError(
                f"get_action's 'observation' must be a map, got a {type(observation).__name__}; "
                "send data={'observation': ..., 'options': ...}"
            )
        options = self._options("get_action", data, {"observation", "options"})
        if self._observation_form is ObservationForm.flat:
            observation = unflatten_observation(observation, self._modality)
        batch = check_observation(observation, self._modality)
        answer = self._policy.get_action(observation, options)
        try:
            action, info = answer
        except (TypeError, ValueError) as error:
            raise ContractError(
                f"the policy's get_action must return (action, info), got a {type(answer).__name__}"
            ) from error
        if not isinstance(action, dict) or not isinstance(info, dict):
            raise ContractError(
                "the policy's get_action must return (action, info), two dicts, "
                f"got ({type(action).__name__}, {type(info).__name__})"
            )
        try:
            check_action(action, self._modality, batch)
        except ContractError as error:
            raise ContractError(f"the policy's action is not what its modality config promises: {error}") from error
        return [flatten_action(action) if self._observation_form is ObservationForm.flat else action, with_texts(info)]

    def _reset(self, data: dict[str, Any]) -> object:
        told = self._policy.reset(self._options("reset", data, {"options"}))
        if not isinstance(told, dict):
            raise ContractError(f"the policy's reset must return a dict, got a {type(told).__name__}")
        return with_texts(told)

    def _kill(self, _: dict[str, Any]) -> None:
        if not self._allow_kill:
            raise ContractError("kill is refused; start the server with allow_kill=true, or end it where it runs")
        self._stopping = True

    @staticmethod
    def _options(endpoint: str, data: dict[str, Any], known: set[str]) -> dict[str, Any] | None:
        if set(data) - known:
            raise ContractError(f"{endpoint} takes {sorted(known)} as data, got {sorted(map(str, data))}")
        options = data.get("options")
        if not isinstance(options, dict | None):
            raise ContractError(f"{endpoint}'s 'options' must be a map or nil, got a {type(options).__name__}")
        return options


def _split(parts: list[zmq.Frame]) -> tuple[list[bytes], list[zmq.Frame]]:
    """Part the route of a request, which its reply takes back, from its body.

    A REQ socket writes [identity, empty, body]; a socket of another kind may leave out the empty frame.
    """
    for index in range(1, len(parts)):
        if not len(parts[index]):
            return [part.bytes for part in parts[: index + 1]], parts[index + 1 :]
    return [part.bytes for part in parts[:1]], parts[1:]
