"""From a request's frame to the frame that answers it, for whatever passes them on.

Classes:
    Policy: what a policy must be able to do.
    Question: a request for actions that has passed the checks.
    Request: a request that was read.
    Answers: reads requests, asks the policy, and writes the replies.

It checks as strictly as the real server (``gr00t/policy/gr00t_policy.py``, ``gr00t/policy/server_client.py``), and no
request, however malformed, goes without a reply.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import zmq

from groot_wrappers.errors import ContractError, ProtocolError
from groot_wrappers.modality import ModalityConfigs, ObservationForm, check_modality_configs
from groot_wrappers.observation_checks import check_action, check_observation
from groot_wrappers.protocol.flat_form import flatten_action, unflatten_observation
from groot_wrappers.protocol.offer import ROW_NOISE, check_row_noise, offer_of
from groot_wrappers.protocol.wire.codec import Dialect, pack, unpack
from groot_wrappers.protocol.wire.texts import with_texts

__all__ = ["Answers", "Policy", "Question", "Request"]

logger = logging.getLogger(__name__)

_MAX_TOLD = 2000


class Policy(Protocol):
    """What a server can serve.

    It may have the attributes ``identity``, ``capabilities`` and ``batch_sizes`` too: see
    ``groot_wrappers.protocol.offer``.
    """

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


@dataclass(frozen=True)
class Question:
    """A request for actions that has passed the checks.

    Attributes:
        observation: nested form.
        options: the client's.
        rows: B.
    """

    observation: dict[str, Any]
    options: dict[str, Any] | None
    rows: int


@dataclass(frozen=True)
class Request:
    """A request that was read.

    Attributes:
        endpoint: one that there is.
        content: a question for get_action, the options for reset, else None.
    """

    endpoint: str
    content: Question | dict[str, Any] | None


class UnauthorizedError(Exception):
    """The request's token is not the server's."""

    def __init__(self) -> None:
        super().__init__("Unauthorized: Invalid API token")


class Answers:
    """Reads requests, asks one policy, and writes the replies.

    Args:
        policy: the policy.
        dialect: of arrays and modality configs; requests in the other one are refused.
        observation_form: of requests and replies.
        api_token: demanded of each request if not empty.
        kill: ends the server, or raises a ContractError.

    Raises:
        ContractError: what the policy says of itself does not fit.

    Attributes:
        modality: what the policy wants and gives.
        offer: what it says of itself beyond that.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        dialect: Dialect,
        observation_form: ObservationForm,
        api_token: str | None,
        kill: Callable[[], None],
    ) -> None:
        self.modality = check_modality_configs(policy.get_modality_config())
        self.offer = offer_of(policy)
        self._policy = policy
        self._dialect = dialect
        self._observation_form = observation_form
        self._token = api_token.encode(errors="surrogateescape") if api_token else None
        self._endpoints: dict[str, Callable[[Any], object]] = {
            "get_action": lambda question: self.reply_of(*self.ask(question)),
            "get_modality_config": lambda _: self.modality,
            "kill": lambda _: kill(),
            "ping": lambda _: self._pong(),
            "reset": self._reset,
        }

    def answer(self, body: Sequence[zmq.Frame]) -> bytes:
        """Return the frame that answers a request, an error if need be."""
        try:
            outcome = self.perform(self.read(body))
        except Exception as error:
            outcome = error
        return self.frame_of(outcome)

    def read(self, body: Sequence[zmq.Frame]) -> Request:
        """Decode and check a request, without the policy.

        Raises:
            ContractError: It is not what it should be.
            UnauthorizedError: Its token is not the server's.
        """
        if len(body) != 1:
            raise ProtocolError(f"a request must be one frame, got {len(body)}")
        request, dialect = unpack(body[0].buffer)
        if not isinstance(request, dict):
            raise ProtocolError(f"a request must be a map with an 'endpoint', got a {type(request).__name__}")
        if not self._is_authorized(request.get("api_token")):
            raise UnauthorizedError
        if dialect not in (None, self._dialect):
            raise ContractError(
                f"the request's arrays are in the dialect {dialect.description}, "
                f"this server speaks {self._dialect.description}. "
                f"Send that one, or start the server with dialect={dialect}"
            )
        endpoint = request.get("endpoint", "get_action")  # as the real server has it
        if not isinstance(endpoint, str) or endpoint not in self._endpoints:
            raise ContractError(f"Unknown endpoint: {endpoint!r:.80}. This server has: {', '.join(self._endpoints)}")
        data = request.get("data")
        if not isinstance(data, dict | None):
            raise ContractError(f"the 'data' of {endpoint} must be a map, got a {type(data).__name__}")
        if endpoint == "get_action":
            return Request(endpoint, self._question(data or {}))
        return Request(endpoint, _options("reset", data or {}, {"options"}) if endpoint == "reset" else None)

    def perform(self, request: Request) -> object:
        """Return what a request asks for, of the policy where need be; raise what that raises."""
        return self._endpoints[request.endpoint](request.content)

    def ask(self, question: Question) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return action and info of the policy, which are checked.

        Raises:
            ContractError: They are not what they should be.
        """
        answer = self._policy.get_action(question.observation, question.options)
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
            check_action(action, self.modality, question.rows)
        except ContractError as error:
            raise ContractError(f"the policy's action is not what its modality config promises: {error}") from error
        return action, info

    def reply_of(self, action: dict[str, Any], info: dict[str, Any]) -> object:
        """Return the reply to get_action."""
        return [flatten_action(action) if self._observation_form is ObservationForm.flat else action, with_texts(info)]

    def frame_of(self, outcome: object) -> bytes:
        """Return the frame of a reply, or of the exception in its place, which is logged."""
        try:
            if isinstance(outcome, Exception):
                raise outcome
            return pack(outcome, self._dialect)
        except UnauthorizedError as error:
            return self._error(str(error))
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

    def _question(self, data: Mapping[str, Any]) -> Question:
        observation = data.get("observation")
        if not isinstance(observation, dict):
            raise ContractError(
                f"get_action's 'observation' must be a map, got a {type(observation).__name__}; "
                "send data={'observation': ..., 'options': ...}"
            )
        options = _options("get_action", data, {"observation", "options"})
        if self._observation_form is ObservationForm.flat:
            observation = unflatten_observation(observation, self.modality)
        rows = check_observation(observation, self.modality)
        if options is not None and ROW_NOISE in options and ROW_NOISE in self.offer.capabilities:
            check_row_noise(options[ROW_NOISE], rows)
        return Question(observation, options, rows)

    def _pong(self) -> object:
        """Return the real server's reply to ping, and what the policy says of itself if it does."""
        told: dict[str, Any] = {"status": "ok", "message": "Server is running"}
        if self.offer.identity:
            told["policy"] = self.offer.identity
        if self.offer.capabilities:
            told["capabilities"] = self.offer.capabilities
        return told

    def _reset(self, options: dict[str, Any] | None) -> object:
        told = self._policy.reset(options)
        if not isinstance(told, dict):
            raise ContractError(f"the policy's reset must return a dict, got a {type(told).__name__}")
        return with_texts(told)


def _options(endpoint: str, data: Mapping[str, Any], known: set[str]) -> dict[str, Any] | None:
    if set(data) - known:
        raise ContractError(f"{endpoint} takes {sorted(known)} as data, got {sorted(map(str, data))}")
    options = data.get("options")
    if not isinstance(options, dict | None):
        raise ContractError(f"{endpoint}'s 'options' must be a map or nil, got a {type(options).__name__}")
    return options
