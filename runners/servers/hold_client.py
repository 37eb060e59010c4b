"""HoldClient: stands in for a policy server where every env is to stand still, ``server=hold``.

It lives in the run's own process, as only the env knows what keeps it where it is.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from groot_wrappers.embodiment.embodiment import Embodiment
from groot_wrappers.modality import ModalityConfig, ModalityConfigs
from groot_wrappers.protocol.client_interface import ClientStats
from groot_wrappers.protocol.offer import PolicyOffer

if TYPE_CHECKING:
    from groot_wrappers.action import Gr00tActionWrapper

__all__ = ["HoldClient"]


class HoldClient:
    """A client (``groot_wrappers.protocol.client_interface.Client``) whose chunks keep each env where it is.

    Args:
        horizon: Control steps in a chunk.

    Attributes:
        stats: Nothing, as nobody is asked.
    """

    def __init__(self, horizon: int) -> None:
        self.stats = ClientStats()
        self._horizon = horizon
        self._embodiment = Embodiment()
        self._env: Gr00tActionWrapper | None = None

    def take(self, embodiment: Embodiment) -> None:
        """Want what an embodiment shows, and give what it drives."""
        self._embodiment = embodiment

    def attach(self, env: "Gr00tActionWrapper") -> None:
        """Hold the envs of a wrapper from here on."""
        self._env = env

    def wait_until_ready(self) -> None:
        """Return at once."""

    def get_modality_config(self) -> ModalityConfigs:
        """Return the keys of the embodiment, one frame of each, and chunks of ``horizon`` control steps."""
        shown = {"video": tuple(self._embodiment.video), "state": tuple(self._embodiment.state)}
        configs = {kind: ModalityConfig((0,), keys) for kind, keys in shown.items() if keys}
        if self._embodiment.language is not None:
            configs["language"] = ModalityConfig((0,), (self._embodiment.language,))
        return configs | {"action": ModalityConfig(tuple(range(self._horizon)), tuple(self._embodiment.action))}

    def get_offer(self) -> PolicyOffer:
        """Return nothing, as there is no policy to tell of."""
        return PolicyOffer()

    def get_action(
        self,
        observation: Mapping[str, Any],
        options: dict[str, Any] | None = None,
        *,
        row_noise: np.ndarray[Any, Any] | None = None,
    ) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, Any]]:
        """Return a chunk for each env that runs an episode, in their order; the observation is not looked at."""
        if self._env is None:
            raise RuntimeError("HoldClient.attach comes before the first beat.")
        running = ~self._env.parked.cpu().numpy()
        return {key: values[running] for key, values in self._env.standing_still().items()}, {}

    def reset(self, options: dict[str, Any] | None = None) -> dict[str, Any]:
        """Do nothing, as there is no memory."""
        return {}

    def close(self) -> None:
        """Do nothing, as nothing is open."""
