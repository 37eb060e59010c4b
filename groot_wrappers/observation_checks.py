"""Observations and actions beside a modality config: the strict checks of the real server, and the part that is wanted.

* ``check_observation``, ``check_action``: refuse what GR00T's own server refuses, with messages that say what mends it.
* ``select_modalities``: the part of an observation that a server asked for.

Rules follow Isaac-GR00T N1.6 and N1.7: ``gr00t/policy/gr00t_policy.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from groot_wrappers.errors import ContractError, describe_value
from groot_wrappers.modality import OBSERVED, ModalityConfigs, require_mapping

__all__ = ["check_action", "check_observation", "select_modalities"]

_UINT8, _FLOAT32 = np.dtype(np.uint8), np.dtype(np.float32)
_LISTS = (list, tuple)  # for isinstance: several times as fast as a union or an abstract class


def select_modalities(observation: Mapping[str, Any], modality: ModalityConfigs) -> dict[str, Any]:
    """Read what the server wants of an observation that may compute it, each key once.

    An instruction that comes under one of several language keys goes under all of them: a server that has several
    demands all, and reads one.

    Raises:
        ContractError: a modality or a key is missing; the message names those that are there.
    """
    wanted: dict[str, Any] = {}
    for name, config in modality.items():
        if name in OBSERVED:
            values = _part(observation, name)
            there = [key for key in config.modality_keys if key in values]
            if name == "language" and len(there) == 1:
                values = dict.fromkeys(config.modality_keys, values[there[0]])
            wanted[name] = {key: _value(values, name, key) for key in config.modality_keys}
        elif name != "action" and name in observation:
            wanted[name] = observation[name]
    return wanted


def check_observation(observation: Mapping[str, Any], modality: ModalityConfigs) -> int:
    """Check an observation in nested form as strictly as the real server does.

    Args:
        observation: ``{"video": {k: uint8 (B, T, H, W, 3)}, "state": {k: float32 (B, T, D)},
            "language": {k: B lists of T str}}``, T being the horizon of the modality; extra keys are ignored.
        modality: what the server wants. A modality that it does not name is not demanded.

    Returns:
        B, equal over all keys and at least 1.

    Raises:
        ContractError: names the key, what is wanted and what came.
    """
    batches: list[int] = []
    for name in OBSERVED:
        if name not in modality:
            continue
        values = _part(observation, name)
        check = _check_language if name == "language" else _check_array
        horizon = modality[name].horizon
        batches += [check(name, key, _value(values, name, key), horizon) for key in modality[name].modality_keys]
    if len(set(batches)) > 1:
        keys = (_where(name, key) for name in OBSERVED if name in modality for key in modality[name].modality_keys)
        told = ", ".join(f"{where} has {batch}" for where, batch in zip(keys, batches, strict=True))
        raise ContractError(f"all keys of an observation must have the same batch size B; {told}")
    return batches[0] if batches else 1


def check_action(action: Mapping[str, Any], modality: ModalityConfigs, batch: int) -> None:
    """Check a chunk of actions, in nested form, against what the modality config promises.

    Values are not looked at: whether NaN is an error is for the env's side to say, env by env.

    Args:
        action: ``{k: float32 (B, T_action, D)}``; keys that the config does not name are fine.
        modality: what the server promises.
        batch: B of the observation that was answered.

    Raises:
        ContractError: names the key, what is wanted and what came.
    """
    horizon = modality["action"].horizon
    for key in modality["action"].modality_keys:
        if key not in action:
            raise ContractError(f"{_where('action', key)} must be in action. Got {sorted(map(str, action))}")
        got = _check_array("action", key, action[key], horizon)
        if got != batch:
            raise ContractError(
                f"{_where('action', key)} must have batch size {batch}, the observation's. "
                f"Got {describe_value(action[key])}"
            )


def _part(observation: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return one modality of an observation in nested form."""
    if name not in observation:
        raise ContractError(f"Observation must contain a '{name}' key. Got {sorted(map(str, observation))}")
    return require_mapping(observation[name], f"observation[{name!r}]")


def _value(values: Mapping[str, Any], name: str, key: str) -> Any:
    """Return the value of one key of a modality."""
    if key not in values:
        raise ContractError(
            f"{_where(name, key)} must be in observation. Got {sorted(map(str, values))}; "
            f"name it under `{name}` of the embodiment"
        )
    return values[key]


def _check_array(name: str, key: str, value: object, horizon: int) -> int:
    """Check one video, state or action array; return its batch size."""
    dtype, ndim = (_UINT8, 5) if name == "video" else (_FLOAT32, 3)
    if isinstance(value, np.ndarray) and value.dtype == dtype:
        shape = value.shape
        if len(shape) == ndim and shape[1] == horizon and 0 not in shape and (ndim == 3 or shape[-1] == 3):
            batch: int = shape[0]
            return batch
    raise ContractError(f"{_where(name, key)} {_array_problem(name, value, horizon)}")


def _array_problem(name: str, value: object, horizon: int) -> str:
    """Say what is wrong with an array that is not as it must be."""
    dtype, dims = (_UINT8, "B, T, H, W, 3") if name == "video" else (_FLOAT32, "B, T, D")
    got = f"Got {describe_value(value)}"
    if not isinstance(value, np.ndarray):
        return f"must be a numpy array, {dtype} ({dims.replace('T', str(horizon))}). {got}"
    if value.dtype != dtype:
        return f"must be a numpy array of type np.{dtype}. {got}; convert it with .astype(np.{dtype})"
    if value.ndim != dims.count(",") + 1:
        return f"must be a numpy array of shape ({dims}). {got}"
    if value.shape[1] != horizon:
        return f"must have horizon {horizon}, one step an entry of the {name} modality's delta_indices. {got}"
    if name == "video" and value.shape[-1] != 3:
        return f"must have channel 'C' 3 (RGB, last). {got}"
    return f"must not be empty. {got}"


def _check_language(name: str, key: str, value: object, horizon: int) -> int:
    """Check one language key; return its batch size."""
    if not isinstance(value, _LISTS) or not value:
        raise ContractError(f"{_where(name, key)} must be a list of B lists of one str. Got {describe_value(value)}")
    for texts in value:
        if not isinstance(texts, _LISTS):
            raise ContractError(
                f"{_where(name, key)} must be a list of B lists of one str. Got a {describe_value(texts)} among the B"
            )
        if len(texts) != horizon:
            raise ContractError(
                f"{_where(name, key)} must have horizon {horizon}. Got {len(texts)} in one of the B lists"
            )
        for text in texts:
            if not isinstance(text, str):
                raise ContractError(f"{_where(name, key)} must hold str. Got {describe_value(text)}")
    return len(value)


def _where(name: str, key: str) -> str:
    return f"{name.capitalize()} key '{key}'"
