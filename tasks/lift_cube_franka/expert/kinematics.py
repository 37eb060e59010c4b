"""The Panda's arm for the expert: where the hand is, and joint angles that bring it somewhere, by Pink."""

from collections.abc import Sequence

import numpy as np
import pink
import pinocchio as pin
from pink.tasks import FrameTask, PostureTask

from tasks.assets.panda import FINGER_JOINTS, panda_urdf
from tasks.lift_cube_franka.geometry import START_JOINTS

__all__ = ["PandaArm"]

_POINTING_DOWN = np.diag([1.0, -1.0, -1.0])
"""Orientation of the tool at yaw 0: fingers down, opening along the base's y axis."""


class PandaArm:
    """Kinematics of the seven arm joints; positions are of the tool, in the base frame.

    Args:
        tool: A frame of the URDF; by default the point between the finger tips.
        posture: Arm joints, rad (7,), that the seventh degree of freedom keeps near to.
    """

    def __init__(self, tool: str = "panda_hand_tcp", posture: Sequence[float] = START_JOINTS[:7]) -> None:
        full = pin.buildModelFromUrdf(str(panda_urdf()))
        fingers = [full.getJointId(name) for name in FINGER_JOINTS]
        self._model = pin.buildReducedModel(full, fingers, pin.neutral(full))
        self._data = self._model.createData()
        self._tool, self._hand = (self._model.getFrameId(name) for name in (tool, "panda_hand"))
        self._reach = FrameTask(tool, position_cost=1.0, orientation_cost=1.0, lm_damping=1e-3)
        # So that a plan does not depend on the plans before.
        self._posture = PostureTask(cost=1e-3)
        self._posture.set_target(np.array(posture))

    def hand_pose(self, joints: np.ndarray) -> tuple[np.ndarray, float]:
        """Position of the tool, metres (3,), and its yaw, rad, for arm joints (7,), rad."""
        pin.framesForwardKinematics(self._model, self._data, joints)
        pose = self._data.oMf[self._tool]
        return pose.translation.copy(), float(np.arctan2(pose.rotation[1, 0], pose.rotation[0, 0]))

    def pose(self, joints: np.ndarray) -> np.ndarray:
        """Pose of the tool, (4, 4), for arm joints (7,), rad."""
        pin.framesForwardKinematics(self._model, self._data, joints)
        pose: np.ndarray = self._data.oMf[self._tool].homogeneous.copy()
        return pose

    def in_hand_frame(self, joints: np.ndarray, point: np.ndarray) -> np.ndarray:
        """A point of the base frame in the frame of ``panda_hand``, metres (3,), for arm joints (7,), rad."""
        pin.framesForwardKinematics(self._model, self._data, joints)
        return self._data.oMf[self._hand].actInv(point)

    def follow(self, joints: np.ndarray, positions: np.ndarray, yaws: np.ndarray) -> np.ndarray:
        """Joint angles along a way of the tool, which points down.

        Args:
            joints: The arm joints to start from, rad (7,).
            positions: Points of the way, metres (T, 3).
            yaws: Turn of the tool about the vertical at each point, rad (T,).

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
