"""The hand's plan for one thing and its target: ``plan_hand`` rolls a rule for the next control step out over a chunk.

The rule looks at where the hand is, how far the gripper is open, and where thing and target appear; there is no memory
of what was decided before.
"""

from dataclasses import dataclass

import numpy as np

from tasks.droid_table.geometry import CLOSED, STEP, finger_angle, pad_height
from tasks.droid_table.things import THINGS

__all__ = ["HORIZON", "Seen", "plan_hand"]

HORIZON = 40
"""Control steps in a chunk, as N1.7's."""

_OPEN = 0.06
"""The gripper's angle, rad, up to which it is open."""
_GRIPPED = 0.06
"""A gripper whose angle is within this of that at a thing's width holds it, rad."""
_CLOSING = 2.0
"""Speed of the gripper's driven joint, rad/s, as the plan imagines it."""
_SETTLED = 0.2
"""Seconds that the fingers press before they lift."""

_FAST, _CAREFUL = 0.40, 0.22
"""Fastest motion of the hand, m/s: through the air, and about things."""
_GAIN = 5.0
"""Speed for each metre left, 1/s: a way ends gently."""
_HOVER, _CARRY, _CLEAR = 0.11, 0.15, 0.07
"""Heights above the grip at which the hand goes over a thing, carries it, and passes over it with open fingers, m."""
_ABOVE, _AROUND, _ARRIVED = 0.006, 0.03, 0.006
"""Distances, m, at which the hand is above a thing; has it between open fingers; and is as low as it grips."""
_OVER_TARGET, _DOWN_TO_TARGET = 0.012, 0.03
"""Distances at which the hand is over the target, and still is on its way down, where it hides what it goes to, m."""
_PUT_DOWN = 0.008
"""Height above where it stands at which a thing is let go, m."""
_RETREAT = 0.30
"""Height of the pads to which the hand goes back, m."""


@dataclass(frozen=True)
class Seen:
    """What the pictures show.

    Attributes:
        name: The thing's.
        target: What it is to be put onto.
        thing: Where it stands, (x, y) m; None where it is not seen.
        place: Where the target stands, likewise.
        in_hand: Whether the thing is seen between the fingers.
        agreed: Whether both cameras see the thing where it is, so that the hand may go down to it.
    """

    name: str
    target: str
    thing: np.ndarray | None
    place: np.ndarray | None
    in_hand: bool
    agreed: bool


@dataclass
class _Hand:
    """The hand as the plan imagines it.

    Attributes:
        pads: Where the middle between the pads is once they hold the thing, m (3,).
        angle: Of the gripper's driven joint, rad.
        thing: Where the thing stands, m (2,); None where that is not known.
        holds: Whether it is held.
        pressed: Since when the pads press it, s.
    """

    pads: np.ndarray
    angle: float
    thing: np.ndarray | None
    holds: bool
    pressed: float


def plan_hand(flange: np.ndarray, angle: float, seen: Seen) -> tuple[np.ndarray, np.ndarray]:
    """Plan the next 40 control steps.

    Args:
        flange: Position of the flange, which points down, m (3,).
        angle: Of the gripper's driven joint, rad.
        seen: What is seen of the thing and its target.

    Returns:
        Where the flange is to be at the end of each step, m (40, 3), and whether the gripper is to close, (40,).
    """
    gripped = finger_angle(THINGS[seen.name].width)
    holds = seen.in_hand and abs(angle - gripped) < _GRIPPED
    reach = np.array([0.0, 0.0, pad_height(gripped)])
    hand = _Hand(flange - reach, angle, seen.thing, holds, _SETTLED if holds else 0.0)
    if hand.thing is not None and _is_around(hand.pads, hand.thing, THINGS[seen.name].grip):
        # From so near, fingers and the pictures' edges hide much of it: the hand, which was over it, is where it is.
        hand.thing = hand.pads[:2]
    positions, closes = np.empty((HORIZON, 3)), np.empty(HORIZON)
    for step in range(HORIZON):
        velocity, close = _next(hand, seen, gripped)
        hand.pads = hand.pads + velocity * STEP
        positions[step], closes[step] = hand.pads + reach, close
        _move_fingers(hand, close, gripped)
    return positions, closes


def _move_fingers(hand: _Hand, close: bool, gripped: float) -> None:
    """Imagine what the fingers do within a control step; what they hold stops them."""
    around = hand.thing is not None and np.hypot(*(hand.pads[:2] - hand.thing)) < _AROUND
    limit = gripped if around or hand.holds else CLOSED
    if close:
        hand.angle = min(hand.angle + _CLOSING * STEP, max(limit, hand.angle))
    else:
        hand.angle = max(hand.angle - _CLOSING * STEP, 0.0)
    if not close:
        if hand.holds:
            hand.thing = hand.pads[:2]
        hand.holds, hand.pressed = False, 0.0
    elif around and abs(hand.angle - gripped) < 1e-6:
        hand.pressed += STEP
        hand.holds = hand.pressed >= _SETTLED


def _next(hand: _Hand, seen: Seen, gripped: float) -> tuple[np.ndarray, bool]:
    """Velocity of the hand, m/s (3,), and whether the gripper closes, for the next control step."""
    if hand.holds:
        return _carry(hand.pads, seen)
    if hand.thing is None:
        return _towards(hand.pads, np.array([*hand.pads[:2], _RETREAT]), _CAREFUL), False
    target = THINGS[seen.target]
    if seen.place is not None and np.hypot(*(hand.thing - seen.place)) <= target.room[0]:
        up = np.array([*hand.pads[:2], _RETREAT])
        return (np.zeros(3) if hand.angle > _OPEN else _towards(hand.pads, up, _CAREFUL)), False
    return _fetch(hand.pads, hand.thing, hand.angle, seen, gripped)


def _carry(pads: np.ndarray, seen: Seen) -> tuple[np.ndarray, bool]:
    """With the thing in the hand: up, over the target, down, and let go."""
    grip, (_, floor) = THINGS[seen.name].grip, THINGS[seen.target].room
    up = grip + _CARRY
    if seen.place is None:
        return _towards(pads, np.array([*pads[:2], up]), _CAREFUL), True
    lowest = grip + floor + _PUT_DOWN
    high = pads[2] > up - 0.03
    if np.hypot(*(pads[:2] - seen.place)) < (_OVER_TARGET if high else _DOWN_TO_TARGET):
        if pads[2] < lowest + _ARRIVED:
            return np.zeros(3), False
        return _towards(pads, np.array([*pads[:2], lowest - 0.002]), _CAREFUL), True
    if not high:
        return _towards(pads, np.array([*pads[:2], up]), _CAREFUL), True
    return _towards(pads, np.array([*seen.place, up]), _FAST), True


def _fetch(pads: np.ndarray, thing: np.ndarray, angle: float, seen: Seen, gripped: float) -> tuple[np.ndarray, bool]:
    """Without it: over the thing, down with open fingers, and close."""
    grip = THINGS[seen.name].grip
    aside = float(np.hypot(*(pads[:2] - thing)))
    if pads[2] < grip + _ARRIVED and aside < _AROUND and angle < gripped + _GRIPPED:
        return np.zeros(3), True
    if angle > _OPEN:
        return np.zeros(3), False
    if _is_around(pads, thing, grip) or (aside < _ABOVE and seen.agreed):
        return _towards(pads, np.array([*thing, grip]), _CAREFUL), False
    if pads[2] < grip + _CLEAR:
        return _towards(pads, np.array([*pads[:2], grip + _HOVER]), _CAREFUL), False
    return _towards(pads, np.array([*thing, grip + _HOVER]), _FAST), False


def _is_around(pads: np.ndarray, thing: np.ndarray, grip: float) -> bool:
    """Whether a thing is between the fingers, where they are open."""
    return bool(pads[2] < grip + _CLEAR and np.hypot(*(pads[:2] - thing)) < _AROUND)


def _towards(pads: np.ndarray, target: np.ndarray, speed: float) -> np.ndarray:
    """Straight to the target, slower towards the end."""
    way = target - pads
    return way * min(_GAIN, speed / max(float(np.linalg.norm(way)), 1e-9))
