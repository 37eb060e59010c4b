"""The env as GR00T sees it, and as it takes chunks: the two wrappers as a run puts them around it."""

from collections.abc import Mapping
from typing import Any

import gymnasium as gym

from groot_wrappers import Gr00tActionWrapper, Gr00tObservationWrapper
from groot_wrappers.control_step import ControlStepWatcher
from groot_wrappers.embodiment.embodiment import Embodiment
from groot_wrappers.modality import ModalityConfigs
from groot_wrappers.variations.wire import WireVariation

__all__ = ["wrapped_env"]


def wrapped_env(
    env: gym.Env[Any, Any],
    embodiment: Embodiment,
    modality: ModalityConfigs,
    *,
    execution: int,
    watcher: ControlStepWatcher,
    variations: Mapping[str, WireVariation] | None = None,
) -> tuple[Gr00tObservationWrapper, Gr00tActionWrapper]:
    """Wrap an env.

    Args:
        env: The env.
        embodiment: What stands behind each key, matched with the server.
        modality: What the server wants and gives.
        execution: Control steps that are played of each chunk.
        watcher: Called after every control step.
        variations: Name to what changes what is sent.
    """
    observed = Gr00tObservationWrapper(
        env,
        embodiment,
        delta_indices={kind: modality[kind].delta_indices for kind in ("video", "state") if kind in modality},
        language_keys=modality["language"].modality_keys if "language" in modality else (),
        variations=variations,
    )
    horizon = modality["action"].horizon
    return observed, Gr00tActionWrapper(observed, embodiment, execution, horizon=horizon, watcher=watcher)
