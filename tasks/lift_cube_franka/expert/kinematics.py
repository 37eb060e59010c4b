"""The Panda's arm for the expert: where the hand is, and joint angles that bring it somewhere, by Pink."""

import numpy as np
import pink
import pinocchio as pin
from pink.tasks import FrameTask, PostureTask

from tasks.assets.panda import FINGER_JOINTS, panda_urdf
from tasks.lift_cube_franka.geometry import START_JOINTS

__all__ = ["PandaArm"]

_TOOL = "panda_hand_tcp"
"""The point between the finger tips, a frame of the URDF."""

_POINTING_DOWN = np.diag([1.0, -1.0, -1.0])
"""Orientation of the hand at yaw 0: fingers down, opening along the base's y axis."""


class PandaArm:
    """Kinematics of the seven arm joints; positions are of the point between the finger tips, in the base frame."""

    def __init__(self) -> None:
        full = pin.buildModelFromUrdf(str(panda_urdf()))
        fingers = [full.getJointId(name) for name in FINGER_JOINTS]
        self._model = pin.buildReducedModel(full, fingers, pin.neutral(full))
        self._data = self._model.createData()
        self._tool, self._hand = (self._model.getFrameId(name) for name in (_TOOL, "panda_hand"))
        self._reach = FrameTask(_TOOL, position_cost=1.0, orientation_cost=1.0, lm_damping=1e-3)
        # The seventh degree of freedom stays near the start pose, so that a plan does not depend on the plans before.
        self._posture = PostureTask(cost=1e-3)
        self._posture.set_target(np.array(START_JOINTS[:7]))

    def hand_pose(self, joints: np.ndarray) -> tuple[np.ndarray, float]:
        """Position between the finger tips, metres (3,), and yaw of the hand, rad, for arm joints (7,), rad."""
        pin.framesForwardKinematics(self._model, self._data, joints)
        pose = self._data.oMf[self._tool]
        return pose.translation.copy(), float(np.arctan2(pose.rotation[1, 0], pose.rotation[0, 0]))

    def in_hand_frame(self, joints: np.ndarray, point: np.ndarray) -> np.ndarray:
        """A point of the base frame in the frame of ``panda_hand``, metres (3,), for arm joints (7,), rad."""
        pin.framesForwardKinematics(self._model, self._data, joints)
        return self._data.oMf[self._hand].actInv(point)

    def follow(self, joints: np.ndarray, positions: np.ndarray, yaws: np.ndarray) -> np.ndarray:
        """Joint angles along a way of the hand, which points down.

        Args:
            joints: The arm joints to start from, rad (7,).
            positions: Points of the way, metres (T, 3).
            yaws: Turn of the hand about the vertical at each point, rad (T,).

        Returns:
            Arm joints at each point, rad (T, 7), within their limits.
        """
        # A simulated or noisy arm may be slightly outside its limits, where the solver refuses to start.
        inside = np.clip(joints, self._model.lowerPositionLimit, self._model.upperPositionLimit)
        configuration = pink.Configuration(self._model, self._data, inside)
        path = np.empty((len(positions), 7))
        for step, (position, yaw) in enumerate(zip(positions, yaws, strict=True)):
            self._reach.set_target(pin.SE3(pin.rpy.rpyToMatrix(0.0, 0.0, yaw) @ _POINTING_DOWN, position))
            # One Newton step follows a way closely; the leap from the measured pose onto it takes more.
            for _ in range(3 if step == 0 else 1):
                velocity = pink.solve_ik(configuration, [self._reach, self._posture], dt=1.0, solver="daqp")
                configuration.integrate_inplace(velocity, 1.0)
            path[step] = configuration.q
        return path
