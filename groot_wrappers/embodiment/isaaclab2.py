"""IsaacLab 2.3 where it differs from 3.0: in the order of a quaternion's numbers, and in when its cameras are drawn.

What is installed is asked how it behaves, as its versions tell it badly: the source tree of 2.3.2 calls itself 0.54.

* ``to_xyzw``, ``from_xyzw``: quaternions out of IsaacLab's own order, and into it.
* ``drawn_at_resets``: lets resets draw the cameras, or not.
* ``let_cameras_be_read_anew``: some envs' pictures, which were read too early.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch

__all__ = ["drawn_at_resets", "from_xyzw", "let_cameras_be_read_anew", "to_xyzw"]


def to_xyzw(quaternion: torch.Tensor) -> torch.Tensor:
    """Return quaternions of IsaacLab's order, (..., 4), in the order x, y, z, w."""
    return quaternion.roll(-1, dims=-1) if _has_w_first() else quaternion


def from_xyzw(quaternion: torch.Tensor) -> torch.Tensor:
    """Return quaternions x, y, z, w, (..., 4), in IsaacLab's order, as its own functions take them."""
    return quaternion.roll(1, dims=-1) if _has_w_first() else quaternion


@contextmanager
def drawn_at_resets(base: Any, drawn: bool = True) -> Iterator[None]:
    """Within the block, let the resets of an env draw its cameras, or not.

    A camera of IsaacLab 2.3 shows what was drawn last, and a reset draws only where the env's config says so: else the
    first picture of an episode is the last one of the episode before. More drawings than one stay as many as are
    configured, and after the block the config is as it was. IsaacLab 3 draws a camera when it is looked at, and is left
    alone.

    Args:
        base: The env without its wrappers.
        drawn: False where another reset follows at the same moment, which draws all envs.
    """
    setting = _setting_of_drawings(base)
    if setting is None:
        yield
        return
    configured = getattr(base.cfg, setting)
    setattr(base.cfg, setting, max(1, configured) if drawn else 0)
    try:
        yield
    finally:
        setattr(base.cfg, setting, configured)


def let_cameras_be_read_anew(base: Any, cameras: Iterable[Any], env_ids: Sequence[int]) -> None:
    """Let cameras forget some envs' pictures, which a term has read before they were drawn.

    A reset computes the observation of all envs, and a camera of IsaacLab 2.3 reads each env's picture once a moment.
    Those that cast rays are left alone: they need no drawing, and a reset would take their drift from another seed.
    """
    if _setting_of_drawings(base) is not None and env_ids:
        for camera in (camera for camera in cameras if not hasattr(camera, "drift")):
            camera.reset(torch.as_tensor(env_ids, dtype=torch.int64, device=base.device))


def _has_w_first() -> bool:
    """Whether the IsaacLab that is installed writes quaternions w, x, y, z, as 2.3 does, or x, y, z, w, as 3 does."""
    from isaaclab.utils.math import quat_from_euler_xyz  # noqa: PLC0415  # this is imported where IsaacLab is not

    return _puts_w_first(quat_from_euler_xyz)


@cache  # asked on every control step
def _puts_w_first(quat_from_euler_xyz: Callable[..., torch.Tensor]) -> bool:
    no_turn = quat_from_euler_xyz(torch.zeros(1), torch.zeros(1), torch.zeros(1))
    return bool(no_turn[0, 0] == 1)


def _setting_of_drawings(base: Any) -> str | None:
    """Return the setting of an env that says how often a reset draws; None where cameras draw themselves."""
    if not callable(getattr(getattr(base, "sim", None), "has_rtx_sensors", None)):
        return None
    names = ("num_rerenders_on_reset", "rerender_on_reset")  # 2.3.0 has the second alone, where 1 is as good as True
    return next((name for name in names if hasattr(base.cfg, name)), None)
