"""Scripts of ``libero_object``'s tasks, one thing each into a basket: ``SCRIPTS`` by their numbers."""

import numpy as np

from tests.verify.libero.scripts.motion import pick, place

BASKET = "basket_1"
OVER, LOW = 0.17, 0.13  # m: what is below a thing that is carried, and the tool where it lets go
FLAT, TALL = -0.002, 0.05

ASIDE = {"cream_cheese_1": -0.02}  # m along x from a thing's middle, where a carton stands beside it

GRIPS = {
    "alphabet_soup_1": (0.0, 0.02, 0.038),
    "cream_cheese_1": (90.0, FLAT, 0.009),
    "salad_dressing_1": (90.0, TALL, 0.073),
    "bbq_sauce_1": (90.0, 0.03, 0.055),
    "ketchup_1": (90.0, TALL, 0.072),
    "tomato_sauce_1": (0.0, 0.02, 0.038),
    "butter_1": (90.0, FLAT, 0.009),
    "milk_1": (90.0, 0.035, 0.070),
    "chocolate_pudding_1": (90.0, FLAT, 0.013),
    "orange_juice_1": (90.0, 0.045, 0.070),
}
"""Of each thing: along which the fingers stand apart, degrees; how far above its origin they grip; its half height."""


def into_basket(thing):
    """Grip a thing from above and let go of it in the basket."""
    angle, above, half = GRIPS[thing]

    def to(seen):
        return np.array([*seen.things[BASKET][:2], seen.things[thing][2] + LOW - seen.tool[2]])

    return (
        *pick(thing, np.array([ASIDE.get(thing, 0.0), 0.0, above]), angle=angle),
        *place(thing, to, lift=OVER + half + above, lower=0.0),
    )


SCRIPTS = {number: into_basket(thing) for number, thing in enumerate(GRIPS)}
