"""What an exported asset is, without USD's own package: ``Asset``, ``Kind``, ``ARENA``."""

from typing import Literal

import msgspec

__all__ = ["ARENA", "Asset", "Kind"]

ARENA = "arena"
"""The name of the asset of all that never moves."""

Kind = Literal["static", "free", "jointed"]
"""Whether it stands still, moves freely, or has joints and stands on something."""


class Asset(msgspec.Struct, frozen=True):
    """A file, and how it is spawned.

    Attributes:
        file: Its name in the folder.
        kind: What it is.
        position: In the world, m.
        quaternion: x, y, z, w.
    """

    file: str
    kind: Kind
    position: tuple[float, float, float]
    quaternion: tuple[float, float, float, float]
