"""The flat form of observations and actions, which servers started with ``--use-sim-policy-wrapper`` speak.

``video.k``, ``state.k``, the language key as it is, ``action.k``; see Isaac-GR00T's ``gr00t/policy/gr00t_policy.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from groot_wrappers.errors import ContractError, describe_value
from groot_wrappers.modality import OBSERVED, ModalityConfigs

__all__ = ["flatten_action", "flatten_observation", "unflatten_action", "unflatten_observation"]

_ACTION_PREFIX = "action."
_TASK, _TASK_ALIAS = "task", "annotation.human.coarse_action"
"""A language key, and the name for it that a server of the flat form takes first, as GR00T's own does."""


def flatten_observation(observation: Mapping[str, Any], modality: ModalityConfigs) -> dict[str, Any]:
    """Return the flat form of a checked observation: ``video.k``, ``state.k``, and the language key with B str."""
    flat: dict[str, Any] = {}
    for name in OBSERVED:
        if name not in modality:
            continue
        values = observation[name]
        for key in modality[name].modality_keys:
            if name == "language":
                flat[key] = [texts[0] for texts in values[key]]
            else:
                flat[f"{name}.{key}"] = values[key]
    return flat


def unflatten_observation(observation: Mapping[str, Any], modality: ModalityConfigs) -> dict[str, dict[str, Any]]:
    """Return the nested form of a flat observation, not yet checked; keys that nobody wants are left out.

    ``annotation.human.coarse_action`` stands for the language key ``task``, and comes first where both are there.

    Raises:
        ContractError: a key is missing, or the language is not a list of str.
    """
    nested: dict[str, dict[str, Any]] = {}
    for name in OBSERVED:
        if name not in modality:
            continue
        nested[name] = {}
        for key in modality[name].modality_keys:
            flat_key = key if name == "language" else f"{name}.{key}"
            if (name, key) == ("language", _TASK) and _TASK_ALIAS in observation:
                flat_key = _TASK_ALIAS
            if flat_key not in observation:
                raise ContractError(
                    f"{name.capitalize()} key '{flat_key}' must be in observation. Got {sorted(map(str, observation))}"
                )
            value = observation[flat_key]
            if name == "language":
                if not isinstance(value, list | tuple):
                    raise ContractError(
                        f"Language key '{flat_key}' must be a tuple or list of B str. Got {describe_value(value)}"
                    )
                value = [[text] for text in value]
            nested[name][key] = value
    return nested


def flatten_action(action: Mapping[str, Any]) -> dict[str, Any]:
    """Return the action with ``action.`` before each key."""
    return {f"{_ACTION_PREFIX}{key}": action[key] for key in action}


def unflatten_action(action: Mapping[str, Any]) -> dict[str, Any]:
    """Return the action with ``action.`` taken from each key that has it."""
    return {str(key).removeprefix(_ACTION_PREFIX): action[key] for key in action}
