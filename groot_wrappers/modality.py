"""What a GR00T server wants: modality configs.

* ``ObservationForm``: how observations are laid out in a request.
* ``ModalityConfig``, ``ActionConfig``: one modality's keys and horizon, as the server sends them.
* ``check_modality_configs``, ``config_differences``: those of a server, checked and compared.
* ``require_moments``: the moments of an observation, checked.

Names and rules follow Isaac-GR00T N1.6 and N1.7: ``gr00t/data/types.py`` and ``gr00t/policy/gr00t_policy.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from groot_wrappers.errors import ContractError, describe_value
from groot_wrappers.installation.compat import StrEnum

__all__ = [
    "MODALITIES",
    "OBSERVED",
    "SUPPORTED",
    "ActionConfig",
    "ModalityConfig",
    "ModalityConfigs",
    "ObservationForm",
    "check_modality_configs",
    "config_differences",
    "require_mapping",
    "require_moments",
]

T = TypeVar("T")

MODALITIES = ("video", "state", "action", "language")
SUPPORTED = "GR00T N1.6 and later are supported: start a server of one of them"
OBSERVED = ("video", "state", "language")
_DEEPEST = 10_000  # control steps; every frame since is kept by the client, and the server says how far back


class ObservationForm(StrEnum):
    """How observations are laid out in a request."""

    nested = "nested"
    """``{"video": {k: ...}, "state": {k: ...}, "language": {k: ...}}``."""
    flat = "flat"
    """``{"video.k": ..., "state.k": ..., "task": ...}``, of servers started with ``--use-sim-policy-wrapper``."""

    @classmethod
    def _missing_(cls, value: object) -> ObservationForm:
        raise ContractError(f"`observation_form` must be one of {', '.join(cls)}, got {value!r}")


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
                raise ContractError(f"ActionConfig.{name} must be the name of an enum, got {describe_value(value)}")
        if not isinstance(self.state_key, str | None):
            raise ContractError(f"ActionConfig.state_key must be a str or None, got {describe_value(self.state_key)}")

    def to_json(self) -> dict[str, Any]:
        """Return the fields in the order in which the server writes them."""
        return {"rep": self.rep, "type": self.type, "format": self.format, "state_key": self.state_key}

    @classmethod
    def from_json(cls, value: object) -> ActionConfig:
        """Read what ``to_json`` writes; unknown fields are ignored."""
        fields = require_mapping(value, "an action config")
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
        fields = require_mapping(value, "a modality config")
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


ModalityConfigs: TypeAlias = dict[str, ModalityConfig]


def check_modality_configs(configs: object) -> ModalityConfigs:
    """Return ``configs`` if it names at least the action modality; other modalities than ``MODALITIES`` may be there.

    Raises:
        ContractError: it is not a dict of ``ModalityConfig``, is of GR00T N1.5, or has no action.
    """
    named = require_mapping(configs, "get_modality_config's answer")
    for name, config in named.items():
        if isinstance(config, str) and config.startswith("{"):
            raise ContractError(f"the modality config of {name!r} is JSON text, as GR00T N1.5 sends it. {SUPPORTED}")
        if not isinstance(config, ModalityConfig):
            raise ContractError(
                f"the modality config of {name!r} must be a ModalityConfig, got {describe_value(config)}"
            )
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


def require_moments(delta_indices: Sequence[int]) -> None:
    """Check that an env can show the moments that a server asks for: control steps relative to the present.

    Raises:
        ContractError: The indices are empty, not ascending, or reach into the future or too far back.
    """
    bounds = [-_DEEPEST, *delta_indices, 0]
    if not delta_indices or bounds != sorted(bounds):
        raise ContractError(
            f"The delta indices of an observation are ascending control steps up to the present (0), and none "
            f"before -{_DEEPEST}, but {list(delta_indices)!s:.200} came. Mend the modality config that the "
            "server was started with."
        )


def require_mapping(value: object, what: str) -> Mapping[str, Any]:
    """Return a value that must be a mapping.

    Raises:
        ContractError: It is none.
    """
    if not isinstance(value, (dict, Mapping)):
        raise ContractError(f"{what} must be a dict, got {describe_value(value)}")
    return value


def _tuple_of(kind: type[T], value: object, name: str) -> tuple[T, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ContractError(f"ModalityConfig.{name} must be a list of {kind.__name__}, got {describe_value(value)}")
    for item in value:
        if not isinstance(item, kind) or isinstance(item, bool):
            raise ContractError(f"ModalityConfig.{name} must hold {kind.__name__} only, got {describe_value(item)}")
    return tuple(value)
