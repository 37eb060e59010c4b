"""What a GR00T server wants: modality configs, the checks of observations and actions, nested and flat form.

* ``ModalityConfig``, ``ActionConfig``: one modality's keys and horizon, as the server sends them.
* ``check_observation``, ``check_action``: the strict checks of the real server, with messages that say what mends it.
* ``flatten_observation``, ``unflatten_observation``, ``flatten_action``, ``unflatten_action``: the form that servers
  started with ``--use-sim-policy-wrapper`` speak (``video.k``, ``state.k``, the language key as it is, ``action.k``).

Names and rules follow Isaac-GR00T N1.6 and N1.7: ``gr00t/data/types.py`` and ``gr00t/policy/gr00t_policy.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from groot_wrappers.errors import ContractError

__all__ = [
    "MODALITIES",
    "OBSERVATION_FORMS",
    "SUPPORTED",
    "ActionConfig",
    "ModalityConfig",
    "ModalityConfigs",
    "check_action",
    "check_modality_configs",
    "check_observation",
    "config_differences",
    "flatten_action",
    "flatten_observation",
    "unflatten_action",
    "unflatten_observation",
    "wanted_part",
]

MODALITIES = ("video", "state", "action", "language")
OBSERVATION_FORMS = ("nested", "flat")
SUPPORTED = "GR00T N1.6 and later are supported: start a server of one of them"
_OBSERVED = ("video", "state", "language")
_UINT8, _FLOAT32 = np.dtype(np.uint8), np.dtype(np.float32)
# Tuples, for isinstance: several times as fast as a union or an abstract class alone.
_LISTS, _MAPPINGS = (list, tuple), (dict, Mapping)
_ACTION_PREFIX = "action."
_TASK, _TASK_ALIAS = "task", "annotation.human.coarse_action"
"""A language key, and the name for it that a server of the flat form takes first, as GR00T's own does."""


@dataclass(frozen=True)
class ActionConfig:
    """How the values of one action key are to be read.

    Attributes:
        rep: ``ABSOLUTE``, ``RELATIVE`` or ``DELTA``. RELATIVE keys come back from the server already absolute.
        type: ``EEF`` or ``NON_EEF``.
        format: layout of an end-effector pose, for instance ``DEFAULT`` or ``XYZ_ROT6D``.
        state_key: state that a relative action is relative to, where it is not the key itself.
    """

    rep: str
    type: str
    format: str
    state_key: str | None = None

    def __post_init__(self) -> None:
        for name in ("rep", "type", "format"):
            value = getattr(self, name)
            if not isinstance(value, str):
                raise ContractError(f"ActionConfig.{name} must be the name of an enum, got {_told(value)}")
        if not isinstance(self.state_key, str | None):
            raise ContractError(f"ActionConfig.state_key must be a str or None, got {_told(self.state_key)}")

    def to_json(self) -> dict[str, Any]:
        """Return the fields in the order in which the server writes them."""
        return {"rep": self.rep, "type": self.type, "format": self.format, "state_key": self.state_key}

    @classmethod
    def from_json(cls, value: object) -> ActionConfig:
        """Read what ``to_json`` writes; unknown fields are ignored."""
        fields = _mapping(value, "an action config")
        missing = [name for name in ("rep", "type", "format") if name not in fields]
        if missing:
            raise ContractError(f"an action config must hold rep, type and format; {', '.join(missing)} missing")
        return cls(fields["rep"], fields["type"], fields["format"], fields.get("state_key"))


@dataclass(frozen=True)
class ModalityConfig:
    """Keys and horizon of one modality. Lists are taken and kept as tuples.

    Attributes:
        delta_indices: control steps relative to now, oldest first; the horizon T is their number.
        modality_keys: keys of the modality, without prefix.
        sin_cos_embedding_keys: keys that the server encodes as sine and cosine.
        mean_std_embedding_keys: keys that the server normalises by mean and deviation.
        action_configs: one a key, in the order of ``modality_keys``; only of the action modality.

    Raises:
        ContractError: a field has the wrong type, keys or indices are missing, or the action configs do not pair up.
    """

    delta_indices: tuple[int, ...]
    modality_keys: tuple[str, ...]
    sin_cos_embedding_keys: tuple[str, ...] | None = None
    mean_std_embedding_keys: tuple[str, ...] | None = None
    action_configs: tuple[ActionConfig, ...] | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__  # frozen
        put(self, "delta_indices", _tuple_of(int, self.delta_indices, "delta_indices"))
        put(self, "modality_keys", _tuple_of(str, self.modality_keys, "modality_keys"))
        for name in ("delta_indices", "modality_keys"):
            if not getattr(self, name):
                raise ContractError(f"ModalityConfig.{name} must not be empty")
        if len(set(self.modality_keys)) != len(self.modality_keys):
            raise ContractError(f"ModalityConfig.modality_keys must not repeat a key, got {self.modality_keys}")
        for name in ("sin_cos_embedding_keys", "mean_std_embedding_keys"):
            if getattr(self, name) is not None:
                put(self, name, _tuple_of(str, getattr(self, name), name))
        if self.action_configs is not None:
            put(self, "action_configs", _tuple_of(ActionConfig, self.action_configs, "action_configs"))
            if len(self.action_configs) != len(self.modality_keys):
                raise ContractError(
                    f"ModalityConfig.action_configs must hold one config a key: "
                    f"{len(self.modality_keys)} keys, {len(self.action_configs)} configs"
                )

    @property
    def horizon(self) -> int:
        """T, the number of control steps that one array of this modality covers."""
        return len(self.delta_indices)

    def to_json(self) -> dict[str, Any]:
        """Return plain lists, strings and numbers, in the order in which the server writes them."""

        def plain(keys: tuple[str, ...] | None) -> list[str] | None:
            return None if keys is None else list(keys)

        return {
            "delta_indices": list(self.delta_indices),
            "modality_keys": list(self.modality_keys),
            "sin_cos_embedding_keys": plain(self.sin_cos_embedding_keys),
            "mean_std_embedding_keys": plain(self.mean_std_embedding_keys),
            "action_configs": None if self.action_configs is None else [c.to_json() for c in self.action_configs],
        }

    @classmethod
    def from_json(cls, value: object) -> ModalityConfig:
        """Read what a server sends. Unknown fields are ignored.

        Raises:
            ContractError: it is no dict, or a field that is needed is missing or wrong.
        """
        fields = _mapping(value, "a modality config")
        missing = [name for name in ("delta_indices", "modality_keys") if name not in fields]
        if missing:
            raise ContractError(f"a modality config must hold delta_indices and modality_keys; {missing} missing")
        actions: Any = fields.get("action_configs")
        if isinstance(actions, list | tuple):
            actions = tuple(ActionConfig.from_json(action) for action in actions)
        return cls(
            fields["delta_indices"],
            fields["modality_keys"],
            fields.get("sin_cos_embedding_keys"),
            fields.get("mean_std_embedding_keys"),
            actions,
        )


type ModalityConfigs = dict[str, ModalityConfig]


def check_modality_configs(configs: object) -> ModalityConfigs:
    """Return ``configs`` if it names at least the action modality; other modalities than ``MODALITIES`` may be there.

    Raises:
        ContractError: it is not a dict of ``ModalityConfig``, is of GR00T N1.5, or has no action.
    """
    named = _mapping(configs, "get_modality_config's answer")
    for name, config in named.items():
        if isinstance(config, str) and config.startswith("{"):
            raise ContractError(f"the modality config of {name!r} is JSON text, as GR00T N1.5 sends it. {SUPPORTED}")
        if not isinstance(config, ModalityConfig):
            raise ContractError(f"the modality config of {name!r} must be a ModalityConfig, got {_told(config)}")
    if "action" not in named:
        raise ContractError(f"the modality configs must name an 'action', got only {sorted(map(str, named))}")
    return dict(named)


def config_differences(one: ModalityConfigs, other: ModalityConfigs) -> list[tuple[str, Any, Any]]:
    """Return each modality in which two servers differ: its name, and the fields that do, of the one and of the other.

    Where one of them has no such modality, "nothing" stands for its fields.
    """
    differences: list[tuple[str, Any, Any]] = []
    for name in dict.fromkeys([*one, *other]):
        first, second = (configs[name].to_json() if name in configs else {} for configs in (one, other))
        fields = [field for field in first | second if first.get(field) != second.get(field)]
        if fields:
            told = [{field: has[field] for field in fields} if has else "nothing" for has in (first, second)]
            differences.append((name, told[0], told[1]))
    return differences


def wanted_part(observation: Mapping[str, Any], modality: ModalityConfigs) -> dict[str, Any]:
    """Read what the server wants of an observation that may compute it, each key once.

    An instruction that comes under one of several language keys goes under all of them: a server that has several
    demands all, and reads one.

    Raises:
        ContractError: a modality or a key is missing; the message names those that are there.
    """
    wanted: dict[str, Any] = {}
    for name, config in modality.items():
        if name in _OBSERVED:
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
    for name in _OBSERVED:
        if name not in modality:
            continue
        values = _part(observation, name)
        check = _check_language if name == "language" else _check_array
        horizon = modality[name].horizon
        batches += [check(name, key, _value(values, name, key), horizon) for key in modality[name].modality_keys]
    if len(set(batches)) > 1:
        keys = (_where(name, key) for name in _OBSERVED if name in modality for key in modality[name].modality_keys)
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
                f"{_where('action', key)} must have batch size {batch}, the observation's. Got {_told(action[key])}"
            )


def flatten_observation(observation: Mapping[str, Any], modality: ModalityConfigs) -> dict[str, Any]:
    """Return the flat form of a checked observation: ``video.k``, ``state.k``, and the language key with B str."""
    flat: dict[str, Any] = {}
    for name in _OBSERVED:
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
    for name in _OBSERVED:
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
                        f"Language key '{flat_key}' must be a tuple or list of B str. Got {_told(value)}"
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


def _part(observation: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return one modality of an observation in nested form."""
    if name not in observation:
        raise ContractError(f"Observation must contain a '{name}' key. Got {sorted(map(str, observation))}")
    return _mapping(observation[name], f"observation[{name!r}]")


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
    if not isinstance(value, np.ndarray):
        return f"must be a numpy array, {dtype} ({dims.replace('T', str(horizon))}). Got {_told(value)}"
    if value.dtype != dtype:
        return f"must be a numpy array of type np.{dtype}. Got {_told(value)}; convert it with .astype(np.{dtype})"
    if value.ndim != dims.count(",") + 1:
        return f"must be a numpy array of shape ({dims}). Got {_told(value)}"
    if value.shape[1] != horizon:
        return (
            f"must have horizon {horizon}, one step an entry of the {name} modality's delta_indices. Got {_told(value)}"
        )
    if name == "video" and value.shape[-1] != 3:
        return f"must have channel 'C' 3 (RGB, last). Got {_told(value)}"
    return f"must not be empty. Got {_told(value)}"


def _check_language(name: str, key: str, value: object, horizon: int) -> int:
    """Check one language key; return its batch size."""
    if not isinstance(value, _LISTS) or not value:
        raise ContractError(f"{_where(name, key)} must be a list of B lists of one str. Got {_told(value)}")
    for texts in value:
        if not isinstance(texts, _LISTS):
            raise ContractError(
                f"{_where(name, key)} must be a list of B lists of one str. Got a {_told(texts)} among the B"
            )
        if len(texts) != horizon:
            raise ContractError(
                f"{_where(name, key)} must have horizon {horizon}. Got {len(texts)} in one of the B lists"
            )
        for text in texts:
            if not isinstance(text, str):
                raise ContractError(f"{_where(name, key)} must hold str. Got {_told(text)}")
    return len(value)


def _where(name: str, key: str) -> str:
    return f"{name.capitalize()} key '{key}'"


def _told(value: object) -> str:
    """Say what came, short enough for a message whatever it is."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape}"
    if isinstance(value, str | int | float | bool | None):
        return repr(value) if len(repr(value)) <= 120 else f"{type(value).__name__} of {len(repr(value))} characters"
    return type(value).__name__


def _mapping(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, _MAPPINGS):
        raise ContractError(f"{what} must be a dict, got {_told(value)}")
    return value


def _tuple_of[T](kind: type[T], value: object, name: str) -> tuple[T, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ContractError(f"ModalityConfig.{name} must be a list of {kind.__name__}, got {_told(value)}")
    for item in value:
        if not isinstance(item, kind) or isinstance(item, bool):
            raise ContractError(f"ModalityConfig.{name} must hold {kind.__name__} only, got {_told(item)}")
    return tuple(value)
