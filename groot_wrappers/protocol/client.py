"""The client of a GR00T policy server: ``PolicyClient``.

Free of torch and of the simulator. The protocol is that of ``gr00t/policy/server_client.py`` (Isaac-GR00T N1.6, N1.7).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from groot_wrappers.errors import ContractError, Gr00tError, ProtocolError, ServerError, ServerUnreachableError
from groot_wrappers.modality import (
    SUPPORTED,
    ModalityConfigs,
    ObservationForm,
    check_modality_configs,
    config_differences,
)
from groot_wrappers.observation_checks import check_action, check_observation, select_modalities
from groot_wrappers.protocol.call_failures import CallFailures
from groot_wrappers.protocol.client_interface import ClientStats
from groot_wrappers.protocol.connection import MAX_MESSAGE_BYTES, Connection, NoReplyError, tcp_endpoint
from groot_wrappers.protocol.flat_form import flatten_observation, unflatten_action
from groot_wrappers.protocol.offer import ROW_NOISE, PolicyOffer, check_row_noise, offer_differences, offer_in
from groot_wrappers.protocol.wire.codec import Dialect, pieces_of, unpack

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["PolicyClient"]

_RETRY_S = 0.2


class PolicyClient:
    """Asks a GR00T policy server, in the dialect that its modality configs come in. Not thread-safe, but for ``close``.

    Example:
        With a server at ``port`` of this machine, and an observation of four envs:

        >>> with PolicyClient("localhost", port, connect_timeout_s=300) as client:
        ...     client.wait_until_ready()
        ...     client.get_modality_config()["action"].modality_keys
        ...     action, info = client.get_action(observation)
        ('joints',)
        >>> action["joints"].shape  # (B, T_action, D)
        (4, 8, 2)

    Args:
        host: name or address of the server.
        port: its port.
        api_token: sent with each request if not empty; never shown.
        observation_form: "nested", or "flat" for a server started with ``--use-sim-policy-wrapper``.
        connect_timeout_s: seconds that ``wait_until_ready`` waits; a model may need minutes to load.
        timeout_s: seconds that any other call waits.
        max_message_bytes: a larger reply closes the connection.
        on_wait: called about once a second by ``wait_until_ready``, with the seconds waited.

    Raises:
        Gr00tError: an argument cannot be right.
    """

    def __init__(
        self,
        host: str = "localhost",
        port: int = 5555,
        *,
        api_token: str | None = None,
        observation_form: str = ObservationForm.nested,
        connect_timeout_s: float = 30.0,
        timeout_s: float = 60.0,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
        on_wait: Callable[[float], object] | None = None,
    ) -> None:
        self.endpoint = tcp_endpoint(host, port)
        for name, value in (("connect_timeout_s", connect_timeout_s), ("timeout_s", timeout_s)):
            if not 0 < value < float("inf"):
                raise Gr00tError(f"`{name}` must be positive and finite seconds, got {value!r}")
        self.stats = ClientStats()
        self._api_token = api_token
        self._observation_form = ObservationForm(observation_form)
        self._connect_timeout_s = connect_timeout_s
        self._timeout_s = timeout_s
        self._on_wait = on_wait
        self._failures = CallFailures(
            self._server,
            port,
            api_token=api_token,
            observation_form=self._observation_form,
            connect_timeout_s=connect_timeout_s,
            timeout_s=timeout_s,
        )
        self._connection = Connection(self.endpoint, max_message_bytes)
        self._modality: ModalityConfigs | None = None
        self._agreed: ModalityConfigs | None = None  # what the server said first: a restart changes nothing of it
        self._dialect: Dialect | None = None
        self._offer: PolicyOffer | None = None  # likewise

    def __repr__(self) -> str:
        return f"PolicyClient({self.endpoint!r}, observation_form='{self._observation_form}')"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; more than once does no harm. An open client does not keep a process from ending.

        What another thread is waiting for raises a Gr00tError within a second.
        """
        self._connection.close()

    def wait_until_ready(self) -> None:
        """Ping until the server answers, which may be still loading its model.

        Raises:
            ServerUnreachableError: nobody answered within ``connect_timeout_s``.
            ServerError: the token is wrong.
            ProtocolError: who answers is not a GR00T server.
            ContractError: the policy is another than the one that answered before.
        """
        start = time.monotonic()

        def tick(_: float) -> None:
            if self._on_wait is not None:
                self._on_wait(time.monotonic() - start)

        while True:
            left = self._connect_timeout_s - (time.monotonic() - start)
            try:
                reply, _ = self._exchange("ping", None, max(left, 0.0), tick)
            except NoReplyError as error:
                waited = time.monotonic() - start
                if error.closed and waited + _RETRY_S < self._connect_timeout_s:
                    time.sleep(_RETRY_S)  # it is being restarted
                    continue
                raise ServerUnreachableError(self._failures.failed_to_connect(error, waited)) from None
            self._take_offer(reply)
            return

    def ping(self) -> dict[str, Any]:
        """Return the server's ``{"status": "ok", "message": ...}``.

        Raises:
            ServerUnreachableError: no answer within ``timeout_s``.
        """
        reply: dict[str, Any] = self._call("ping")
        return reply

    def get_modality_config(self) -> ModalityConfigs:
        """Return what the server wants and gives, asked once; it tells the dialect too.

        Raises:
            ServerUnreachableError: no answer within ``timeout_s``.
            ServerError: the server refused.
            ContractError: the answer holds no modality configs, is of GR00T N1.5, or is not what the server said when
                it was asked first, so that another one has come back in its place.
        """
        if self._modality is None:
            modality, dialect = self._ask_modality_config()
            self._require_agreed(modality)
            self._modality = self._agreed = modality
            self._dialect = dialect
        return self._modality

    def get_offer(self) -> PolicyOffer:
        """Return what the policy says of itself beyond the protocol; asked once, by a ping, unless one told it already.

        Raises:
            ServerUnreachableError: no answer within ``timeout_s``.
        """
        return self._take_offer(self.ping()) if self._offer is None else self._offer

    def get_action(
        self,
        observation: Mapping[str, Any],
        options: dict[str, Any] | None = None,
        *,
        row_noise: np.ndarray | None = None,
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return the chunk of actions for an observation.

        Args:
            observation: nested form, ``{"video": {k: uint8 (B, T, H, W, 3)}, "state": {k: float32 (B, T, D)},
                "language": {k: [[str]] * B}}``. Only the keys that the server wants are read, each once, and sent.
            options: passed on to the policy.
            row_noise: int64 (B, 2), of each row what its randomness comes from: the episode's seed, and the number of
                the request in its episode, from 0. It is sent as an option of that name to a server whose policy has
                ``ROW_NOISE`` (``groot_wrappers.protocol.offer``), and to no other.

        Returns:
            The action, ``{k: float32 (B, T_action, D)}``, writable, keys without prefix.

            The info, whatever the policy adds, as a message can hold it: None, bool, numbers, str, bytes, lists, dicts
            and arrays of numbers, read-only. Arrays of text are lists of str, and in place of one that cannot be read
            stands a text that says so. A ReplayPolicy's has ``current_step``, ``episode_length`` and ``episode_index``.

        Raises:
            ContractError: the observation is not what the server wants, the action not what it promised, or another
                server has come back in its place.
            ServerError: the server refused.
            ServerUnreachableError: no answer within ``timeout_s``, or the server died.
        """
        start = time.perf_counter()
        modality = self.get_modality_config()
        wanted = select_modalities(observation, modality)
        batch = check_observation(wanted, modality)
        if row_noise is not None and ROW_NOISE in self.get_offer().capabilities:
            check_row_noise(row_noise, batch)
            options = {**(options or {}), ROW_NOISE: row_noise}
        sent = flatten_observation(wanted, modality) if self._observation_form is ObservationForm.flat else wanted
        try:
            reply = self._call("get_action", {"observation": sent, "options": options})
            action, info = self._checked(reply, modality, batch)
        except ProtocolError:  # what cannot be sent or read is no matter of configs
            raise
        except (ServerError, ContractError):
            self._require_same_server()
            raise
        self.stats.latencies_s.append(time.perf_counter() - start)
        self.stats.calls += 1
        self.stats.observations += batch
        return action, info

    def reset(self, options: dict[str, Any] | None = None) -> dict[str, Any]:
        """Reset the policy.

        Args:
            options: passed on to the policy; a ReplayPolicy takes ``episode_index`` and ``step_index``.

        Returns:
            What the policy tells, often nothing.

        Raises:
            ServerError: the server refused.
            ServerUnreachableError: no answer within ``timeout_s``, or the server died.
        """
        self.get_modality_config()  # options may hold arrays, and so need the dialect
        reply = self._call("reset", {"options": options})
        if not isinstance(reply, dict):
            raise ContractError(f"{self._server} must answer reset with a dict, got a {type(reply).__name__}")
        return reply

    def kill(self) -> None:
        """Ask the server to exit.

        Raises:
            ServerError: the server refused.
            ServerUnreachableError: no answer within ``timeout_s``.
        """
        try:
            self._exchange("kill", None, self._timeout_s)
        except NoReplyError as error:
            if not error.closed:  # a server that is gone before its answer is out has done what was asked
                raise ServerUnreachableError(self._failures.no_answer("kill", error)) from None
        self._forget()
        self._agreed = self._offer = None

    @property
    def _server(self) -> str:
        return f"Gr00t server at {self.endpoint}"

    def _ask_modality_config(self) -> tuple[ModalityConfigs, Dialect | None]:
        reply, dialect = self._call_for_dialect("get_modality_config")
        try:
            return check_modality_configs(reply), dialect
        except ContractError as error:
            raise ContractError(f"{self._server} has a get_modality_config that does not fit: {error}") from error

    def _take_offer(self, pong: Mapping[str, Any]) -> PolicyOffer:
        """Keep and return what a reply to ping says of the policy.

        Raises:
            ContractError: it said otherwise before.
        """
        told = offer_in(pong, secret=self._api_token)
        if self._offer is not None and told != self._offer:
            differences = offer_differences(self._offer, told)
            raise ContractError(
                f"{self._server} came back with another policy:"
                + "".join(f"\n- {name}: {before!r} before, {now!r} now" for name, before, now in differences)
                + "\nIt must serve what it served before. Start it as it was, or begin a new run with this one."
            )
        self._offer = told
        return told

    def _require_agreed(self, modality: ModalityConfigs) -> None:
        """Raise a ContractError unless these are the modality configs that the server had when it was asked first."""
        if self._agreed is not None and modality != self._agreed:
            told = "".join(
                f"\n- {name}: {before} before, {now} now"
                for name, before, now in config_differences(self._agreed, modality)
            )
            raise ContractError(
                f"{self._server} came back with another modality config:{told}\nIt must serve what it served before. "
                "Start it with that checkpoint and embodiment tag again, or begin a new run with this one."
            )

    def _require_same_server(self) -> None:
        """After an error of an action, raise a ContractError where another server in its place explains it."""
        self._forget()
        try:
            modality, _ = self._ask_modality_config()
        except Gr00tError:
            return  # the error at hand says more
        self._require_agreed(modality)

    def _call(self, endpoint: str, data: dict[str, Any] | None = None) -> Any:
        return self._call_for_dialect(endpoint, data)[0]

    def _call_for_dialect(self, endpoint: str, data: dict[str, Any] | None = None) -> tuple[Any, Dialect | None]:
        try:
            return self._exchange(endpoint, data, self._timeout_s)
        except NoReplyError as error:
            raise ServerUnreachableError(self._failures.no_answer(endpoint, error)) from None

    def _exchange(
        self,
        endpoint: str,
        data: dict[str, Any] | None,
        timeout_s: float,
        on_tick: Callable[[float], object] | None = None,
    ) -> tuple[Any, Dialect | None]:
        """Send a request and read its reply; NoReplyError is for the caller to put into words."""
        request: dict[str, Any] = {"endpoint": endpoint}
        if data is not None:
            request["data"] = data
        if self._api_token:
            request["api_token"] = self._api_token
        pieces = pieces_of(request, self._dialect or Dialect.npy)
        try:
            sent, answer = self._connection.request(pieces, timeout_s, on_tick)
        except NoReplyError:
            self._forget()
            raise
        self.stats.bytes += sent + len(answer)
        try:
            reply, dialect = unpack(answer, numbers_only=False)
        except ProtocolError as error:
            remedy = "Check `host` and `port`: another program may listen there"
            if bytes(answer[:6]) == b"ERROR":
                remedy = f"GR00T N1 answers so. {SUPPORTED}"
            raise ProtocolError(
                f"{self._server} answered {endpoint} with something that is not a message of the GR00T protocol: "
                f"{error}. {remedy}"
            ) from error
        if isinstance(reply, dict) and "error" in reply:
            self._forget()
            raise ServerError(self._failures.refused(endpoint, reply["error"]))
        if endpoint == "ping" and (not isinstance(reply, dict) or reply.get("status") != "ok"):
            raise ProtocolError(
                f"{self._server} answered ping, but not as a GR00T server does. "
                "Check `host` and `port`: another program may listen there"
            )
        return reply, dialect

    def _forget(self) -> None:
        """Ask for the modality configs again before the next action: another server may answer it."""
        self._modality = None
        self._dialect = None

    def _checked(
        self, reply: object, modality: ModalityConfigs, batch: int
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Check a reply to get_action and take it apart."""
        if not (isinstance(reply, list) and len(reply) == 2 and all(isinstance(part, dict) for part in reply)):
            told = f"a list of {len(reply)}" if isinstance(reply, list) else f"a {type(reply).__name__}"
            if isinstance(reply, dict):
                told += ", as GR00T N1.5 answers"
            elif isinstance(reply, str):
                told += f", {reply!r:.200}"
            raise ContractError(
                f"{self._server} must answer get_action with [action, info], two dicts; got {told}. {SUPPORTED}"
            )
        action, info = reply
        if self._observation_form is ObservationForm.flat:
            action = unflatten_action(action)
        try:
            check_action(action, modality, batch)
        except ContractError as error:
            raise ContractError(
                f"{self._server} answered get_action with an action that does not fit: {error}"
            ) from error
        # Own and writable, so that a few floats do not keep the frame alive and torch takes them as they are.
        return {key: np.array(value) if isinstance(value, np.ndarray) else value for key, value in action.items()}, info
