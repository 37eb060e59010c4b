"""LatencyPolicy: a policy that takes as long to answer as a real model would."""

import logging
import time
from typing import Any

from groot_wrappers.errors import Gr00tError
from groot_wrappers.modality import ModalityConfigs
from groot_wrappers.protocol.offer import OFFERED
from groot_wrappers.protocol.server import Policy

__all__ = ["LatencyPolicy"]

logger = logging.getLogger(__name__)

_NOTICED_MS = 1.0
"""A policy that overruns by less than this is as slow as was asked."""


class LatencyPolicy:
    """Answers as another policy does, ``base_ms + n * per_observation_ms`` after it was asked for n observations.

    The other policy's own time counts within that. Where it takes longer by itself, the answer goes out at once, a
    warning says so the first time, and ``info["overrun_ms"]`` each time.

    Args:
        policy: Gives the answers.
        base_ms: Time that a request takes whatever it holds, in milliseconds.
        per_observation_ms: Time that each of its observations adds.

    Raises:
        Gr00tError: A time is negative or no number.
    """

    def __init__(self, policy: Policy, base_ms: float, per_observation_ms: float) -> None:
        for name, value in (("base_ms", base_ms), ("per_observation_ms", per_observation_ms)):
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
                raise Gr00tError(f"{name} must be milliseconds, 0 or more, got {value!r}. Set {name}=0 for none.")
        self._policy = policy
        self._base_ms = base_ms
        self._per_observation_ms = per_observation_ms
        self._has_warned = False
        for name in OFFERED:  # which a policy may lack
            if hasattr(policy, name):
                setattr(self, name, getattr(policy, name))

    def get_modality_config(self) -> ModalityConfigs:
        """Return what the policy behind wants and gives."""
        return self._policy.get_modality_config()

    def get_action(
        self, observation: dict[str, Any], options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what the policy behind answers, not before the time has passed.

        Args:
            observation: As ``Policy.get_action`` takes it; n is its batch size.
            options: Passed on.

        Returns:
            The action, and the info with ``overrun_ms`` added: how much longer than the set time the policy behind
            took by itself, 0 where it kept within it.
        """
        started = time.perf_counter()
        observations = len(next(values for keys in observation.values() for values in keys.values()))
        wanted_ms = self._base_ms + observations * self._per_observation_ms
        action, info = self._policy.get_action(observation, options)
        own_ms = 1e3 * (time.perf_counter() - started)
        overrun_ms = max(own_ms - wanted_ms, 0.0)
        if overrun_ms > _NOTICED_MS and not self._has_warned:
            self._has_warned = True
            logger.warning(
                "%s took %.0f ms by itself for %d observations, longer than the %.0f ms that were set "
                "(base_ms=%g per_observation_ms=%g)",
                type(self._policy).__name__,
                own_ms,
                observations,
                wanted_ms,
                self._base_ms,
                self._per_observation_ms,
            )
        time.sleep(max(wanted_ms - own_ms, 0.0) / 1e3)
        return action, info | {"overrun_ms": overrun_ms}

    def reset(self, options: dict[str, Any] | None = None) -> dict[str, Any]:
        """Reset the policy behind, without a delay."""
        return self._policy.reset(options)
