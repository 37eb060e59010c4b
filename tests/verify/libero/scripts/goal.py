"""Scripts of ``libero_goal``'s tasks, whose scene is one: ``SCRIPTS`` by their numbers."""

import numpy as np

from tests.verify.libero.script import CLOSE, OPEN, UP
from tests.verify.libero.scripts.motion import Move, facing, pick, place, stay

BOWL, PLATE, CHEESE, BOTTLE = "akita_black_bowl_1", "plate_1", "cream_cheese_1", "wine_bottle_1"
RIM = np.array([0.0, 0.047, 0.042])  # of the bowl, from its origin
CORNER = np.array([-0.02, 0.042, 0.042])  # the same further from the drawers
NECK = np.array([0.0, 0.0, 0.138])  # of the bottle
HANDLE = np.array([0.033, -0.138, 1.015])  # of the middle drawer, shut
TOP_HANDLE = np.array([0.033, -0.138, 1.089])
DRAWER = np.array([0.027, -0.11, 1.066])  # in the top one, when it is open
FROM_BELOW = np.array([-0.05, 0.05, 0.008])  # the hand from below the open drawer
STOVE = np.array([-0.26, 0.21, 0.93])  # the middle of its plate
KNOB = np.array([-0.415, 0.211, 0.938])
ROOF = np.array([-0.01, -0.22, 1.128])  # of the cabinet, where things are put
RACK = np.array([-0.26, -0.184, 1.162])  # the bottom of the bottle, when it lies there
BEFORE_STOVE = np.array([-0.05, 0.21, 0.903])
FORTH = np.array([0.0, 1.0, 0.0])  # which way drawers open


def at(position):
    """Return a place that does not move."""
    return lambda seen: position


def bowl_to(to, lift, lower=0.012):
    """Grip the bowl by its rim and put it somewhere."""
    return (*pick(BOWL, RIM), *place(BOWL, to, lift=lift, lower=lower))


def pull(handle, way):
    """Grip a drawer's handle from the front, pull it and let go."""
    level = facing(90.0, -90.0)
    return (
        Move(at(np.array([handle[0], 0.04, 1.20])), OPEN, level, near=0.03),
        Move(at(handle + 0.08 * FORTH), OPEN),
        Move(at(handle), OPEN, near=0.006, patience=50),
        stay(CLOSE, 14),
        Move(lambda seen: seen.hold + way * FORTH, CLOSE, most=0.5),
        stay(OPEN, 10),
        Move(lambda seen: seen.hold + 0.06 * FORTH, OPEN),
    )


def knob():
    """Grip the knob from above, turn it, let go and rise."""
    return (
        Move(at(KNOB + 0.10 * UP), OPEN, facing(90.0)),
        Move(at(KNOB), OPEN, near=0.006, patience=50),
        stay(CLOSE, 24),
        Move(at(KNOB), CLOSE, facing(160.0), patience=80),
        stay(OPEN, 14),
        Move(lambda seen: seen.hold + 0.12 * UP, OPEN),
    )


def push():
    """Push the plate with closed fingers from within its rim."""

    def ahead(seen):
        way = (BEFORE_STOVE - seen.things[PLATE]) * [1, 1, 0]
        return way / max(np.linalg.norm(way), 1e-6)

    def within(seen, height):
        return seen.things[PLATE] + 0.02 * ahead(seen) + height * UP

    return (
        Move(lambda seen: within(seen, 0.12), CLOSE, facing(90.0)),
        Move(lambda seen: within(seen, 0.007), CLOSE, near=0.004, most=0.4, patience=50),
        Move(
            lambda seen: np.array([*(seen.tool + BEFORE_STOVE - seen.things[PLATE])[:2], seen.hold[2]]),
            CLOSE,
            most=0.25,
            patience=140,
        ),
        stay(CLOSE, 4),
        Move(lambda seen: seen.hold + 0.12 * UP, CLOSE),
    )


SCRIPTS = {
    0: pull(HANDLE, 0.20),
    1: bowl_to(at(STOVE), 1.06),
    2: (*pick(BOTTLE, NECK), *place(BOTTLE, at(ROOF), lift=1.36, lower=0.004)),
    3: (
        *pull(TOP_HANDLE, 0.14),
        *pick(BOWL, CORNER, wait=(2, 14)),
        Move(lambda seen: seen.hold + FROM_BELOW, CLOSE, most=0.6, patience=20),
        *place(BOWL, at(DRAWER), lift=1.25, lower=0.02, most=0.8),
    ),
    4: bowl_to(at(ROOF), 1.30),
    5: push(),
    6: (
        *pick(CHEESE, np.array([0.0, 0.0, -0.002])),
        *place(CHEESE, lambda seen: seen.things[BOWL], lift=1.06, lower=0.03),
    ),
    7: knob(),
    8: bowl_to(lambda seen: seen.things[PLATE], 1.06),
    9: (*pick(BOTTLE, NECK, angle=0.0), *place(BOTTLE, at(RACK), lift=1.36, lower=0.005, turned=facing(0.0, 58.0))),
}
