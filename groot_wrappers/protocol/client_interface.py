"""What asks policy servers, however many: ``Client``, and ``ClientStats``, what its calls cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from groot_wrappers.modality import ModalityConfigs
from groot_wrappers.protocol.offer import PolicyOffer

__all__ = ["Client", "ClientStats"]


@dataclass
class ClientStats:
    """What a client has done so far.

    Attributes:
        calls: get_action calls that were answered with an action.
        observations: sum of their batch sizes B.
        bytes: bytes sent and received, of all endpoints.
        latencies_s: seconds of each of these calls, from the observation in hand to the checked action.
        servers: of a group of clients, what each has done, by endpoint.
        lost: of a client in a group, why it is left out; None while it is asked.
    """

    calls: int = 0
    observations: int = 0
    bytes: int = 0
    latencies_s: list[float] = field(default_factory=list)
    servers: dict[str, ClientStats] = field(default_factory=dict)
    lost: str | None = None


class Client(Protocol):
    """Asks one policy server (``PolicyClient``) or several (``ClientGroup``). All failures are a ``Gr00tError``."""

    @property
    def stats(self) -> ClientStats:
        """What has been done so far."""

    def wait_until_ready(self) -> None:
        """Return once the server answers, or raise when its time to connect is over."""

    def get_modality_config(self) -> ModalityConfigs:
        """Return what the server wants and gives; the same at each call, or an error."""

    def get_offer(self) -> PolicyOffer:
        """Return what the policy says of itself beyond the protocol; the same at each call, or an error."""

    def get_action(
        self,
        observation: Mapping[str, Any],
        options: dict[str, Any] | None = None,
        *,
        row_noise: np.ndarray | None = None,
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return the chunk of actions for an observation, and what the policy adds.

        Args:
            observation: nested form, ``{"video": {k: uint8 (B, T, H, W, 3)}, "state": {k: float32 (B, T, D)},
                "language": {k: [[str]] * B}}``.
            options: passed on to the policy.
            row_noise: int64 (B, 2), of each row what its randomness comes from: the episode's seed, and the number of
                the request in its episode, from 0. Sent to a server whose policy has ``ROW_NOISE``, and to no other.

        Returns:
            action: ``{k: float32 (B, T_action, D)}``, writable, rows in the observation's order.
            info: of any content.
        """

    def reset(self, options: dict[str, Any] | None = None) -> dict[str, Any]:
        """Reset the policy, which may be told what begins; return what it tells, often nothing."""

    def close(self) -> None:
        """Close the connection; more than once does no harm."""
