"""ObjectColour: the objects that the task is about are of another colour."""

from typing import ClassVar

from runners.variations.painted import PaintedParts

__all__ = ["ObjectColour"]


class ObjectColour(PaintedParts):
    """Paints the objects that the task is about."""

    kind: ClassVar[str] = "object_colour"
    role: ClassVar[str] = "objects"
