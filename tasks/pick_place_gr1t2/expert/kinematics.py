"""The GR1T2's right arm for the expert: where hand and head are, and angles that bring the hand somewhere, by Pink.

Poses are in the env's frame (see ``layout``). The hand's pose is that of ``right_hand_pitch_link``.
"""

import numpy as np
import pink
import pinocchio as pin
from pink.tasks import FrameTask, PostureTask

from tasks.assets import gr1t2
from tasks.pick_place_gr1t2 import geometry

__all__ = ["RightArm"]

_HAND = "right_hand_pitch_link"
_HEAD = "head_pitch_link"

_POSTURE = np.array([-0.2, -0.5, 0.0, -1.7, 0.0, 0.0, 0.0])
"""Shoulder, elbow and wrist that the arm's seventh degree of freedom stays near: elbow out and down."""


class RightArm:
    """Kinematics of the seven joints of the right arm above a waist at given angles."""

    def __init__(self) -> None:
        full = pin.buildModelFromUrdf(str(gr1t2.gr1t2_urdf()))
        self._placed(full)
        moving = (*gr1t2.WAIST_JOINTS, *gr1t2.arm_joints("right"))
        others = [full.getJointId(name) for name in full.names[1:] if name not in moving]
        self._model = pin.buildReducedModel(full, others, pin.neutral(full))
        self._data = self._model.createData()
        self._columns = [self._model.joints[self._model.getJointId(name)].idx_q for name in moving]
        self._hand, self._head = self._model.getFrameId(_HAND), self._model.getFrameId(_HEAD)
        self._reach = FrameTask(_HAND, position_cost=1.0, orientation_cost=0.3, lm_damping=1e-3)
        # The waist stays where it is: a target beyond the arm's reach is approached, not leant to.
        costs = np.full(self._model.nv, 1e-2)
        costs[self._columns[:3]] = 10.0
        self._posture = PostureTask(cost=costs)

    @staticmethod
    def _placed(model: pin.Model) -> None:
        """Move a model whose base is at the origin to where the robot stands."""
        x, y, z, w = geometry.ROBOT_QUATERNION
        stand = pin.SE3(pin.Quaternion(w, x, y, z).matrix(), np.array(geometry.ROBOT_POSITION))
        for joint in range(1, model.njoints):
            if model.parents[joint] == 0:
                model.jointPlacements[joint] = stand * model.jointPlacements[joint]

    def poses(self, waist: np.ndarray, arm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Poses (4, 4) of hand and head for waist (3,) and arm (7,) angles, rad; the head looks straight ahead."""
        pin.framesForwardKinematics(self._model, self._data, self._configuration(waist, arm))
        return self._data.oMf[self._hand].homogeneous.copy(), self._data.oMf[self._head].homogeneous.copy()

    def follow(self, waist: np.ndarray, arm: np.ndarray, poses: list[np.ndarray]) -> np.ndarray:
        """Arm angles along a way of the hand.

        Args:
            waist: Angles of the waist, rad (3,); they are kept.
            arm: Angles of the arm to start from, rad (7,).
            poses: Poses of the hand along the way, (4, 4) each.

        Returns:
            Arm angles at each pose, rad (T, 7), within their limits.
        """
        start = self._configuration(waist, arm)
        # A simulated or noisy joint may be slightly outside its limits, where the solver refuses to start.
        inside = np.clip(start, self._model.lowerPositionLimit, self._model.upperPositionLimit)
        configuration = pink.Configuration(self._model, self._data, inside)
        self._posture.set_target(self._configuration(waist, _POSTURE))
        path = np.empty((len(poses), 7))
        for step, pose in enumerate(poses):
            self._reach.set_target(pin.SE3(pose))
            # One Newton step follows a way closely; the leap from the measured pose onto it takes more.
            for _ in range(3 if step == 0 else 1):
                velocity = pink.solve_ik(configuration, [self._reach, self._posture], dt=1.0, solver="daqp")
                configuration.integrate_inplace(velocity, 1.0)
            path[step] = configuration.q[self._columns[3:]]
        return path

    def _configuration(self, waist: np.ndarray, arm: np.ndarray) -> np.ndarray:
        q = pin.neutral(self._model)
        q[self._columns] = [*waist, *arm]
        return q
