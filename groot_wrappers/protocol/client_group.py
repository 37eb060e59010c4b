"""ClientGroup: several policy servers asked as one.

Free of torch and of the simulator, as the client is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from groot_wrappers.errors import ContractError, Gr00tError, ServerError, ServerUnreachableError
from groot_wrappers.modality import ModalityConfigs, config_differences
from groot_wrappers.observation_checks import check_observation, select_modalities
from groot_wrappers.protocol.batch import split_rows, take_rows
from groot_wrappers.protocol.client import PolicyClient
from groot_wrappers.protocol.client_interface import ClientStats
from groot_wrappers.protocol.offer import PolicyOffer, offer_differences

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["ClientGroup"]

T = TypeVar("T")


class ClientGroup:
    """Splits each observation over several servers, asks them at the same time, and puts their chunks together.

    It is asked as a :class:`PolicyClient` is. Each client has a thread of its own. A server that dies, does not answer
    in time or answers with an error is left out from then on, and its share is asked of the others; once none is left,
    its error is raised. Which server answers for which row is not fixed: all must serve the same checkpoint.

    Example:
        with ClientGroup([PolicyClient("10.0.0.7"), PolicyClient("10.0.0.8")]) as client:
            client.wait_until_ready()
            action, info = client.get_action(observation)

    Args:
        clients: One for each server, which the group takes over.
        on_loss: Called with its error when a server is left out while others remain.

    Raises:
        Gr00tError: There is no client, or two are of one server.
    """

    def __init__(
        self, clients: Sequence[PolicyClient], *, on_loss: Callable[[Gr00tError], object] = lambda error: None
    ) -> None:
        names = [client.endpoint for client in clients]
        if not names or len(set(names)) < len(names):
            raise Gr00tError(f"a group takes one client for each of its servers, got {names}; see `clients`")
        self._clients = list(clients)
        self._threads = {client: ThreadPoolExecutor(1, f"asks {client.endpoint}") for client in clients}
        self._on_loss = on_loss
        self._modality: ModalityConfigs | None = None
        self._offer: PolicyOffer | None = None
        self._stats = ClientStats()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def stats(self) -> ClientStats:
        """What the group has done: a call is one observation, however many servers shared it."""
        self._stats.servers = {client.endpoint: client.stats for client in self._clients}
        self._stats.bytes = sum(client.stats.bytes for client in self._clients)
        return self._stats

    def close(self) -> None:
        """Close all clients; what they are waiting for is given up within a second."""
        for client in self._clients:
            client.close()
        for thread in self._threads.values():
            thread.shutdown()

    def wait_until_ready(self) -> None:
        """Wait until all servers answer; of those that were left out, until each has answered or has not.

        Raises:
            Gr00tError: As ``PolicyClient.wait_until_ready``: a server that was not left out does not answer, or none of
                those that were.
        """
        self._modality = None
        waiting = [(client, self._threads[client].submit(client.wait_until_ready)) for client in self._clients]
        errors: list[Gr00tError] = []
        for client, answered in waiting:
            try:
                answered.result()
                client.stats.lost = None
            except Gr00tError as error:
                if client.stats.lost is None:
                    raise
                errors.append(error)
        if not self._live:
            raise errors[0]

    def get_modality_config(self) -> ModalityConfigs:
        """Return what all servers want and give.

        Raises:
            ContractError: They differ, so that they do not serve the same.
            Gr00tError: As ``PolicyClient.get_modality_config``, once no server is left.
        """
        if self._modality is None:
            told = self._ask_all(PolicyClient.get_modality_config)
            (first, modality), *others = told.items()
            for client, other in others:
                if other != modality:
                    raise ContractError(_difference(first.endpoint, modality, client.endpoint, other))
            self._modality = modality
        return self._modality

    def get_offer(self) -> PolicyOffer:
        """Return what all policies say of themselves: the capabilities that each has, and who they are.

        The identity is empty where a server says nothing of it.

        Raises:
            ContractError: Two say that they are different policies.
            Gr00tError: As ``PolicyClient.get_offer``, once no server is left.
        """
        if self._offer is None:
            told = self._ask_all(PolicyClient.get_offer)
            self._offer = _common(told)
        return self._offer

    def get_action(
        self,
        observation: Mapping[str, Any],
        options: dict[str, Any] | None = None,
        *,
        row_noise: np.ndarray | None = None,
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return the chunk of actions for an observation; see ``PolicyClient.get_action``.

        Returns:
            action: ``{k: float32 (B, T_action, D)}``, the keys of the modality config, rows in their order.
            info: what each policy adds, by endpoint, of its last share.

        Raises:
            ContractError: As there, or the servers' actions differ in width.
            Gr00tError: As there, once no server is left.
        """
        start = time.perf_counter()
        modality = self.get_modality_config()
        wanted = select_modalities(observation, modality)
        batch = check_observation(wanted, modality)
        actions: dict[int, dict[str, np.ndarray]] = {}
        info: dict[str, Any] = {}
        unanswered = [slice(0, batch)]
        while unanswered:
            live = self._live
            shares = split_rows(unanswered.pop(), len(live))
            asked = []
            for client, rows in zip(live, shares, strict=False):
                noise = None if row_noise is None else row_noise[rows]
                share = take_rows(wanted, rows)
                answer = self._threads[client].submit(client.get_action, share, options, row_noise=noise)
                asked.append((client, rows, answer))
            for client, rows, answer in asked:
                try:
                    actions[rows.start], info[client.endpoint] = answer.result()
                except (ServerError, ServerUnreachableError) as error:
                    self._leave_out(client, error)
                    unanswered.append(rows)
        action = _joined([actions[first] for first in sorted(actions)], modality)
        self._stats.latencies_s.append(time.perf_counter() - start)
        self._stats.calls += 1
        self._stats.observations += batch
        return action, info

    def reset(self, options: dict[str, Any] | None = None) -> dict[str, Any]:
        """Reset the policies of all servers.

        Returns:
            What each tells, by endpoint.

        Raises:
            Gr00tError: As ``PolicyClient.reset``, once no server is left.
        """
        told = self._ask_all(lambda client: client.reset(options))
        return {client.endpoint: answer for client, answer in told.items()}

    @property
    def _live(self) -> list[PolicyClient]:
        return [client for client in self._clients if client.stats.lost is None]

    def _ask_all(self, call: Callable[[PolicyClient], T]) -> dict[PolicyClient, T]:
        """Make one call to every server at the same time; those that fail are left out."""
        asked = [(client, self._threads[client].submit(call, client)) for client in self._live]
        answers: dict[PolicyClient, T] = {}
        for client, answer in asked:
            try:
                answers[client] = answer.result()
            except (ServerError, ServerUnreachableError) as error:
                self._leave_out(client, error)
        return answers

    def _leave_out(self, client: PolicyClient, error: Gr00tError) -> None:
        """Ask a server no more; raise its error where it was the last one."""
        client.stats.lost = str(error)
        self._modality = None
        if not self._live:
            raise error
        self._on_loss(error)


def _joined(actions: Sequence[Mapping[str, np.ndarray]], modality: ModalityConfigs) -> dict[str, np.ndarray]:
    """Return the shares' actions as one."""
    joined = {}
    for key in modality["action"].modality_keys:
        widths = sorted({action[key].shape[2] for action in actions})
        if len(widths) > 1:
            raise ContractError(
                f"The servers of `clients` answer with different widths of the action '{key}': {widths}. All "
                "must serve the same checkpoint."
            )
        joined[key] = np.concatenate([action[key] for action in actions])
    return joined


def _common(told: Mapping[PolicyClient, PolicyOffer]) -> PolicyOffer:
    """Return what all servers of a group offer; raise a ContractError where their policies are different ones."""
    known = {client: offer for client, offer in told.items() if offer.identity}
    for client, offer in known.items():
        first = next(iter(known))
        differences = offer_differences(PolicyOffer(known[first].identity), PolicyOffer(offer.identity))
        if differences:
            raise ContractError(
                f"The Gr00t servers at {first.endpoint} and {client.endpoint} do not serve the same policy:"
                + "".join(f"\n- {name}: {one!r} and {other!r}" for name, one, other in differences)
                + "\nAll of `clients` must serve one checkpoint in one way. Start them alike, or leave one out."
            )
    names = dict.fromkeys(name for offer in told.values() for name in offer.capabilities)
    return PolicyOffer(
        next(iter(known.values())).identity if len(known) == len(told) else {},
        tuple(name for name in names if all(name in offer.capabilities for offer in told.values())),
    )


def _difference(one: str, modality: ModalityConfigs, another: str, other: ModalityConfigs) -> str:
    told = "".join(f"\n- {name}: {first} and {second}" for name, first, second in config_differences(modality, other))
    return (
        f"The Gr00t servers at {one} and {another} do not serve the same. Their modality configs differ:{told}"
        "\nAll of `clients` must serve one checkpoint. Start them with the same, or leave one out."
    )
