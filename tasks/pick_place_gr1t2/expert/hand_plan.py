"""The right hand's plan for one wheel: ``plan_hand`` rolls a rule for the next control step out over a whole chunk.

The palm looks down and the fingers point away from the robot all the time. Grasping means to lay them over the near
side of the rim and to curl them under it. The rule looks at where the hand is, how far the fingers are curled, and
where the wheel's cap appears; there is no memory of what was decided before. What is seen tells a wheel in the hand,
whose cap appears where the hand would carry it, from one that stands on the table. A held wheel may swing about the
fingers until it is seen from its edge and hides its cap.
"""

from dataclasses import dataclass

import numpy as np

from tasks.assets.steering_wheel import CAP_HEIGHT, RIM_HEIGHT, RIM_RADIUS
from tasks.common.pinhole_camera import PinholeCamera
from tasks.pick_place_gr1t2 import geometry

__all__ = ["CURLED", "HAND_ROTATION", "HORIZON", "STEP", "plan_hand"]

HORIZON = 16
"""Control steps in a chunk."""
STEP = 1 / 20
"""Seconds a control step."""

HAND_ROTATION = np.array([[-1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, -1.0, 0.0]])
"""Of ``right_hand_pitch_link`` in the env's frame: palm down, fingers along y."""

_RIM = geometry.TABLE_HEIGHT + RIM_HEIGHT
_BEHIND, _ABOVE_RIM = 0.097, 0.039
"""Where the hand's root is while grasping: this far behind the near side of the rim, and above it, metres."""
_GRASP_HEIGHT = _RIM + _ABOVE_RIM
_HOVER_HEIGHT = _GRASP_HEIGHT + 0.12
_CLEAR_HEIGHT = _GRASP_HEIGHT + 0.09
"""From here on straight fingers pass over the wheel."""
_CARRY_HEIGHT, _LEVEL = _GRASP_HEIGHT + 0.14, 0.03
"""Where a wheel is carried; from so much below, it is moved sideways."""
_PLACE_HEIGHT = _GRASP_HEIGHT + 0.008
_ARRIVED, _LOW = 0.007, 0.025
"""Less than this above the height of grasping, fingers begin to curl, and go on curling, metres."""
_ASIDE = 0.015
"""A hand less far aside, in x and y, comes down on the rim where it should."""

_HELD_CAP = np.array([0.0, 0.178, -0.07])
"""The cap of a wheel in the hand, from the hand's root: closing fingers draw the wheel near, and it hangs a little."""
_HELD_PIXELS = 12.0
"""The cap appears this near to where a held one would; 5 pixels are a centimetre on the table."""
_PLACE, _AT_PLACE = np.array([geometry.ZONE_CENTRE[0], geometry.ZONE_CENTRE[1] - 0.19]), 0.03
"""Where the hand lets go, x and y, and how near to it is near enough."""
_IN_ZONE = geometry.ZONE_SIDE / 4 - 0.01
"""A wheel this near to the middle of the zone, in x and in y, is left there."""

_STRAIGHT, CURLED = 0.25, 0.72
"""Fingers curled less, as a part of their whole way, let the rim pass; curled more, they have closed about it."""
_STOPPED = 0.88
"""Where the rim stops them, about."""
_CURLING = 1.6
"""Parts of the way a second."""

_GAIN = 6.0
"""Speed for each metre left, 1/s: a way ends gently."""
_FAST, _CAREFUL, _CARRYING = 0.35, 0.12, 0.2
"""Fastest motion of the hand through the air, about the wheel, and with it, m/s."""


Command = tuple[np.ndarray, float]


@dataclass
class _Scene:
    """What the plan imagines: the hand's root (3,), the fingers' curl, the wheel (x, y), and whether it is held."""

    hand: np.ndarray
    curl: float
    wheel: np.ndarray
    held: bool


def plan_hand(
    hand: np.ndarray, curl: float, cap: np.ndarray | None, eyes: PinholeCamera
) -> tuple[np.ndarray, np.ndarray]:
    """Plan the next 16 control steps.

    Args:
        hand: Position of the hand's root in the env's frame, metres (3,).
        curl: How far the fingers are curled, 0 (straight) to 1.
        cap: Where the wheel's cap is seen, pixels (u, v); None where it is not, which is for closed fingers only: they
            are taken to hold the wheel.
        eyes: The camera that sees it, in the env's frame.

    Returns:
        Where the hand's root is to be at the end of each step, metres (16, 3), and targets of the curl (16,).
    """
    held_cap = eyes.project(hand + _HELD_CAP)
    if cap is None:
        cap = held_cap
    held = float(np.linalg.norm(held_cap - cap)) < _HELD_PIXELS
    wheel = eyes.point_at_height(cap, geometry.TABLE_HEIGHT + CAP_HEIGHT)[:2]
    scene = _Scene(hand, curl, wheel, held)
    positions, curls = np.empty((HORIZON, 3)), np.empty(HORIZON)
    for step in range(HORIZON):
        velocity, curls[step] = _next(scene)
        scene.hand = scene.hand + velocity * STEP
        if scene.held and scene.curl > CURLED:
            scene.wheel = scene.wheel + velocity[:2] * STEP
        if not scene.held:
            scene.held = bool(np.linalg.norm(scene.hand - _grasp(scene.wheel)) < 0.01)
        scene.curl = min(curls[step], _STOPPED) if scene.held else float(curls[step])
        positions[step] = scene.hand
    return positions, curls


def _next(scene: _Scene) -> Command:
    """Velocity of the hand, m/s (3,), and the target of the curl for the next control step."""
    if _from_place(scene) < _AT_PLACE and scene.hand[2] < _GRASP_HEIGHT + _LOW:
        return _let_go(scene)
    if scene.held and scene.curl > CURLED:
        return _carry(scene)
    if np.abs(scene.wheel - geometry.ZONE_CENTRE).max() < _IN_ZONE:
        return _towards(scene, _above(scene, _HOVER_HEIGHT), _CAREFUL), _straightened(scene)
    return _fetch(scene)


def _let_go(scene: _Scene) -> Command:
    """Straighten the fingers, then leave upwards."""
    if scene.curl > _STRAIGHT:
        return np.zeros(3), _straightened(scene)
    return _towards(scene, _above(scene, _HOVER_HEIGHT), _CAREFUL), 0.0


def _carry(scene: _Scene) -> Command:
    """Lift the wheel, bring it over the zone, and set it down."""
    z = scene.hand[2]
    if _from_place(scene) < _AT_PLACE:
        return _towards(scene, np.array([*_PLACE, _PLACE_HEIGHT]), _CAREFUL), 1.0
    if z < _CARRY_HEIGHT - _LEVEL:
        # Slowly at first: the grip needs a moment to settle.
        speed = min(_CARRYING, 0.04 + 3.0 * max(z - _GRASP_HEIGHT, 0.0))
        return _towards(scene, _above(scene, _CARRY_HEIGHT), speed), 1.0
    return _towards(scene, np.array([*_PLACE, _CARRY_HEIGHT]), _CARRYING), 1.0


def _fetch(scene: _Scene) -> Command:
    """Lay straight fingers over the rim and curl them."""
    z = scene.hand[2]
    grasp = _grasp(scene.wheel)
    over_rim = float(np.linalg.norm(scene.hand[:2] - grasp[:2])) < _ASIDE
    begun = scene.held and scene.curl > _STRAIGHT and z < _GRASP_HEIGHT + _LOW
    if begun or (over_rim and z < _GRASP_HEIGHT + _ARRIVED):
        return np.zeros(3), min(scene.curl + _CURLING * STEP, 1.0)
    if over_rim and scene.curl < _STRAIGHT:
        return _towards(scene, grasp, _CAREFUL), _straightened(scene)
    if z < _CLEAR_HEIGHT:
        # Up first: sideways the fingers would push the wheel.
        return _towards(scene, _above(scene, _HOVER_HEIGHT), _FAST), _straightened(scene)
    return _towards(scene, np.array([*grasp[:2], _HOVER_HEIGHT]), _FAST), _straightened(scene)


def _straightened(scene: _Scene) -> float:
    return max(scene.curl - _CURLING * STEP, 0.0)


def _from_place(scene: _Scene) -> float:
    return float(np.linalg.norm(scene.hand[:2] - _PLACE))


def _above(scene: _Scene, height: float) -> np.ndarray:
    return np.array([*scene.hand[:2], height])


def _grasp(wheel: np.ndarray) -> np.ndarray:
    """Position of the hand's root behind the near side of a wheel's rim."""
    return np.array([wheel[0], wheel[1] - RIM_RADIUS - _BEHIND, _GRASP_HEIGHT])


def _towards(scene: _Scene, target: np.ndarray, speed: float) -> np.ndarray:
    """Straight to the target, slower towards the end."""
    way = target - scene.hand
    return way * min(_GAIN, speed / max(float(np.linalg.norm(way)), 1e-9))
