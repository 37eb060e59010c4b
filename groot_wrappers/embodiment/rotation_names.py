"""What a declaration may call a rotation and a pose, checked without torch.

* ``Rotation``, ``RotationName``: the forms of a rotation.
* ``require_held``: which axes and which point of a body are meant.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from groot_wrappers.errors import ContractError, did_you_mean
from groot_wrappers.installation.compat import StrEnum

__all__ = ["Rotation", "RotationName", "require_held"]

_ANGLE_ORDERS = ("xyz", "xzy", "yxz", "yzx", "zxy", "zyx")


class Rotation(StrEnum):
    """How a rotation is written, in radians where it is angles."""

    quaternion = "quaternion"
    """4 numbers, w >= 0; ``order`` xyzw (the default) or wxyz."""
    axis_angle = "axis_angle"
    """The axis times the angle, which is at most pi: past it, the three numbers leap to their opposites."""
    rpy = "rpy"
    """3 angles in ``order``: xyz (the default) about the fixed x, y, z axes in this order of turning, zyx and the like
    as named; XYZ and the like in capitals about the axes that turn along. The middle one is within pi / 2."""
    rot6d = "rot6d"
    """6 numbers: of the rotation matrix the first two ``rows``, or the first two ``columns``, one after the other.
    ``order`` has to say which, as the one read for the other is a rotation too: the inverse."""
    matrix = "matrix"
    """9 numbers: the rotation matrix by ``rows`` (the default), or by ``columns``."""


_ORDERS: dict[Rotation, tuple[str, ...]] = {
    Rotation.quaternion: ("xyzw", "wxyz"),
    Rotation.axis_angle: (),
    Rotation.rpy: (*_ANGLE_ORDERS, *(order.upper() for order in _ANGLE_ORDERS)),
    Rotation.rot6d: ("rows", "columns"),
    Rotation.matrix: ("rows", "columns"),
}
_WIDTHS = {
    Rotation.quaternion: 4,
    Rotation.axis_angle: 3,
    Rotation.rpy: 3,
    Rotation.rot6d: 6,
    Rotation.matrix: 9,
}


@dataclass(frozen=True)
class RotationName:
    """One way to write a rotation, by name.

    Args:
        rotation: Kind of the numbers.
        order: What they are in the order of, as :class:`Rotation` says; None for the default, where there is one.

    Raises:
        ContractError: There is no such kind or order, or an order is needed.
    """

    rotation: Rotation
    order: str | None = None

    def __post_init__(self) -> None:
        if self.rotation not in list(Rotation):
            raise ContractError(
                f"rotation is {self.rotation!r}, but it takes one of {', '.join(Rotation)}."
                f"{did_you_mean(str(self.rotation), list(Rotation))}"
            )
        rotation, orders = Rotation(self.rotation), _ORDERS[Rotation(self.rotation)]
        object.__setattr__(self, "rotation", rotation)
        if self.order is None:
            if rotation is Rotation.rot6d:
                raise ContractError(
                    "rotation is rot6d, but order does not say of what. Write order: rows where the data has the first "
                    "two rows of the rotation matrix, as GR00T has, or order: columns."
                )
            object.__setattr__(self, "order", orders[0] if orders else "")
        elif self.order not in orders:
            raise ContractError(
                f"order is {self.order!r}, but {rotation} takes {', '.join(orders) or 'none: leave it out'}."
                f"{did_you_mean(str(self.order), orders)}"
            )

    @property
    def width(self) -> int:
        """How many numbers there are."""
        return _WIDTHS[self.rotation]


def require_held(turned: Any, point: Any) -> None:
    """Check which axes and which point of a body an entry of an embodiment means.

    Args:
        turned: 3 rows of a rotation matrix, 3 angles in rad, or None.
        point: x, y, z in m, or None.

    Raises:
        ContractError: One of them is none of these.
    """
    if point is not None and not _are_numbers(point):
        raise ContractError(f"point is {point!r}, but it takes [x, y, z] in the body's frame, in m.")
    if turned is None or _are_numbers(turned):
        return
    if not (isinstance(turned, Sequence) and len(turned) == 3 and all(map(_are_numbers, turned))):
        raise ContractError(
            f"turned is {turned!r}, but it takes the three rows of a rotation matrix, [[0, 0, -1], [-1, 0, 0], "
            "[0, 1, 0]], or three angles [roll, pitch, yaw] in rad."
        )
    (a, b, c), (d, e, f), third = turned
    across = [b * f - c * e, c * d - a * f, a * e - b * d]
    products = [a * a + b * b + c * c - 1, d * d + e * e + f * f - 1, a * d + b * e + c * f]
    if max(map(abs, [*products, *(x - y for x, y in zip(across, third, strict=True))])) > 1e-3:
        raise ContractError(
            f"turned is {turned!r}, which is no rotation matrix: its rows must be of length 1, at right "
            "angles, and its determinant 1. Mend a sign or a row."
        )


def _are_numbers(value: Any) -> bool:
    """Whether this is a list of three numbers."""
    return (
        isinstance(value, Sequence)
        and len(value) == 3
        and all(isinstance(number, int | float) and not isinstance(number, bool) for number in value)
    )
