"""Background: the floor, walls and what else is behind are of another colour."""

from typing import ClassVar

from runners.variations.painted import PaintedParts

__all__ = ["Background"]


class Background(PaintedParts):
    """Paints what is behind: floor and walls."""

    kind: ClassVar[str] = "background"
    role: ClassVar[str] = "background"
