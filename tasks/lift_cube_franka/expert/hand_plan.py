"""The hand's plan for one cube: ``plan_hand`` rolls a rule for the next control step out over a whole chunk.

The rule looks at where the hand is, how far the fingers are open, and where the cube appears; there is no memory of
what was decided before, so hand and fingers alone must tell an approach from a grasp and a lift.
"""

from dataclasses import dataclass

import numpy as np

from tasks.lift_cube_franka.expert.perception import CubePose
from tasks.lift_cube_franka.geometry import CUBE_SIDE, SCENE_CAMERA

__all__ = ["HORIZON", "STEP", "Pace", "plan_hand"]

HORIZON = 16
"""Control steps in a chunk."""

STEP = 1 / 30
"""Seconds a control step, where an embodiment does not change it."""
_FINGER_LAG = 0.5
"""Seconds that fingers take for most of a way: damping over stiffness of their drives."""

_OPEN, _CLOSED = 0.04, 0.0
"""Targets of each finger, metres from the middle."""
_WIDE = 0.034
"""Fingers further apart than this clear the cube on the way down."""
_GRIPPING, _HOLDING = 0.0262, 0.032
"""Closing fingers this near to the middle have the cube in their grip (half its side is 0.025); on the way up it may
turn between them."""
_EMPTY = 0.015
"""Fingers closer than this hold nothing."""

_GRASP_HEIGHT, _HOVER_HEIGHT, _LIFT_HEIGHT = 0.022, 0.13, 0.19
"""Height of the finger tips' middle while grasping, above the cube, and at the end of the lift, metres."""
_ARRIVED, _ABOVE, _AROUND = 0.006, 0.01, 0.03
"""Distances, metres, at which the hand is as low as it grasps; is above the cube; has the cube between open fingers."""
_CLEAR = CUBE_SIDE + 0.03
"""Height from which open fingers pass over the cube."""
_HIDING = 0.06
"""Lower than this, a finger hides some of the cube, which then appears aside of where it is."""
_IN_HAND_PIXELS = 16.0
"""The cube appears this near to the finger tips when they hold it; its side covers about 11 pixels."""

_GAIN = 8.0
"""Speed for each metre left, 1/s: a way ends gently."""
_TURNING = 2.0
"""Fastest turn of the hand, rad/s."""


@dataclass(frozen=True)
class Pace:
    """How fast the hand is moved. By default as joint targets move it.

    Attributes:
        step: Seconds a control step.
        fast: Fastest motion through the air, m/s. The joints, which trail by different times when they brake, let a
            faster hand stray by a centimetre.
        careful: Fastest motion about and with the cube, m/s.
    """

    step: float = STEP
    fast: float = 0.5
    careful: float = 0.25


_PACE = Pace()


@dataclass
class _Hand:
    """The hand as the plan imagines it: position (3,), yaw, opening of each finger, and whether the cube is there."""

    position: np.ndarray
    yaw: float
    opening: float
    at_cube: bool
    may_descend: bool


def plan_hand(
    position: np.ndarray, yaw: float, opening: float, cube: CubePose, *, may_descend: bool, pace: Pace = _PACE
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Plan the next 16 control steps.

    Args:
        position: Middle between the finger tips, metres in the base frame (3,).
        yaw: Turn of the hand about the vertical, rad; the fingers travel along the base's y axis at 0.
        opening: Mean of the two finger joints, metres.
        cube: What is seen of the cube.
        may_descend: Whether the hand may go down from above the cube.
        pace: How fast the hand is moved.

    Returns:
        Where the hand is to be at the end of each step, metres (16, 3), and its yaw, rad (16,); targets of each
        finger, metres (16,).
    """
    seen_in_hand = np.linalg.norm(SCENE_CAMERA.project(position) - cube.pixel) < _IN_HAND_PIXELS
    hand = _Hand(position, yaw, opening, bool(seen_in_hand), may_descend)
    positions, yaws, openings = np.empty((HORIZON, 3)), np.empty(HORIZON), np.empty(HORIZON)
    for step in range(HORIZON):
        velocity, turning, openings[step] = _next(hand, cube, pace)
        hand.position = hand.position + velocity * pace.step
        hand.yaw += turning * pace.step
        positions[step], yaws[step] = hand.position, hand.yaw
        hand.at_cube |= bool(np.linalg.norm(hand.position - _over(cube, _GRASP_HEIGHT)) < _AROUND)
        moved = hand.opening + (openings[step] - hand.opening) * pace.step / _FINGER_LAG
        # Fingers that press the cube stay where they are, also where they are seen a little nearer than its sides.
        hand.opening = max(moved, min(hand.opening, CUBE_SIDE / 2)) if hand.at_cube else moved
    return positions, yaws, openings


def _next(hand: _Hand, cube: CubePose, pace: Pace) -> tuple[np.ndarray, float, float]:
    """Velocity of the hand, m/s (3,), its turn, rad/s, and the fingers' target for the next control step."""
    x, y, z = hand.position
    aside = float(np.hypot(x - cube.position[0], y - cube.position[1]))
    low = z < _GRASP_HEIGHT + _ARRIVED
    if hand.at_cube and _EMPTY < hand.opening < (_GRIPPING if low else _HOLDING):
        # Slowly at first: the grip needs a moment to settle.
        speed = min(pace.careful, 0.05 + 4.0 * max(z - _GRASP_HEIGHT, 0.0))
        return _towards(hand, np.array([x, y, _LIFT_HEIGHT]), speed), 0.0, _CLOSED
    if low and hand.opening >= _GRIPPING and aside < _AROUND:
        return np.zeros(3), 0.0, _CLOSED
    wide = hand.opening >= _WIDE
    if wide and z < _HIDING and aside < _AROUND:
        return _towards(hand, np.array([x, y, _GRASP_HEIGHT]), pace.careful), 0.0, _OPEN
    # The nearest of the cube's quarter turns; the fingers then meet two of its faces squarely.
    turn = (cube.yaw - hand.yaw + np.pi / 4) % (np.pi / 2) - np.pi / 4
    above = hand.may_descend and aside < _ABOVE and abs(turn) < 0.1
    target = _over(cube, _GRASP_HEIGHT if wide and above else _HOVER_HEIGHT)
    turning = float(np.clip(_GAIN * turn, -_TURNING, _TURNING))
    if z < _CLEAR and not (wide and above):
        # Up first: sideways the fingers would push the cube.
        target[:2], turning = (x, y), 0.0
    return _towards(hand, target, pace.careful if wide and above else pace.fast), turning, _OPEN


def _over(cube: CubePose, height: float) -> np.ndarray:
    return np.array([cube.position[0], cube.position[1], height])


def _towards(hand: _Hand, target: np.ndarray, speed: float) -> np.ndarray:
    """Straight to the target, slower towards the end."""
    way = target - hand.position
    return way * min(_GAIN, speed / max(float(np.linalg.norm(way)), 1e-9))
