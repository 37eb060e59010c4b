"""Poses as MuJoCo has them, position and quaternion w, x, y, z, and what USD takes for them."""

from collections.abc import Iterable
from typing import Any

import mujoco
import numpy as np
from pxr import Gf, UsdGeom

__all__ = ["IDENTITY", "Pose", "compose_poses", "place", "rotation_matrix", "usd_quaternion", "usd_vector"]

Pose = tuple[np.ndarray, np.ndarray]
"""Position (3,), m, and quaternion w, x, y, z (4,)."""

IDENTITY: Pose = (np.zeros(3), np.array([1.0, 0.0, 0.0, 0.0]))


def compose_poses(outer: Pose, inner: Pose) -> Pose:
    """Return a pose in the frame of ``outer``'s parent that is ``inner`` in its own."""
    position, quaternion = np.zeros(3), np.zeros(4)
    mujoco.mju_mulPose(position, quaternion, *outer, *inner)
    return position, quaternion


def rotation_matrix(quaternion: np.ndarray) -> np.ndarray:
    """Return the matrix (3, 3) of a quaternion."""
    matrix = np.zeros(9)
    mujoco.mju_quat2Mat(matrix, quaternion)
    return matrix.reshape(3, 3)


def usd_vector(values: Iterable[float]) -> Any:
    """Return three numbers as USD has them."""
    return Gf.Vec3f(*(float(value) for value in values))


def usd_quaternion(values: Iterable[float]) -> Any:
    """Return a quaternion w, x, y, z as USD has it."""
    return Gf.Quatf(*(float(value) for value in values))


def place(shape: Any, pose: Pose) -> Any:
    """Put a prim at a pose in its parent's frame, and return its schema."""
    prim = UsdGeom.Xformable(shape)
    prim.AddTranslateOp().Set(Gf.Vec3d(*pose[0].tolist()))
    prim.AddOrientOp().Set(usd_quaternion(pose[1]))
    return prim
