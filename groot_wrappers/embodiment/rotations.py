"""Rotations and poses: how they are composed, and the forms in which data sets and checkpoints write them.

Within the package a rotation is a unit quaternion x, y, z, w, and a pose is x, y, z (m) with that: (..., 7). A pose of
B in A takes points of B's frame to A's.

* ``compose``, ``inverse``: of poses.
* ``RotationForm``: the forms, to write a quaternion in and to read it from.
* ``PoseForm``: the same for the pose of a body: of which point, along which axes, and how they are written.

All tensors are float32 or float64; leading dimensions broadcast. What no rotation can be read from becomes NaN.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from groot_wrappers.embodiment.embodiment import ActionTarget, StateSource
from groot_wrappers.embodiment.rotation_names import Rotation, RotationName

__all__ = ["PoseForm", "RotationForm", "compose", "inverse", "matrix", "quaternion"]

_LOCKED = 1e-6
"""Cosine of the middle angle below which the other two turn about one axis, and only their sum is known."""


class RotationForm(RotationName):
    """One way to write a rotation, and to read it."""

    def write(self, rotation: torch.Tensor) -> torch.Tensor:
        """Return the numbers, (..., width), of unit quaternions (..., 4)."""
        if self.rotation is Rotation.rpy:
            return _angles(matrix(rotation), str(self.order))
        if self.rotation is Rotation.rot6d or self.rotation is Rotation.matrix:
            lines = matrix(rotation) if self.order == "rows" else matrix(rotation).mT
            return lines.flatten(-2)[..., : self.width]
        # q and -q are one rotation: a sign that flips between steps would look like a jump to the policy.
        rotation = torch.where(rotation[..., 3:] < 0, -rotation, rotation)
        if self.rotation is Rotation.quaternion:
            return rotation if self.order == "xyzw" else rotation.roll(1, dims=-1)
        sine = rotation[..., :3].norm(dim=-1, keepdim=True)
        angle = 2 * torch.atan2(sine, rotation[..., 3:])
        return rotation[..., :3] * torch.where(sine < 1e-8, 2.0, angle / sine.clamp_min(1e-8))

    def read(self, numbers: torch.Tensor) -> torch.Tensor:
        """Return unit quaternions (..., 4) of numbers (..., width), which may be off by what a model errs.

        A quaternion is brought to the length 1. Of a matrix the first two rows (or columns, as ``order`` has it) are
        made orthonormal, the first keeping its direction, and the third follows from them.
        """
        if self.rotation is Rotation.rpy:
            return _from_angles(numbers, str(self.order))
        if self.rotation is Rotation.quaternion:
            numbers = numbers if self.order == "xyzw" else numbers.roll(-1, dims=-1)
            return _normalized(numbers)
        if self.rotation is Rotation.axis_angle:
            half = numbers.norm(dim=-1, keepdim=True) / 2
            return torch.cat([numbers / 2 * torch.sinc(half / torch.pi), half.cos()], dim=-1)
        first = _normalized(numbers[..., :3])
        second = _normalized(numbers[..., 3:6] - (first * numbers[..., 3:6]).sum(-1, keepdim=True) * first)
        lines = torch.stack([first, second, _cross(first, second)], dim=-2)
        return quaternion(lines if self.order == "rows" else lines.mT)


@dataclass(frozen=True, eq=False)
class PoseForm:
    """One way to write the pose of a body: x, y, z (m), then the rotation.

    Args:
        rotation: How the rotation is written.
        held: Pose of what is written in the body, float32 (7,), such as that of a tool.
    """

    rotation: RotationForm
    held: torch.Tensor

    @classmethod
    def of(cls, source: StateSource | ActionTarget) -> "PoseForm":
        """Return the form that an entry of an embodiment declares."""
        place, turn = torch.zeros(3), torch.tensor([0.0, 0.0, 0.0, 1.0])
        if source.point is not None:
            place = torch.tensor([float(number) for number in source.point])
        if source.turned is not None:
            told = torch.tensor([list(row) if isinstance(row, Sequence) else row for row in source.turned]).double()
            turn = (_from_angles(told, "xyz") if told.dim() == 1 else quaternion(told)).float()
        return cls(RotationForm(source.rotation or Rotation.quaternion, source.order), torch.cat([place, turn]))

    @property
    def width(self) -> int:
        """How many numbers there are."""
        return 3 + self.rotation.width

    def write(self, pose: torch.Tensor) -> torch.Tensor:
        """Return the numbers, (..., width), of poses of the body (..., 7)."""
        held = compose(pose, self.held.to(pose))
        return torch.cat([held[..., :3], self.rotation.write(held[..., 3:])], dim=-1)

    def read(self, numbers: torch.Tensor, reference: torch.Tensor | None = None) -> torch.Tensor:
        """Return poses of the body, (..., 7), of numbers (..., width).

        Args:
            numbers: The pose of what is written in ``reference``.
            reference: A pose (..., 7), in whose own frame the poses come back; None where the numbers are in that.
        """
        held = torch.cat([numbers[..., :3], self.rotation.read(numbers[..., 3:])], dim=-1)
        held = held if reference is None else compose(reference, held)
        return compose(held, inverse(self.held.to(held)))


def compose(outer: torch.Tensor, inner: torch.Tensor) -> torch.Tensor:
    """Return the pose of C in A, (..., 7), of B's in A and C's in B."""
    position = outer[..., :3] + _rotate(outer[..., 3:], inner[..., :3])
    return torch.cat([position, _multiply(outer[..., 3:], inner[..., 3:])], dim=-1)


def inverse(pose: torch.Tensor) -> torch.Tensor:
    """Return the pose of A in B, (..., 7), of B's in A."""
    back = _conjugate(pose[..., 3:])
    return torch.cat([-_rotate(back, pose[..., :3]), back], dim=-1)


def matrix(rotation: torch.Tensor) -> torch.Tensor:
    """Return rotation matrices (..., 3, 3) of unit quaternions (..., 4); the columns are the turned axes."""
    return torch.stack([_rotate(rotation, axis) for axis in torch.eye(3).to(rotation)], dim=-1)


def quaternion(matrices: torch.Tensor) -> torch.Tensor:
    """Return unit quaternions (..., 4) of rotation matrices (..., 3, 3)."""
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = (row.unbind(-1) for row in matrices.unbind(-2))
    # Each row is the quaternion times four times one of its numbers; the row of the largest number errs least.
    rows = torch.stack(
        [
            torch.stack([1 + xx - yy - zz, xy + yx, xz + zx, zy - yz], dim=-1),
            torch.stack([xy + yx, 1 - xx + yy - zz, yz + zy, xz - zx], dim=-1),
            torch.stack([xz + zx, yz + zy, 1 - xx - yy + zz, yx - xy], dim=-1),
            torch.stack([zy - yz, xz - zx, yx - xy, 1 + xx + yy + zz], dim=-1),
        ],
        dim=-2,
    )
    best = rows.diagonal(dim1=-2, dim2=-1).argmax(dim=-1)[..., None, None].expand(*rows.shape[:-2], 1, 4)
    return _normalized(rows.gather(-2, best).squeeze(-2))


def _normalized(vectors: torch.Tensor) -> torch.Tensor:
    """Return vectors (..., D) of length 1 along these; NaN for zeros."""
    lengths: torch.Tensor = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
    return vectors / lengths


def _multiply(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Return the rotation ``second`` and then ``first``, (..., 4)."""
    v, w, u, s = first[..., :3], first[..., 3:], second[..., :3], second[..., 3:]
    turned = w * u + s * v + _cross(v, u)
    return torch.cat([turned, w * s - (v * u).sum(-1, keepdim=True)], dim=-1)


def _cross(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Return the cross product (..., 3); torch's own takes no vectors of unlike many dimensions."""
    return first.roll(-1, -1) * second.roll(-2, -1) - first.roll(-2, -1) * second.roll(-1, -1)


def _conjugate(rotation: torch.Tensor) -> torch.Tensor:
    return torch.cat([-rotation[..., :3], rotation[..., 3:]], dim=-1)


def _rotate(rotation: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """Return points (..., 3) turned by unit quaternions (..., 4)."""
    across = 2 * _cross(rotation[..., :3], points)
    return points + rotation[..., 3:] * across + _cross(rotation[..., :3], across)


def _from_angles(angles: torch.Tensor, order: str) -> torch.Tensor:
    """Return unit quaternions (..., 4) of angles (..., 3) about the axes that ``order`` names."""
    turns = []
    for name, angle in zip(order.lower(), angles.unbind(-1), strict=True):
        turn = torch.zeros((*angle.shape, 4), dtype=angle.dtype, device=angle.device)
        turn[..., "xyz".index(name)] = (angle / 2).sin()
        turn[..., 3] = (angle / 2).cos()
        turns.append(turn)
    first, second, third = turns if order.isupper() else reversed(turns)
    return _multiply(_multiply(first, second), third)


def _angles(matrices: torch.Tensor, order: str) -> torch.Tensor:
    """Return angles (..., 3) of rotation matrices (..., 3, 3); where two turn about one axis, one of them is 0."""
    # Turning about fixed axes is turning about axes that turn along, in the reversed order.
    axes = order.lower() if order.isupper() else order[::-1]
    i, j, k = ("xyz".index(name) for name in axes)
    sign = 1.0 if (j - i) % 3 == 1 else -1.0
    cosine = torch.hypot(matrices[..., i, i], matrices[..., i, j])
    middle = torch.atan2(sign * matrices[..., i, k], cosine)
    free = torch.atan2(-sign * matrices[..., j, k], matrices[..., k, k])
    locked = torch.atan2(sign * matrices[..., k, j], matrices[..., j, j])
    first = torch.where(cosine < _LOCKED, locked, free)
    third = torch.where(cosine < _LOCKED, 0.0, torch.atan2(-sign * matrices[..., i, j], matrices[..., i, i]))
    angles = [first, middle, third]
    return torch.stack(angles if order.isupper() else angles[::-1], dim=-1)
