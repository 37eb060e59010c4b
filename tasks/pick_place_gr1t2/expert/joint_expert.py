"""``PickPlaceExpert``, a scripted policy that sees what GR00T would see and speaks its protocol.

It looks for red in the ego view, knows that camera and where the head carries it, and plans the right hand's way: over
the wheel's rim, down, grasp, over to the zone, down, let go.
"""

from collections.abc import Callable

import numpy as np
from scipy.spatial.transform import Rotation

from tasks.common.scripted_expert import ScriptedExpert
from tasks.pick_place_gr1t2 import geometry
from tasks.pick_place_gr1t2.expert.hand_plan import CURLED, HAND_ROTATION, HORIZON, STEP, plan_hand
from tasks.pick_place_gr1t2.expert.kinematics import RightArm
from tasks.pick_place_gr1t2.expert.perception import find_cap

__all__ = ["PickPlaceExpert"]

_KEYS = ("left_arm", "right_arm", "left_hand", "right_hand", "waist")

_CURLED_HAND = np.array([1.5, 1.5, 1.5, 1.5, 1.5, 0.9])
"""Pinky, ring, middle, index, thumb yaw, thumb pitch of a closed hand, rad; an open one has all at 0."""
_FINGERS = slice(0, 4)

_ARM_LAG = 0.06
"""Seconds by which a joint trails a moving target: damping over stiffness of the arm's drives."""
_TURNING = 1.5
"""Fastest turn of the hand, rad/s."""


class PickPlaceExpert(ScriptedExpert):
    """Policy that plays ``Isaac-Groot-PickPlace-GR1T2-v0`` with the right hand.

    It has the modality of GR00T's embodiment ``gr1``. Observation: video ``ego_view`` uint8 (B, 1, 256, 256, 3) RGB,
    state ``left_arm`` and ``right_arm`` float32 (B, 1, 7), ``left_hand`` and ``right_hand`` (B, 1, 6), ``waist``
    (B, 1, 3), all in rad, language ``task``. Action: the same five keys, float32 (B, 16, D), absolute targets, one a
    control step of 1/20 s.

    Args:
        find: What finds the wheel's cap in a picture, uint8 (256, 256, 3); where it finds none, the robot holds still
            unless the hand is closed.
    """

    def __init__(self, find: Callable[[np.ndarray], np.ndarray | None] = find_cap):
        super().__init__(("ego_view",), _KEYS, _KEYS, HORIZON)
        self._find = find
        self._arm = RightArm()

    def plan(
        self, images: dict[str, np.ndarray], states: dict[str, np.ndarray], instruction: str
    ) -> dict[str, np.ndarray]:
        """Plan all five keys, (16, D) each: left side and waist at their start, right arm and hand at work."""
        waist, arm, hand = states["waist"], states["right_arm"], states["right_hand"]
        chunk = {
            "left_arm": np.tile(geometry.START_ARM, (HORIZON, 1)),
            "right_arm": np.tile(arm, (HORIZON, 1)),
            "left_hand": np.zeros((HORIZON, 6)),
            "right_hand": np.tile(hand, (HORIZON, 1)),
            "waist": np.zeros((HORIZON, 3)),
        }
        cap = self._find(images["ego_view"])
        curl = float(np.mean(hand[_FINGERS] / _CURLED_HAND[_FINGERS]))
        if cap is None and curl <= CURLED:
            return chunk
        hand_pose, head_pose = self._arm.poses(waist, arm)
        positions, curls = plan_hand(hand_pose[:3, 3], curl, cap, geometry.EYES.carried_by(head_pose))
        poses = [hand_pose, *_turned_to_grasp(hand_pose[:3, :3], positions)]
        path = self._arm.follow(waist, arm, poses)
        speeds = np.diff(path, axis=0) / STEP
        return chunk | {
            "right_arm": path[1:] + speeds * _ARM_LAG,
            "right_hand": curls[:, None] * _CURLED_HAND,
        }


def _turned_to_grasp(rotation: np.ndarray, positions: np.ndarray) -> list[np.ndarray]:
    """Poses (4, 4) at the given positions (T, 3), whose rotation goes over from ``rotation`` to that of a grasp."""
    start = Rotation.from_matrix(rotation)
    turn = (start.inv() * Rotation.from_matrix(HAND_ROTATION)).as_rotvec()
    angle = float(np.linalg.norm(turn))
    poses = []
    for step, position in enumerate(positions, start=1):
        part = min(1.0, _TURNING * STEP * step / max(angle, 1e-9))
        pose = np.eye(4)
        pose[:3, :3] = (start * Rotation.from_rotvec(turn * part)).as_matrix()
        pose[:3, 3] = position
        poses.append(pose)
    return poses
