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

from groot_wrappers.embodiment.rotation_names import Rotation, RotationName, require_held
from groot_wrappers.errors import ContractError, did_you_mean

__all__ = ["ActionTarget", "Embodiment", "StateSource", "VideoSource"]


def _require_one_source(source: Any, kind: str, names: list[str]) -> None:
    """Raise unless exactly one of the fields ``names`` of ``source`` is set."""
    given = [name for name in names if getattr(source, name)]
    if len(given) != 1:
        raise ContractError(
            f"A {kind} key of the embodiment takes exactly one of {', '.join(names)}, but {given or 'none'} is given. "
            f"Write, for example, {{{names[0]}: ...}}."
        )


def _require_slice(given: list[int] | None) -> None:
    """Raise unless ``given`` is None or [begin, end) with at least one number in it."""
    if given is not None and not (len(given) == 2 and 0 <= given[0] < given[1]):
        raise ContractError(
            f"slice is {list(given)}, but it takes [begin, end], the end not included: [0, 3] is the first three."
        )


def _require_numbers(source: Any, names: list[str]) -> None:
    """Raise unless each field is None, a number, or a list of numbers; Hydra's schema has no type for that."""
    for name in names:
        value = getattr(source, name)
        if value is not None and not all(
            isinstance(p, int | float) and not isinstance(p, bool) for p in _listed(value)
        ):
            raise ContractError(f"{name} is {value!r}, but it takes a number, or a list with one number for each.")


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _changed(source: Any, names: Iterable[str]) -> list[str]:
    """Return those of the fields ``names`` of ``source`` that are not what they are by default."""
    defaults = {f.name: f.default for f in fields(source)}
    return [name for name in names if getattr(source, name) != defaults[name]]


def _refuse_pose_settings(source: Any, names: list[str], needed: str) -> None:
    """Raise if a setting of a pose is given, but not what makes a pose of the key."""
    given = _changed(source, names)
    if given:
        raise ContractError(
            f"{' and '.join(given)} belong to a pose, but there is no {needed}. Add it or leave them out."
        )


def _require_pose_target(target: "ActionTarget") -> None:
    """Raise unless a target with a rotation has a term, and nothing that a pose cannot be changed by."""
    if not target.term:
        raise ContractError(
            f"rotation is {target.rotation}, but a pose goes to a term. Write {{term: ..., rotation: ...}}, with "
            "a term that takes the absolute pose of a body."
        )
    given = _changed(target, ["slice", "shared", "hold", "threshold", "invert", "scale", "offset", "clip"])
    if given:
        raise ContractError(
            f"{' and '.join(given)} change numbers one by one, but with rotation the key is a pose. Leave them out; "
            "frame, turned and point say which pose is meant."
        )
    of_the_state = _changed(target, ["frame", "turned", "point"])
    if target.relative_to is not None and of_the_state:
        raise ContractError(
            f"{' and '.join(of_the_state)} are given beside relative_to, but a relative pose has those of the state. "
            f"Set them in embodiment.state.{target.relative_to} alone."
        )


@dataclass
class VideoSource:
    """Where the pixels of one video key come from; exactly one of ``sensor`` and ``obs`` is given.

    Args:
        sensor: Name of a camera in the env's scene; its ``rgb`` output is taken. What it may hold, and what is refused,
            :mod:`groot_wrappers.embodiment.pixels` says.
        obs: ``group.term`` of the env's observation (``group`` alone where it is one tensor), an image of uint8 or of
            floats in [0, 1], (num_envs, H, W, 3) or (num_envs, 3, H, W).
        resize: [height, width] that GR00T gets: as large as fits, with its proportions kept, and black bars around.
        mirrored: Whether left and right are exchanged, as in pictures of LIBERO's that were turned by half a turn to
            stand them up.
    """

    sensor: str | None = None
    obs: str | None = None
    resize: list[int] | None = None
    mirrored: bool = False

    def __post_init__(self) -> None:
        _require_one_source(self, "video", ["sensor", "obs"])
        if self.resize is not None and not (len(self.resize) == 2 and min(self.resize) > 0):
            raise ContractError(f"resize is {list(self.resize)}, but it takes [height, width]: [224, 224].")


@dataclass
class StateSource:
    """Where the numbers of one state key come from; exactly one of ``obs``, ``joints`` and ``body`` is given.

    Args:
        obs: ``group.term`` of the env's observation (``group`` alone where it is one tensor), shape (num_envs, D), in
            the env's own units.
        joints: Patterns (regular expressions that match whole names) of joints of one robot, whose positions (rad, m)
            are taken pattern by pattern, and within a pattern in the robot's order.
        body: Name of a body of a robot, whose pose is taken: x, y, z (m), then the rotation.
        rotation: How ``body``'s rotation is written.
        order: What the rotation's numbers are in the order of; :class:`Rotation` says what there is.
        frame: In which ``body``'s pose is: ``base`` or None, that robot's root link; ``world``, the origin of each env;
            or another body of that robot.
        turned: The rotation by which the axes that are told differ from the body's, R becoming R * turned: the rows of
            a rotation matrix, or roll, pitch, yaw in rad.
        point: x, y, z (m), along the body's own axes, of the point whose place is told; its origin by default.
        slice: [begin, end) of the numbers; all of them by default.
        scale, offset: Number or list: the key is ``number * scale + offset``, after slicing.
    """

    obs: str | None = None
    joints: list[str] | None = None
    body: str | None = None
    rotation: Rotation = Rotation.quaternion
    order: str | None = None
    frame: str | None = None
    turned: Any = None
    point: list[float] | None = None
    slice: list[int] | None = None
    scale: Any = 1.0
    offset: Any = 0.0

    def __post_init__(self) -> None:
        _require_one_source(self, "state", ["obs", "joints", "body"])
        _require_slice(self.slice)
        _require_numbers(self, ["scale", "offset"])
        if not self.body:
            _refuse_pose_settings(self, ["order", "frame", "turned", "point"], "body")
        require_held(self.turned, self.point)
        self.rotation = RotationName(self.rotation, self.order).rotation


@dataclass
class ActionTarget:
    """What one action key drives: ``joints``, or a ``term``, or a ``slice`` of a term or of the whole action.

    The key's numbers are changed in this order: ``threshold``, ``invert``, ``scale``, ``offset``, ``relative_to``,
    ``clip``.

    Args:
        joints: Patterns (regular expressions that match whole names) of joints that the env takes positions of. The
            key's numbers are absolute positions (rad, m); they go to the matching joints pattern by pattern, and
            within a pattern in the order of the env's action terms. An action term's own scale and offset are undone.
        term: Name of an action term of the env; the key's numbers fill it as they are, or with ``rotation`` as the pose
            that they mean.
        slice: [begin, end) of the term, or where no term is named of the env's whole action.
        shared: The key is one number, which all that it drives gets, as the two fingers of a gripper.
        hold: A number (or list) that is played instead of what the server sends under the key, whether it sends any
            or not; for joints their position in rad or m. Nothing above changes it.
        threshold: Numbers above it become 1, all others 0.
        invert: v becomes -v; after a threshold, 1 - v.
        scale, offset: Number or list: ``v * scale + offset``.
        relative_to: State key of the embodiment, as wide as this key; the state of the beat's begin is added to all
            control steps of the chunk, as GR00T means RELATIVE. (Its servers return such keys already absolute; this
            is for those that do not.) With ``rotation`` the key is the pose in the one that the state is of: the two
            are composed as poses.
        clip: [lowest, highest].
        reach: How far it is from the lowest to the highest number of what is commanded: one for all, or a list. Of a
            pose [m, rad]. ``action_noise`` is a share of it; by default ``clip`` says it, or the limits of the joint.
        rotation: The key is a pose, x, y, z (m) and then the rotation, written so; ``term`` takes the absolute pose of
            a body. That term's own scale, offset, order of a quaternion and ``body_offset`` are undone. Nothing else
            than ``relative_to`` changes a pose.
        order, frame, turned, point: Of the pose, as :class:`StateSource` has them, with the term's body. Where
            ``relative_to`` is set, they are the state's; ``order`` alone is the key's.
    """

    joints: list[str] | None = None
    term: str | None = None
    slice: list[int] | None = None
    shared: bool = False
    hold: Any = None
    threshold: float | None = None
    invert: bool = False
    scale: Any = 1.0
    offset: Any = 0.0
    relative_to: str | None = None
    clip: list[float] | None = None
    reach: Any = None
    rotation: Rotation | None = None
    order: str | None = None
    frame: str | None = None
    turned: Any = None
    point: list[float] | None = None

    def __post_init__(self) -> None:
        _require_slice(self.slice)
        _require_numbers(self, ["hold", "scale", "offset", "reach"])
        if self.joints or not self.slice:
            _require_one_source(self, "action", ["joints", "term", "slice"])
        if self.clip is not None and len(self.clip) != 2:
            raise ContractError(f"clip is {list(self.clip)}, but it takes [lowest, highest].")
        if self.rotation is not None and self.reach is not None and len(_listed(self.reach)) != 2:
            raise ContractError(f"reach is {self.reach!r}, but that of a pose is [m, rad].")
        if self.rotation is None:
            _refuse_pose_settings(self, ["order", "frame", "turned", "point"], "rotation")
        else:
            _require_pose_target(self)
            require_held(self.turned, self.point)
            self.rotation = RotationName(self.rotation, self.order).rotation


@dataclass
class Embodiment:
    """The keys of a GR00T embodiment, each joined to the part of an env that it stands for.

    Args:
        video: Video key to source.
        state: State key to source.
        language: The server's key for the instruction; one of them, where it has several.
        action: Action key to target. What the keys leave unfilled is an error: every column of the env's action
            must be driven, or held by an entry with ``hold``.
        env: What this embodiment changes in the env's config before the env is made, by dotted path: plain values, or
            mappings that ``hydra.utils.instantiate`` builds an object from. The runner applies it.
    """

    video: dict[str, VideoSource] = field(default_factory=dict)
    state: dict[str, StateSource] = field(default_factory=dict)
    language: str = "task"
    action: dict[str, ActionTarget] = field(default_factory=dict)
    env: dict[str, Any] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is declared, so that the env's own config has to say what GR00T sees and moves."""
        return not (self.video or self.state or self.action)

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
                where = f"embodiment.{name}.{key}"
                _require_known(source, [f.name for f in fields(kind)], where)
                try:
                    parts[name][key] = kind(**source)
                except ContractError as error:
                    raise ContractError(f"{where}: {error}") from error
        parts |= {name: config[name] for name in ("language", "env") if name in config}
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
                "can be read from it. Inherit from Gr00tEnvCfg, or name an embodiment (`embodiment`=...); "
                "groot-inspect drafts one."
            )
        return cls(
            video={key: VideoSource(sensor=key) for key in env_cfg.camera_keys},
            state={key: StateSource(obs=f"policy.{key}") for key in env_cfg.state_keys},
            language=env_cfg.language_key,
            action={key: ActionTarget(joints=list(joints)) for key, joints in env_cfg.action_keys.items()},
        )


def _require_known(given: Iterable[str], known: list[str], where: str) -> None:
    """Raise if ``given`` has a name outside ``known``."""
    for name in sorted(set(given) - set(known)):
        raise ContractError(f"{where} has no {name}.{did_you_mean(name, known)} It takes {', '.join(known)}.")
