"""A script as moves one after the other: ``Motion`` plays them, at 20 Hz, for robosuite's OSC_POSE and gripper."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from tests.verify.libero.script import CLOSE, OPEN, UP

APPROACH = 0.12  # m, from how far above a thing the tool comes, and to where it rises
RESTING = 0.02  # rad; what is nearer to its goal is not turned, as the controller then keeps the goal it has


@dataclass
class Seen:
    """What a move may look at.

    Attributes:
        tool: Position of the grip site, (3,), m.
        hold: The same when the move began.
        things: Positions of the objects' bodies, by BDDL's names.
    """

    tool: np.ndarray
    hold: np.ndarray
    things: dict[str, np.ndarray]


@dataclass(frozen=True)
class Move:
    """One part of a script.

    Attributes:
        to: Where the tool is to be, (3,), m.
        fingers: ``OPEN`` or ``CLOSE``.
        facing: The tool's rotation, (3, 3); None leaves it.
        near: How near the tool has to come on each axis, m.
        most: Of the greatest action on each axis, 1 being 5 cm.
        steps: Control steps that it takes; None ends it where the tool is there.
        patience: Control steps after which it ends anyway.
    """

    to: Callable[[Seen], np.ndarray]
    fingers: float
    facing: np.ndarray | None = None
    near: float = 0.012
    most: float = 0.8
    steps: int | None = None
    patience: int = 80


def stay(fingers: float, steps: int) -> Move:
    """Return a move that stays where it begins."""
    return Move(lambda seen: seen.hold, fingers, steps=steps)


def facing(angle: float, pitch: float = 0.0) -> np.ndarray:
    """Return the rotation of a tool whose fingers stand apart along a direction, (3, 3).

    Args:
        angle: From the world's x to that direction, degrees; 90 is as it is at the start, the tool pointing down.
        pitch: About the world's x afterwards, degrees; -90 makes it point along -y.
    """
    apart = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle)), 0.0])
    down = np.stack([apart, np.cross(-UP, apart), -UP], axis=1)
    return Rotation.from_euler("x", pitch, degrees=True).as_matrix() @ down


class Motion:
    """Plays moves; the last goes on until the episode ends."""

    def __init__(self, moves: tuple[Move, ...]):
        self.moves, self.number, self.count, self.hold = moves, 0, 0, None
        self.facing = None

    @property
    def ended(self) -> bool:
        """Whether the last move has begun."""
        return self.number == len(self.moves) - 1

    def act(self, tool, rotation, things):
        """Return the action (7,) for the tool's position (3,) and rotation (3, 3), and the things' positions."""
        move = self.moves[self.number]
        if self.count == 0:
            self.hold = tool.copy()
            self.facing = self.facing if move.facing is None else move.facing
        gap = move.to(Seen(tool, self.hold, things)) - tool
        turn = np.zeros(3) if self.facing is None else Rotation.from_matrix(self.facing @ rotation.T).as_rotvec()
        left = np.linalg.norm(turn)
        action = np.zeros(7)
        action[:3] = np.clip(gap / 0.05 * 0.9, -move.most, move.most)
        if left > RESTING:
            action[3:6] = turn / 0.5 * min(1.0, 0.2 / left)
        action[6] = move.fingers
        self.count += 1
        if move.steps is not None:
            done = self.count > move.steps
        else:
            done = (np.abs(gap).max() < move.near and left < 0.06 and self.count > 4) or self.count > move.patience
        if done and not self.ended:
            self.number, self.count = self.number + 1, 0
        return action


def pick(thing, above, *, angle=90.0, wait=(6, 24)):
    """Return the moves that grip a thing from above.

    Args:
        thing: Of the BDDL.
        above: From the thing to where the tool grips it, (3,), m.
        angle: Along which the fingers stand apart, degrees from the world's x.
        wait: Control steps before the fingers close, and for it.
    """
    return (
        Move(lambda seen: seen.things[thing] + above + APPROACH * UP, OPEN, facing(angle)),
        Move(lambda seen: seen.things[thing] + above, OPEN, near=0.006, patience=50),
        stay(OPEN, wait[0]),
        stay(CLOSE, wait[1]),
    )


def place(thing, to, *, lift, lower, turned=None, most=0.4):
    """Return the moves that carry what is held over a place, lower it, let go and rise.

    Args:
        thing: That is held.
        to: Where the thing is to be: a position of ``Seen``.
        lift: To which height the tool carries it, m of the world.
        lower: How far above ``to`` it is let go, m.
        turned: The tool's rotation from there on, (3, 3).
        most: Of the action that lifts it; it is lowered by three quarters of that.
    """

    def over(seen):
        way = to(seen) - seen.things[thing]
        return np.array([*(seen.tool + way)[:2], lift])

    return (
        Move(lambda seen: np.array([*seen.hold[:2], lift]), CLOSE, most=most),
        Move(over, CLOSE, turned, near=0.006),
        Move(
            lambda seen: seen.tool + to(seen) - seen.things[thing] + lower * UP,
            CLOSE,
            near=0.005,
            most=0.75 * most,
            patience=60,
        ),
        stay(OPEN, 14),
        Move(lambda seen: seen.hold + APPROACH * UP, OPEN, most=0.6),
    )
