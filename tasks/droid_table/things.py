"""What can stand on DROID's table: ``THINGS`` by name, and which of them an instruction names. No simulator.

A thing has a colour of its own, by which a picture tells it from the table, the robot and all others.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from tasks.assets.things import Box, Cylinder, Feet, Lathe, Part, Wall

__all__ = ["THINGS", "Thing", "asked"]

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Thing:
    """Something on the table. Its origin is in the middle of what it stands on.

    Attributes:
        colour: Of most of what is seen of it; red, green, blue.
        parts: What it is built of.
        mass: kg.
        outline: Circles (radius, z) about its axis whose hull it fills, as a camera sees it.
        grip: Height at which the middle of the finger pads holds it.
        width: Between the pads, when it is held.
        room: How far from its axis that of another may be, and the height that the other then stands at; zeros for what
            nothing is put onto.
    """

    colour: Colour
    parts: tuple[Part, ...]
    mass: float
    outline: tuple[tuple[float, float], ...]
    grip: float = 0.0
    width: float = 0.0
    room: tuple[float, float] = (0.0, 0.0)

    @property
    def is_target(self) -> bool:
        """Whether others are put onto it, and it stays where it is."""
        return self.room[0] > 0

    @property
    def height(self) -> float:
        """Of its outline."""
        return max(z for _, z in self.outline)


_WHITE: Colour = (0.85, 0.85, 0.83)
_RAISED = 0.002
"""Height at which begins what collides of a thing, but for its feet."""


def _round(
    colour: Colour, outline: tuple[tuple[float, float], ...], radius: float, height: float, grip: float, *more: Part
) -> Thing:
    """Return something round that can be held by its sides."""
    return Thing(
        colour,
        (Lathe(outline, colour), Cylinder(radius, _RAISED, height), Feet(0.6 * radius), *more),
        mass=0.12,
        outline=tuple(point for point in outline if point[0] > radius / 2),
        grip=grip,
        width=2 * radius,
    )


def _mug(colour: Colour) -> Thing:
    """Return a mug with a white handle, which points away from the robot."""
    handle = (
        Box((0.026, 0.009, 0.008), (0.041, 0.0, 0.064), _WHITE),
        Box((0.026, 0.009, 0.008), (0.041, 0.0, 0.018), _WHITE),
        Box((0.008, 0.009, 0.054), (0.056, 0.0, 0.041), _WHITE),
    )
    cup = ((0.0, 0.0), (0.028, 0.0), (0.03, 0.004), (0.03, 0.08), (0.027, 0.08), (0.026, 0.008), (0.0, 0.008))
    return _round(colour, cup, 0.03, 0.08, 0.042, *handle)


def _can(colour: Colour) -> Thing:
    """Return a tin with a ring on its lid."""
    body = ((0.0, 0.0), (0.0295, 0.0), (0.0295, 0.092), (0.0265, 0.092), (0.0265, 0.089), (0.0, 0.089))
    ring = Box((0.018, 0.009, 0.002), (0.006, 0.0, 0.0905), (0.6, 0.61, 0.63), False)
    return _round(colour, body, 0.0295, 0.092, 0.056, ring)


def _bottle(colour: Colour) -> Thing:
    """Return a squeezing bottle with a white cap."""
    body = ((0.0, 0.0), (0.026, 0.0), (0.027, 0.01), (0.027, 0.085), (0.014, 0.1), (0.0, 0.1))
    cap = Lathe(((0.0, 0.1), (0.012, 0.1), (0.006, 0.12), (0.0, 0.12)), _WHITE)
    return _round(colour, body, 0.027, 0.085, 0.06, cap, Cylinder(0.012, 0.085, 0.12))


def _fruit(colour: Colour) -> Thing:
    """Return a fruit, as round as it looks from outside, that does not roll away."""
    ball = ((0.0, 0.0), (0.015, 0.003), (0.024, 0.011), (0.029, 0.022), (0.03, 0.03))
    outline = (*ball, *((radius, 0.06 - z) for radius, z in ball[-2::-1]))
    return _round(
        colour, outline, 0.029, 0.058, 0.03, Box((0.004, 0.004, 0.01), (0, 0, 0.063), (0.2, 0.15, 0.1), False)
    )


def _block(colour: Colour) -> Thing:
    side = 0.045
    return Thing(
        colour,
        (
            Box((side,) * 3, (0.0, 0.0, side / 2), colour, collides=False, grain=True),
            Box((side, side, side - _RAISED), (0.0, 0.0, (side + _RAISED) / 2), None),
            Feet(side / 2 - 0.005),
        ),
        mass=0.08,
        outline=((0.027, 0.0), (0.027, side)),
        grip=0.025,
        width=side,
    )


def _floor(side: float) -> tuple[Part, ...]:
    """Return what the things in a dish stand on, and what that stands on."""
    return Box((side, side, 0.008 - _RAISED), (0.0, 0.0, (0.008 + _RAISED) / 2), None), Feet(side / 2 - 0.005)


def _plate(colour: Colour) -> Thing:
    dish = ((0.0, 0.0), (0.055, 0.0), (0.09, 0.013), (0.09, 0.017), (0.055, 0.008), (0.0, 0.008))
    return Thing(colour, (Lathe(dish, colour), *_floor(0.13)), 0.4, ((0.055, 0.0), (0.09, 0.017)), room=(0.06, 0.008))


def _bowl(colour: Colour) -> Thing:
    dish = ((0.0, 0.0), (0.055, 0.0), (0.088, 0.036), (0.085, 0.038), (0.053, 0.008), (0.0, 0.008))
    wall = Wall(0.076, 0.006, 0.036, 0.008)
    return Thing(
        colour, (Lathe(dish, colour), *_floor(0.1), wall), 0.4, ((0.055, 0.0), (0.088, 0.037)), room=(0.05, 0.008)
    )


def _tray(colour: Colour) -> Thing:
    x, y, low, rim = 0.16, 0.18, 0.006, 0.016
    boards = (
        Box((x, y, 0.01 - _RAISED), (0.0, 0.0, (0.01 + _RAISED) / 2), colour, grain=True),
        *(Box((0.008, y, rim - low), (side * (x - 0.008) / 2, 0.0, (rim + low) / 2), colour) for side in (-1, 1)),
        *(Box((x, 0.008, rim - low), (0.0, side * (y - 0.008) / 2, (rim + low) / 2), colour) for side in (-1, 1)),
    )
    return Thing(colour, (*boards, Feet(0.07)), 0.5, ((0.095, 0.0), (0.095, rim)), room=(0.05, 0.01))


THINGS: dict[str, Thing] = {
    "red_mug": _mug((0.80, 0.05, 0.05)),
    "blue_mug": _mug((0.06, 0.15, 0.80)),
    "yellow_can": _can((0.85, 0.70, 0.05)),
    "blue_can": _can((0.06, 0.15, 0.80)),
    "yellow_bottle": _bottle((0.85, 0.70, 0.05)),
    "red_bottle": _bottle((0.80, 0.05, 0.05)),
    "orange": _fruit((0.95, 0.36, 0.03)),
    "green_apple": _fruit((0.20, 0.65, 0.08)),
    "green_block": _block((0.08, 0.60, 0.15)),
    "blue_block": _block((0.06, 0.15, 0.80)),
    "red_block": _block((0.80, 0.05, 0.05)),
    "plate": _plate((0.05, 0.62, 0.68)),
    "bowl": _bowl((0.40, 0.10, 0.62)),
    "tray": _tray((0.85, 0.20, 0.48)),
}


@lru_cache(maxsize=1024)
def asked(instruction: str, names: tuple[str, ...]) -> tuple[str | None, str | None]:
    """Return the thing that an instruction names and what it is to be put onto, of those on the table.

    Either is None where the text names none of its kind, or several.
    """
    named = [name for name in names if re.search(rf"\b{name.replace('_', ' ')}\b", instruction, re.IGNORECASE)]
    moved = [name for name in named if not THINGS[name].is_target]
    onto = [name for name in named if THINGS[name].is_target]
    return (moved[0] if len(moved) == 1 else None), (onto[0] if len(onto) == 1 else None)
