"""Embodiment: which sensor, observation term or joint of an env stands behind each key that a GR00T server knows.

Classes:
    VideoSource: where the pixels of one video key come from.
    StateSource: where the numbers of one state key come from.
    ActionTarget: what one action key drives.
    Embodiment: the three together, with the key of the instruction.

These are plain dataclasses, so that a Hydra schema can hold them and a YAML file is checked against them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from groot_wrappers.errors import ContractError

__all__ = ["ActionTarget", "Embodiment", "StateSource", "VideoSource"]


def _require_one_source(source: Any, kind: str, names: list[str]) -> None:
    """Raise unless exactly one of the fields ``names`` of ``source`` is set."""
    given = [name for name in names if getattr(source, name)]
    if len(given) != 1:
        raise ContractError(
            f"A {kind} key of the embodiment takes exactly one of {', '.join(names)}, but {given or 'none'} is given. "
            f"Write, for example, {{{names[0]}: ...}}."
        )


@dataclass
class VideoSource:
    """Where the pixels of one video key come from; exactly one is given.

    Args:
        sensor: Name of a camera in the env's scene; its ``rgb`` output is taken.
        obs: ``group.term`` of the env's observation, an image (num_envs, H, W, 3) of uint8.
    """

    sensor: str | None = None
    obs: str | None = None

    def __post_init__(self) -> None:
        _require_one_source(self, "video", ["sensor", "obs"])


@dataclass
class StateSource:
    """Where the numbers of one state key come from; exactly one is given.

    Args:
        obs: ``group.term`` of the env's observation, shape (num_envs, D), in the env's own units.
        joints: Patterns (regular expressions that match whole names) of joints of one robot, whose positions (rad, m)
            are taken pattern by pattern, and within a pattern in the robot's order.
    """

    obs: str | None = None
    joints: list[str] | None = None

    def __post_init__(self) -> None:
        _require_one_source(self, "state", ["obs", "joints"])


@dataclass
class ActionTarget:
    """What one action key drives; exactly one of ``joints`` and ``term`` is given.

    Args:
        joints: Patterns (regular expressions that match whole names) of joints. The key's numbers go to the matching
            joints, pattern by pattern, and within a pattern in the order of the env's action terms.
        term: Name of an action term of the env; the key's numbers fill it.
        hold: A constant that is played instead of what the server sends under the key, whether it sends any or not;
            for joints their position in rad or m.
    """

    joints: list[str] | None = None
    term: str | None = None
    hold: float | None = None

    def __post_init__(self) -> None:
        _require_one_source(self, "action", ["joints", "term"])


@dataclass
class Embodiment:
    """The keys of a GR00T embodiment, each joined to the part of an env that it stands for.

    Args:
        video: Video key to source.
        state: State key to source.
        language: The server's key for the instruction.
        action: Action key to target. What the keys leave unfilled is an error: every column of the env's action
            must be driven.
    """

    video: dict[str, VideoSource] = field(default_factory=dict)
    state: dict[str, StateSource] = field(default_factory=dict)
    language: str = "task"
    action: dict[str, ActionTarget] = field(default_factory=dict)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Embodiment":
        """Build an embodiment from plain nested mappings, as a YAML file gives them.

        Raises:
            ContractError: A key is unknown, or a source names none or several origins.
        """
        kinds: dict[str, type] = {"video": VideoSource, "state": StateSource, "action": ActionTarget}
        _require_known(config, [f.name for f in fields(cls)], "embodiment")
        parts: dict[str, Any] = {}
        for name, kind in kinds.items():
            parts[name] = {}
            for key, source in config.get(name, {}).items():
                _require_known(source, [f.name for f in fields(kind)], f"embodiment.{name}.{key}")
                parts[name][key] = kind(**source)
        if "language" in config:
            parts["language"] = config["language"]
        return cls(**parts)

    @classmethod
    def from_env_cfg(cls, env_cfg: Any) -> "Embodiment":
        """Read the embodiment that an env config declares by itself.

        Args:
            env_cfg: A config with ``camera_keys`` (names of cameras in the scene), ``state_keys`` (terms of the
                observation group ``policy``), ``action_keys`` (action key to joint patterns) and ``language_key``, as
                ``tasks.gr00t_env_cfg.Gr00tEnvCfg`` has them.

        Raises:
            ContractError: The config declares none of them.
        """
        if not hasattr(env_cfg, "camera_keys"):
            raise ContractError(
                f"{type(env_cfg).__name__} declares no camera_keys, state_keys and action_keys, so that no embodiment "
                "can be read from it. Inherit from Gr00tEnvCfg, or name an embodiment (embodiment=...)."
            )
        return cls(
            video={key: VideoSource(sensor=key) for key in env_cfg.camera_keys},
            state={key: StateSource(obs=f"policy.{key}") for key in env_cfg.state_keys},
            language=env_cfg.language_key,
            action={key: ActionTarget(joints=list(joints)) for key, joints in env_cfg.action_keys.items()},
        )


def _require_known(given: Iterable[str], known: list[str], where: str) -> None:
    """Raise if ``given`` has a name outside ``known``."""
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ContractError(f"{where} has no {', '.join(unknown)}; it takes {', '.join(known)}.")
