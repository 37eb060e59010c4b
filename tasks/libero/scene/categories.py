"""What LIBERO knows of the categories of its things where it places them: ``extent_of`` and ``TURNS``."""

import math
from dataclasses import dataclass
from functools import cache

from tasks.assets.cache import AssetError
from tasks.libero.scene.compose import read_thing
from tasks.libero.suites.wheels import libero_assets

__all__ = ["TURNS", "Extent", "extent_of"]

_QUARTER, _EIGHTH = math.pi / 2, math.pi / 4

Turns = tuple[tuple[str, float, float], ...]

_LYING: Turns = (("x", 0.0, 0.0),)
_UPRIGHT: Turns = (("x", _QUARTER, _QUARTER), ("z", _QUARTER, _QUARTER))
_MUG: Turns = (("x", -_QUARTER, -_QUARTER),)
_BOOK: Turns = (("x", -_QUARTER, -_EIGHTH),)

TURNS: dict[str, Turns] = {
    "alphabet_soup": (("z", _QUARTER, _QUARTER),),
    "black_book": _BOOK,
    "butter": _LYING,
    "chocolate_pudding": _LYING,
    "cream_cheese": _LYING,
    "ketchup": _UPRIGHT,
    "milk": _UPRIGHT,
    "moka_pot": _LYING,
    "new_salad_dressing": _UPRIGHT,
    "orange_juice": _UPRIGHT,
    "porcelain_mug": _MUG,
    "red_coffee_mug": _MUG,
    "salad_dressing": _UPRIGHT,
    "tomato_sauce": (("z", _QUARTER, _QUARTER),),
    "white_yellow_mug": _MUG,
    "wine_bottle": _LYING,
    "wooden_tray": _LYING,
    "yellow_book": _BOOK,
}
"""About which axes things of a category are turned at the start, one after the other, and from where to where, rad.
Any other one is turned about x, by a quarter."""


@dataclass(frozen=True)
class Extent:
    """How much room LIBERO gives a thing, m; nominal in most of its models.

    Attributes:
        radius: Horizontal.
        bottom: Of its lowest point above its origin, so mostly negative.
        top: Of its highest point above its origin.
    """

    radius: float
    bottom: float
    top: float


@cache
def extent_of(category: str) -> Extent:
    """Return the room that a category is given.

    Raises:
        AssetError: The wheels' data are missing, or have no such category, or its model does not say it.
    """
    sites = {site.name: site.pos for site in read_thing(libero_assets(), category).parent.sites}
    try:
        radius, bottom, top = sites["horizontal_radius_site"][0], sites["bottom_site"][2], sites["top_site"][2]
    except KeyError as error:
        raise AssetError(
            f"LIBERO's model of {category!r} has no site {error}, which says how much room it needs"
        ) from error
    return Extent(float(radius), float(bottom), float(top))
