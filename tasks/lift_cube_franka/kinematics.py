"""The Panda's arm for the expert: where the hand is, and joint angles that bring it somewhere, by Pink."""

import numpy as np
import pink
import pinocchio as pin
from pink.tasks import FrameTask, PostureTask

from tasks.assets.panda import FINGER_JOINTS, panda_urdf

from .layout import START_JOINTS

__all__ = ["PandaArm"]

_TOOL = "panda_hand_tcp"
"""The point between the finger tips, a frame of the URDF."""

_POINTING_DOWN = np.diag([1.0, -1.0, -1.0])
"""Orientation of the hand in every plan: fingers down, opening along the base's y axis."""


class PandaArm:
    """Kinematics of the seven arm joints; positions are of the point between the finger tips, in the base frame."""

    def __init__(self) -> None:
        full = pin.buildModelFromUrdf(str(panda_urdf()))
        fingers = [full.getJointId(name) for name in FINGER_JOINTS]
        self._model = pin.buildReducedModel(full, fingers, pin.neutral(full))
        self._data = self._model.createData()
        self._frame = self._model.getFrameId(_TOOL)
        self._reach = FrameTask(_TOOL, position_cost=1.0, orientation_cost=1.0, lm_damping=1e-3)
        # The seventh degree of freedom stays near the start pose, so that a plan does not depend on the plans before.
        self._posture = PostureTask(cost=1e-3)
        self._posture.set_target(np.array(START_JOINTS[:7]))

    def tool_position(self, joints: np.ndarray) -> np.ndarray:
        """Position of the point between the finger tips, metres (3,), for arm joints (7,), rad."""
        pin.framesForwardKinematics(self._model, self._data, joints)
        return self._data.oMf[self._frame].translation.copy()

    def follow(self, joints: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """Joint angles along a path of the hand, which points down.

        Args:
            joints: The arm joints to start from, rad (7,).
            positions: Points of the path, metres (T, 3).

        Returns:
            Arm joints at each point, rad (T, 7), within their limits.
        """
        configuration = pink.Configuration(self._model, self._data, _within(self._model, joints))
        path = np.empty((len(positions), 7))
        for step, position in enumerate(positions):
            self._reach.set_target(pin.SE3(_POINTING_DOWN, position))
            # One Newton step follows a path closely; the way from the measured pose onto it takes more.
            for _ in range(3 if step == 0 else 1):
                velocity = pink.solve_ik(configuration, [self._reach, self._posture], dt=1.0, solver="daqp")
                configuration.integrate_inplace(velocity, 1.0)
            path[step] = configuration.q
        return path


def _within(model: pin.Model, joints: np.ndarray) -> np.ndarray:
    """The joints moved into their limits, where a simulated or noisy arm may be slightly outside."""
    return np.clip(joints, model.lowerPositionLimit, model.upperPositionLimit)
