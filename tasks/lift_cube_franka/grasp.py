"""The hand's plan for one cube: ``plan_hand`` rolls a rule for the next control step out over a whole chunk.

The rule looks at where the hand is, how far the fingers are open, and where the cube appears; there is no memory of
what was decided before, so hand and fingers alone must tell an approach from a grasp and a lift.
"""

from dataclasses import dataclass

import numpy as np

from .layout import CUBE_SIDE, SCENE_CAMERA
from .perception import locate_on_table

__all__ = ["HORIZON", "plan_hand"]

HORIZON = 16
"""Control steps in a chunk."""

_STEP = 1 / 30
"""Seconds a control step."""
_ARM_LAG = 0.2
"""Seconds by which a joint trails its target in steady motion: damping over stiffness of the arm's drives."""
_FINGER_LAG = 0.5
"""The same for the fingers."""

_OPEN, _CLOSED = 0.04, 0.0
"""Targets of each finger, metres from the middle."""
_WIDE = 0.036
"""Fingers further apart than this clear the cube on the way down."""
_GRIPPING = 0.0285
"""Fingers this close together hold the cube (half its side is 0.025) or nothing."""
_EMPTY = 0.015
"""Fingers closer than this hold nothing."""

_GRASP_HEIGHT, _HOVER_HEIGHT, _LIFT_HEIGHT = 0.022, 0.11, 0.17
"""Height of the finger tips' middle while grasping, above the cube, and at the end of the lift, metres."""
_SPEED, _GAIN = 0.6, 8.0
"""Fastest motion of the hand, m/s; slower than ``_GAIN`` times the distance left (1/s) towards the end of a way."""
_FUNNEL = 0.012
"""The hand starts down when it is this near to being above the cube, metres."""
_ARRIVED, _AROUND = 0.006, 0.03
"""Distances at which the hand is where it grasps, and at which closing fingers still have the cube between them."""
_IN_HAND_PIXELS = 12.0
"""The cube appears this near to the finger tips when they hold it; its side covers about 11 pixels."""


@dataclass
class _Hand:
    """The hand as the plan imagines it: position (3,) and opening of each finger, metres."""

    position: np.ndarray
    opening: float
    has_cube: bool


def plan_hand(position: np.ndarray, opening: float, pixel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Plan the next 16 control steps.

    Args:
        position: Middle between the finger tips, metres in the base frame (3,).
        opening: Mean of the two finger joints, metres.
        pixel: Where the cube's red appears in the scene camera, (u, v).

    Returns:
        Targets of the hand's position, metres (16, 3), led by as much as the arm trails; targets of each finger, (16,).
    """
    cube = locate_on_table(pixel)
    seen_in_hand = np.linalg.norm(SCENE_CAMERA.project(position) - pixel) < _IN_HAND_PIXELS
    hand = _Hand(position.copy(), opening, bool(seen_in_hand))
    positions, openings = np.empty((HORIZON, 3)), np.empty(HORIZON)
    for step in range(HORIZON):
        velocity, openings[step] = _next(hand, cube)
        hand.position = hand.position + velocity * _STEP
        positions[step] = hand.position + velocity * _ARM_LAG
        opened = hand.opening + (openings[step] - hand.opening) * _STEP / _FINGER_LAG
        if np.linalg.norm(hand.position - _over(cube, _GRASP_HEIGHT)) < _AROUND:
            hand.has_cube = True
        # Closing fingers stop at the cube.
        stopped = hand.has_cube and opened < CUBE_SIDE / 2 <= hand.opening
        hand.opening = CUBE_SIDE / 2 if stopped else opened
    return positions, openings


def _next(hand: _Hand, cube: np.ndarray) -> tuple[np.ndarray, float]:
    """Velocity of the hand, m/s (3,), and target of the fingers for the next control step."""
    aside = float(np.linalg.norm(hand.position[:2] - cube[:2]))
    if _EMPTY < hand.opening < _GRIPPING and hand.has_cube:
        return _towards(hand, np.array([*hand.position[:2], _LIFT_HEIGHT])), _CLOSED
    low = hand.position[2] < _GRASP_HEIGHT + _ARRIVED
    if low and aside < _AROUND and hand.opening >= _GRIPPING:
        return np.zeros(3), _CLOSED
    if hand.opening >= _WIDE and aside < (_FUNNEL if hand.position[2] > _HOVER_HEIGHT - 0.01 else _AROUND):
        # Straight down: from here on the hand hides parts of the cube, and its place in the picture shifts.
        return _towards(hand, np.array([*hand.position[:2], _GRASP_HEIGHT])), _OPEN
    # Sideways only as high as the cube is out of the way.
    target = _over(cube, _HOVER_HEIGHT)
    if hand.position[2] < CUBE_SIDE + 0.03:
        target[:2] = hand.position[:2]
    return _towards(hand, target), _OPEN


def _over(cube: np.ndarray, height: float) -> np.ndarray:
    return np.array([cube[0], cube[1], height])


def _towards(hand: _Hand, target: np.ndarray) -> np.ndarray:
    """Straight to the target, slower towards the end."""
    way = target - hand.position
    distance = float(np.linalg.norm(way))
    return way * min(_GAIN, _SPEED / max(distance, 1e-9))
