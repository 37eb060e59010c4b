"""Gymnasium wrappers and protocol that join a vectorised env to an Isaac-GR00T policy server.

``import groot_wrappers`` is light: torch and gymnasium, which the extra ``wrappers`` brings, are imported when a
wrapper is first asked for, so that a policy server or a client needs neither.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from groot_wrappers.action import Gr00tActionWrapper
    from groot_wrappers.embodiment.embodiment import Embodiment
    from groot_wrappers.modality import ModalityConfig
    from groot_wrappers.observation import Gr00tObservationWrapper
    from groot_wrappers.protocol.client import PolicyClient
    from groot_wrappers.protocol.server import PolicyServer

__all__ = [
    "Embodiment",
    "Gr00tActionWrapper",
    "Gr00tObservationWrapper",
    "ModalityConfig",
    "PolicyClient",
    "PolicyServer",
]

_ROOMS = {
    "Embodiment": "embodiment.embodiment",
    "Gr00tActionWrapper": "action",
    "Gr00tObservationWrapper": "observation",
    "ModalityConfig": "modality",
    "PolicyClient": "protocol.client",
    "PolicyServer": "protocol.server",
}


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
