"""``LiftCubeExpert``, a scripted policy that sees what GR00T would see and speaks its protocol.

It looks for red in the scene camera's picture, knows that camera, and plans the hand's way: over the cube, down, grasp,
up. It goes down only where the wrist camera sees red, too.
"""

from collections.abc import Callable

import numpy as np

from tasks.common.scripted_expert import ScriptedExpert
from tasks.lift_cube_franka.expert.hand_plan import HORIZON, STEP, plan_hand
from tasks.lift_cube_franka.expert.kinematics import PandaArm
from tasks.lift_cube_franka.expert.perception import CubePose, fit_cube, shows_red_about
from tasks.lift_cube_franka.geometry import WRIST_CAMERA

__all__ = ["LiftCubeExpert"]

_ARM_LAG = 0.2
"""Seconds by which a joint trails a moving target: damping over stiffness of the arm's drives."""


class LiftCubeExpert(ScriptedExpert):
    """Policy that lifts the red cube of ``Isaac-Groot-Lift-Cube-Franka-v0``.

    Observation: video ``scene_camera`` and ``wrist_camera`` uint8 (B, 1, 224, 224, 3) RGB, state ``joint_positions``
    float32 (B, 1, 9) in rad and m, language ``task``. Action: ``joint_positions`` float32 (B, 16, 9), absolute targets,
    one a control step of 1/30 s.

    Args:
        find: What finds the cube in a picture of the scene camera, uint8 (224, 224, 3), RGB; where it finds none, the
            arm holds still.
    """

    def __init__(self, find: Callable[[np.ndarray], CubePose | None] = fit_cube):
        super().__init__(("scene_camera", "wrist_camera"), ("joint_positions",), ("joint_positions",), HORIZON)
        self._find = find
        self._arm = PandaArm()

    def plan(
        self, images: dict[str, np.ndarray], states: dict[str, np.ndarray], instruction: str
    ) -> dict[str, np.ndarray]:
        """Plan ``joint_positions`` (16, 9)."""
        joints = states["joint_positions"]
        cube = self._find(images["scene_camera"])
        if cube is None:
            return {"joint_positions": np.tile(joints, (HORIZON, 1))}
        arm, fingers = joints[:7], joints[7:]
        position, yaw = self._arm.hand_pose(arm)
        beneath = WRIST_CAMERA.project(self._arm.in_hand_frame(arm, cube.position))
        agreed = shows_red_about(images["wrist_camera"], beneath)
        positions, yaws, openings = plan_hand(position, yaw, float(fingers.mean()), cube, may_descend=agreed)
        path = self._arm.follow(arm, np.vstack([position, positions]), np.append(yaw, yaws))
        speeds = np.diff(path, axis=0) / STEP
        targets = np.hstack([path[1:] + speeds * _ARM_LAG, np.tile(openings[:, None], (1, 2))])
        return {"joint_positions": targets}
