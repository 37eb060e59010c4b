"""Sources: the functions that read an embodiment's video and state keys from an IsaacLab env.

Classes:
    Source: one key's frame, its shape, and whether reading it draws a camera.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from groot_wrappers.embodiment.affine_map import NumberMap
from groot_wrappers.embodiment.buffers import as_torch
from groot_wrappers.embodiment.embodiment import StateSource, VideoSource
from groot_wrappers.embodiment.isaaclab_env import IsaacLabEnv
from groot_wrappers.embodiment.pixels import camera_rgb, fit_into, term_rgb, where_channels_are
from groot_wrappers.embodiment.poses import body_pose_in_root, find_body, frame_in_root
from groot_wrappers.embodiment.rotations import PoseForm, compose, inverse
from groot_wrappers.errors import ContractError, did_you_mean

__all__ = ["Source", "number_map", "state_source", "video_source"]


@dataclass(frozen=True)
class Source:
    """Reads the present frame of one key.

    Args:
        shape: Shape of one env's frame: (H, W, 3) or (D,).
        renders: Whether reading it draws a camera.
        read: Takes the env's own latest observation, returns the frame of all envs, (num_envs, *shape), uint8 for
            video and float32 for state. It may be a view of a buffer that the simulator overwrites on its next step.
    """

    shape: tuple[int, ...]
    renders: bool
    read: Callable[[Any], torch.Tensor]

    def then(self, shape: tuple[int, ...], change: Callable[[torch.Tensor], torch.Tensor]) -> "Source":
        """Return the source whose frames are changed by ``change`` and have the shape ``shape``."""
        read = self.read
        return replace(self, shape=shape, read=lambda raw: change(read(raw)))


def video_source(env: IsaacLabEnv, key: str, source: VideoSource) -> Source:
    """Return the source of a video key.

    Raises:
        ContractError: The env has no such camera or observation term, or it gives no RGB.
    """
    where = f"embodiment.video.{key}"
    if source.sensor is not None:
        found = _camera(env, where, source.sensor)
    else:
        term = _term(env, where, str(source.obs))
        channels = where_channels_are(term.shape, where)
        height_width = term.shape[:2] if channels == -1 else term.shape[1:]
        found = term.then((*height_width, 3), lambda image: term_rgb(image, channels, where))
    if source.mirrored:
        found = found.then(found.shape, lambda image: image.flip(2))
    if source.resize is None:
        return found
    height, width = source.resize
    return found.then((height, width, 3), lambda image: fit_into(image, height, width))


def state_source(env: IsaacLabEnv, key: str, source: StateSource) -> Source:
    """Return the source of a state key.

    Raises:
        ContractError: The env has no such observation term, joints or body, or the slice or the length of a list does
            not fit.
    """
    where = f"embodiment.state.{key}"
    if source.joints:
        found = _joints(env, where, source.joints)
    elif source.body:
        found = _body(env, where, source)
    else:
        found = _term(env, where, str(source.obs))
    if len(found.shape) != 1 or 0 in found.shape:
        raise ContractError(
            f"{where}: a state is a row of numbers an env, but {source.obs} has the shape {found.shape} an env. Name "
            "another term, or take the key out."
        )
    found = found.then(found.shape, lambda frame: _as_float32(frame, where))
    if source.slice is not None:
        begin, end = source.slice
        if end > found.shape[0]:
            raise ContractError(
                f"{where}: slice is [{begin}, {end}], but there are {found.shape[0]} numbers. Set slice within them."
            )
        found = found.then((end - begin,), lambda frame: frame[:, begin:end])
    if (source.scale, source.offset) == (1, 0):
        return found
    numbers = number_map(where, found.shape[0], source.scale, source.offset)
    return found.then(found.shape, numbers.forward)


def number_map(where: str, width: int, scale: Any, offset: Any, **settings: Any) -> NumberMap:
    """Return the NumberMap of a key with ``width`` numbers.

    Args:
        where: The key that the message names.
        width: D.
        scale: A number for all, or a list of ``width`` numbers.
        offset: As scale.
        **settings: The map's further settings.

    Raises:
        ContractError: A list has another length, or the map refuses a setting.
    """
    tensors = []
    for name, value in (("scale", scale), ("offset", offset)):
        if isinstance(value, Sequence) and len(value) != width:
            raise ContractError(f"{where}: {name} has {len(value)} numbers, but the key has {width}. Give one each.")
        tensors.append(torch.as_tensor(value, dtype=torch.float32))
    try:
        return NumberMap(tensors[0], tensors[1], **settings)
    except ContractError as error:
        raise ContractError(f"{where}: {error}") from error


def _camera(env: IsaacLabEnv, where: str, name: str) -> Source:
    """Return the source that is the pixels of a camera of the scene."""
    if name not in env.cameras:
        what = "its sensor of that name is none" if name in env.sensors else "it has no sensor of that name"
        raise ContractError(
            f"{where}: '{name}' is no camera of the env; {what}.{did_you_mean(name, env.cameras)} "
            f"Cameras: {', '.join(env.cameras) or 'none'}."
        )
    camera = env.cameras[name]
    if "rgb" not in camera.cfg.data_types:
        raise ContractError(
            f"{where}: the camera '{name}' gives {', '.join(camera.cfg.data_types)}, but GR00T takes rgb. "
            "Add rgb to its data_types."
        )

    def read(raw: Any) -> torch.Tensor:
        output = camera.data.output
        if "rgb" not in output:
            raise ContractError(
                f"{where}: the camera '{name}' is configured to give rgb, but gives {', '.join(output) or 'nothing'}. "
                f"Mend the camera, or name a term that gives its picture: {where}={{obs: GROUP.TERM}}."
            )
        return camera_rgb(as_torch(output["rgb"], where), where)

    return Source((*camera.image_shape, 3), True, read)


def _joints(env: IsaacLabEnv, where: str, patterns: Sequence[str]) -> Source:
    """Return the source that is the positions of the joints that ``patterns`` match, all on one robot."""
    for robot in env.robots.values():
        found = [[i for i, name in enumerate(robot.joint_names) if re.fullmatch(p, name)] for p in patterns]
        if all(found):
            return _joint_positions(robot.data, [i for match in found for i in match])
    names = [name for robot in env.robots.values() for name in robot.joint_names]
    missing = [p for p in patterns if not any(re.fullmatch(p, name) for name in names)]
    offered = "; ".join(f"{name}: {', '.join(robot.joint_names)}" for name, robot in env.robots.items())
    raise ContractError(
        f"{where}: no robot of the env has joints that match all of {', '.join(patterns)}."
        f"{did_you_mean(missing[0], names) if missing else ''} The env has {offered or 'no robot'}."
    )


def _joint_positions(data: Any, ids: list[int]) -> Source:
    """Return the source that is the positions of a robot's joints with the indices ``ids``."""
    return Source((len(ids),), False, lambda raw: as_torch(data.joint_pos)[:, ids])


def _body(env: IsaacLabEnv, where: str, source: StateSource) -> Source:
    """Return the source that is a body's pose, in the frame and the form that ``source`` asks for."""
    name, body = find_body(env.robots, where, str(source.body))
    robot, form = env.robots[name], PoseForm.of(source)
    frame = frame_in_root(env.base.scene, robot, where, source.frame)

    def read(raw: Any) -> torch.Tensor:
        pose = body_pose_in_root(robot.data, body)
        return form.write(pose if frame is None else compose(inverse(frame()), pose))

    return Source((form.width,), False, read)


def _term(env: IsaacLabEnv, where: str, path: str) -> Source:
    """Return the source that is the observation term at ``group.term``."""
    if path not in env.observations:
        raise ContractError(
            f"{where}: the env's observation has no '{path}'.{did_you_mean(path, env.observations)} "
            f"It has: {', '.join(env.observations) or 'nothing'}; terms have names where their group is configured "
            "with concatenate_terms=False, else take the group and a slice."
        )
    names = path.split(".")

    def read(raw: Any) -> torch.Tensor:
        for name in names:
            if not isinstance(raw, Mapping) or name not in raw:
                raise ContractError(
                    f"{where}: the env's observation space has '{path}', but its observation has not. Mend the env, or "
                    "name another term."
                )
            raw = raw[name]
        return as_torch(raw, where)

    return Source(env.observations[path], False, read)


def _as_float32(frame: torch.Tensor, where: str) -> torch.Tensor:
    """Return a frame of states as it is, if it is float32 (num_envs, D)."""
    if frame.dtype != torch.float32 or frame.ndim != 2:
        raise ContractError(
            f"{where}: GR00T takes torch.float32, but the env gives {frame.dtype} of shape {tuple(frame.shape)}. "
            "Let the env's term return float32 (num_envs, D) (.float())."
        )
    return frame
