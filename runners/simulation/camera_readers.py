"""What draws the cameras of an env's scene, whether a policy looks through them or not."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from groot_wrappers.embodiment.embodiment import VideoSource
from groot_wrappers.embodiment.isaaclab_env import IsaacLabEnv
from groot_wrappers.embodiment.sources import video_source

__all__ = ["camera_readers"]


def camera_readers(env: IsaacLabEnv) -> dict[str, Callable[[], np.ndarray[Any, Any]]]:
    """Return, for each camera of a scene, what returns its present picture of each env, uint8 (num_envs, 1, H, W, 3).

    A picture is drawn as it is looked at, and may be a view of memory that the next step writes over.

    Args:
        env: The env.
    """
    return {name: functools.partial(_read, env, name) for name in env.cameras}


def _read(env: IsaacLabEnv, name: str) -> np.ndarray[Any, Any]:
    source = video_source(env, name, VideoSource(sensor=name))
    picture: np.ndarray[Any, Any] = source.read(None).unsqueeze(1).cpu().numpy()
    return picture
