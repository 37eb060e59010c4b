"""Sources: the functions that read an embodiment's video and state keys from an IsaacLab env.

Classes:
    Source: one key's frame, its shape, and whether reading it draws a camera.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from gymnasium import spaces

from groot_wrappers.embodiment import StateSource, VideoSource
from groot_wrappers.errors import ContractError, did_you_mean

__all__ = ["Source", "state_source", "video_source"]


@dataclass(frozen=True)
class Source:
    """Reads the present frame of one key.

    Args:
        shape: Shape of one env's frame: (H, W, 3) or (D,).
        dtype: What GR00T takes: uint8 for video, float32 for state.
        draws: Whether reading it draws a camera.
        read: Takes the env's own latest observation, returns the frame of all envs, (num_envs, *shape). It may be a
            view of a buffer that the simulator overwrites on its next step.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    draws: bool
    read: Callable[[Any], torch.Tensor]


def video_source(env: Any, key: str, source: VideoSource) -> Source:
    """Return the source of a video key.

    Raises:
        ContractError: The env has no such camera or observation term.
    """
    if source.sensor is None:
        return _term(env, f"video.{key}", str(source.obs), torch.uint8)
    sensors = env.scene.sensors
    if source.sensor not in sensors:
        raise ContractError(
            f"embodiment.video.{key}: the env has no sensor '{source.sensor}'.{did_you_mean(source.sensor, sensors)} "
            f"It has: {', '.join(sensors) or 'none'}."
        )
    camera = sensors[source.sensor]
    return Source((*camera.image_shape, 3), torch.uint8, True, lambda raw: _as_torch(camera.data.output["rgb"]))


def state_source(env: Any, key: str, source: StateSource) -> Source:
    """Return the source of a state key.

    Raises:
        ContractError: The env has no such observation term, or no robot with such joints.
    """
    if source.joints:
        return _joints(env, key, source.joints)
    return _term(env, f"state.{key}", str(source.obs), torch.float32)


def _joints(env: Any, key: str, patterns: Sequence[str]) -> Source:
    """Return the source that is the positions of the joints that ``patterns`` match, all on one robot."""
    robots = dict(env.scene.articulations)
    for robot in robots.values():
        found = [[i for i, name in enumerate(robot.joint_names) if re.fullmatch(p, name)] for p in patterns]
        if all(found):
            return _joint_positions(robot.data, [i for match in found for i in match])
    offered = "; ".join(f"{name}: {', '.join(robot.joint_names)}" for name, robot in robots.items())
    raise ContractError(
        f"embodiment.state.{key}: no robot of the env has joints that match all of {', '.join(patterns)}. "
        f"The env has {offered or 'no robot'}."
    )


def _joint_positions(data: Any, ids: list[int]) -> Source:
    """Return the source that is the positions of a robot's joints with the indices ``ids``."""
    return Source((len(ids),), torch.float32, False, lambda raw: _as_torch(data.joint_pos)[:, ids])


def _term(env: Any, key: str, path: str, dtype: torch.dtype) -> Source:
    """Return the source that is the observation term at ``group.term``."""
    space = env.single_observation_space
    names = path.split(".")
    for name in names:
        offered = space.spaces if isinstance(space, spaces.Dict) else {}
        if name not in offered:
            raise ContractError(
                f"embodiment.{key}: the env's observation has no '{path}'.{did_you_mean(name, offered)} "
                f"There it has: {', '.join(offered) or 'no names'}; terms have names where their group is configured "
                "with concatenate_terms=False."
            )
        space = offered[name]

    def read(raw: Any) -> torch.Tensor:
        for name in names:
            raw = raw[name]
        return _as_torch(raw)

    return Source(tuple(space.shape), dtype, False, read)


def _as_torch(buffer: Any) -> torch.Tensor:
    """Return a tensor, unpacking the proxy arrays of IsaacLab 3 (their ``torch`` is a view of the same memory)."""
    return buffer if isinstance(buffer, torch.Tensor) else buffer.torch
