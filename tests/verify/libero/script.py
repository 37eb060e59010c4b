"""What both simulators play: a free path in open loop, and a scripted pick and place of LIBERO's ``spatial`` suite.

The script was frozen on MuJoCo before MuJoCo-Warp or Newton played it. It looks at the poses of tool, bowl and plate
once a control step (20 Hz) and answers as a policy would: seven numbers for robosuite's OSC_POSE and gripper.
"""

from enum import IntEnum

import numpy as np

OPEN, CLOSE, STAY = -1.0, 1.0, 0.0
UP = np.array([0.0, 0.0, 1.0])
STEPS = 280  # control steps of an episode: LIBERO's own horizon of the suite

# What differs from task to task: the bowl in the drawer has walls beside it, and that on the cabinet is far away.
SETTINGS = {4: {"narrow": 4}, 9: {"angle": 135.0, "lift": 0.04}}


def free_path(steps=120):
    """Actions (steps, 7) of six seconds in the air: sines on all axes; the fingers close after three."""
    t = np.arange(steps) / 20
    on = np.clip((t - 0.5) / 0.5, 0, 1)
    actions = np.zeros((steps, 7))
    actions[:, 0] = 0.5 * np.sin(2 * np.pi * 0.5 * t) * on
    actions[:, 1] = 0.6 * np.sin(2 * np.pi * 0.4 * t + 0.5) * on
    actions[:, 2] = (-0.05 + 0.4 * np.sin(2 * np.pi * 0.6 * t)) * on
    actions[:, 3] = 0.10 * np.sin(2 * np.pi * 0.5 * t) * on
    actions[:, 4] = 0.10 * np.sin(2 * np.pi * 0.4 * t + 1) * on
    actions[:, 5] = 0.20 * np.sin(2 * np.pi * 0.5 * t + 2) * on
    actions[:, 6] = np.where(t < 3, OPEN, CLOSE)
    return actions


class Phase(IntEnum):
    """The parts of an episode, in their order."""

    OVER_RIM, DOWN, STILL, GRIP, LIFT, OVER_PLATE, LOWER, LET_GO, RISE = range(9)


NEAR = {Phase.OVER_RIM: 0.012, Phase.DOWN: 0.006, Phase.OVER_PLATE: 0.006, Phase.LOWER: 0.005}  # metres, on each axis
WAIT = {Phase.STILL: 6, Phase.GRIP: 24, Phase.LET_GO: 14}  # control steps
PATIENCE = {Phase.DOWN: 50, Phase.LOWER: 40}  # control steps after which a phase ends anyway
SLOW = (Phase.LIFT, Phase.LOWER)


class PickPlace:
    """Grips the bowl by its rim, carries it over the plate, lowers it, lets go and rises.

    Args:
        angle: Where around the bowl it grips, degrees from the world's x; the fingers then stand across the rim.
        lift: How far up it carries the bowl, metres.
        narrow: Control steps for which the fingers close before the approach, where there is little room.
    """

    def __init__(self, angle=90.0, lift=0.10, narrow=0):
        self.across = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle)), 0.0])
        self.turn = np.radians(angle - 90.0)
        self.lift, self.narrow = lift, narrow
        self.phase, self.count, self.hold = Phase.OVER_RIM, 0, None

    def act(self, tool, rotation, bowl, plate):
        """Return the action (7,) for the tool's position (3,) and rotation (3, 3), and the positions (3,) of both."""
        gap = self._goal(tool, bowl, plate) - tool
        turn = self._left_to_turn(rotation)
        action = np.zeros(7)
        gain, most = (0.5 if self.phase == Phase.LOWER else 0.9), (0.4 if self.phase in SLOW else 0.8)
        action[:3] = np.clip(gap / 0.05 * gain, -most, most)
        action[5] = np.clip(turn / 0.5, -0.4, 0.4) if abs(turn) > 0.02 else 0.0
        action[6] = self._fingers()
        self.count += 1
        if self._ended(gap, turn):
            self.phase, self.count = Phase(min(self.phase + 1, Phase.RISE)), 0
            if self.phase in (Phase.STILL, Phase.LET_GO):
                self.hold = tool.copy()
        return action

    def _goal(self, tool, bowl, plate):
        rim = bowl + self.across * 0.047 + 0.042 * UP
        match self.phase:
            case Phase.OVER_RIM:
                goal = rim + 0.12 * UP
            case Phase.DOWN:
                goal = rim
            case Phase.STILL | Phase.GRIP | Phase.LET_GO:
                goal = self.hold
            case Phase.LIFT:
                goal = self.hold + self.lift * UP
            case Phase.OVER_PLATE:
                goal = np.array([*(tool + plate - bowl)[:2], self.hold[2] + self.lift])
            case Phase.LOWER:
                goal = tool + plate - bowl + 0.012 * UP
            case Phase.RISE:
                goal = self.hold + 0.12 * UP
        return goal

    def _left_to_turn(self, rotation):
        """Radians about z; the fingers' axis is the tool's x, along the world's y at first."""
        if self.turn == 0.0 or self.phase > Phase.DOWN:
            return 0.0
        left = np.pi / 2 + self.turn - np.arctan2(rotation[1, 0], rotation[0, 0])
        return (left + np.pi) % (2 * np.pi) - np.pi

    def _fingers(self):
        if Phase.GRIP <= self.phase <= Phase.LOWER:
            return CLOSE
        if self.phase > Phase.LOWER or not self.narrow:
            return OPEN
        return CLOSE if self.phase == Phase.OVER_RIM and self.count < self.narrow else STAY

    def _ended(self, gap, turn):
        if self.phase in WAIT:
            return self.count > WAIT[self.phase]
        there = np.abs(gap).max() < NEAR.get(self.phase, 0.012) and abs(turn) < 0.06
        return (there and self.count > 4) or self.count > PATIENCE.get(self.phase, 80)
