"""Round shapes as triangles, cut as MuJoCo's own renderer cuts them: ``round_shape``; and ``grid_faces``."""

from collections.abc import Iterable

import mujoco
import numpy as np

__all__ = ["grid_faces", "round_shape"]

Profile = Iterable[tuple[float, float, float, float]]
"""What turns about z, from its lower end up: radius and height, m, and the normal outwards and upwards."""


def round_shape(
    kind: mujoco.mjtGeom, size: np.ndarray, slices: int, stacks: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return points (n, 3), three of each triangle (m, 3) and normals (n, 3).

    Args:
        kind: A cylinder, a capsule or a sphere.
        size: Radius and, of the first two, half of the height, m.
        slices: About z.
        stacks: Of a sphere, or along z.

    Raises:
        NotImplementedError: It is none of them.
    """
    radius, half = float(size[0]), float(size[1])
    rise = np.linspace(0, np.pi / 2, stacks // 2 + 1)
    if kind == mujoco.mjtGeom.mjGEOM_CYLINDER:
        rings = radius * np.linspace(0, 1, stacks // 2 + 1)
        profiles: list[Profile] = [
            [(ring, -half, 0.0, -1.0) for ring in rings],
            [(radius, height, 1.0, 0.0) for height in half * np.linspace(-1, 1, stacks + 1)],
            [(ring, half, 0.0, 1.0) for ring in rings[::-1]],
        ]
    elif kind in (mujoco.mjtGeom.mjGEOM_CAPSULE, mujoco.mjtGeom.mjGEOM_SPHERE):
        apart = half if kind == mujoco.mjtGeom.mjGEOM_CAPSULE else 0.0
        below, above = -rise[::-1], rise
        profiles = [
            [(radius * np.cos(at), radius * np.sin(at) - apart, np.cos(at), np.sin(at)) for at in below]
            + [(radius * np.cos(at), radius * np.sin(at) + apart, np.cos(at), np.sin(at)) for at in above]
        ]
    else:
        raise NotImplementedError(
            f"a {kind.name} is seen, but boxes, planes, cylinders, capsules, spheres and meshes alone are written"
        )
    turned = [_turned(np.array(profile), slices) for profile in profiles]
    starts = np.cumsum([0, *(len(points) for points, _, _ in turned)])
    faces = [faces + start for (_, faces, _), start in zip(turned, starts, strict=False)]
    return np.concatenate([part[0] for part in turned]), np.concatenate(faces), np.concatenate([p[2] for p in turned])


def grid_faces(shape: tuple[int, ...]) -> np.ndarray:
    """Return the triangles (m, 3) of a grid of points, counter-clockwise seen from where rows x columns points to."""
    rows, columns = shape
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    below, beside = corner + columns, corner + 1
    # Cut as Mesa cuts a square whose corners come around in this order.
    return np.concatenate([np.stack([corner, below, beside], 1), np.stack([below, below + 1, beside], 1)])


def _turned(profile: np.ndarray, slices: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    angle = np.linspace(0, 2 * np.pi, slices + 1)
    circle = np.stack([np.cos(angle), np.sin(angle), np.ones_like(angle)], 1)

    def turn(out: np.ndarray, up: np.ndarray) -> np.ndarray:
        return (np.stack([out, out, up], 1)[:, None] * circle).reshape(-1, 3)

    faces = grid_faces((len(profile), len(angle)))[:, ::-1]
    return turn(profile[:, 0], profile[:, 1]), faces, turn(profile[:, 2], profile[:, 3])
