"""``LiftCubeExpert``, a scripted policy that sees what GR00T would see and speaks its protocol.

It looks for red in the scene camera's picture, knows that camera, and plans the hand's way: over the cube, down, grasp,
up. It goes down only where the wrist camera sees red, too. Each call plans from its observation alone, so it can be
asked for any env, at any time, in any order.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from groot_wrappers.modality import ActionConfig, ModalityConfig, ModalityConfigs, check_observation

from .grasp import HORIZON, STEP, plan_hand
from .kinematics import PandaArm
from .layout import WRIST_CAMERA
from .perception import CubePose, fit_cube, shows_red_about

__all__ = ["LiftCubeExpert"]

_ARM_LAG = 0.2
"""Seconds by which a joint trails a moving target: damping over stiffness of the arm's drives."""


class LiftCubeExpert:
    """Policy (``groot_wrappers.server.Policy``) that lifts the red cube of ``Isaac-Groot-Lift-Cube-Franka-v0``.

    Observation: video ``scene_camera`` and ``wrist_camera`` uint8 (B, 1, 224, 224, 3) RGB, state ``joint_positions``
    float32 (B, 1, 9) in rad and m, language ``task``. Action: ``joint_positions`` float32 (B, 16, 9), absolute targets,
    one a control step of 1/30 s.

    Args:
        find: What finds the cube in a picture of the scene camera, uint8 (224, 224, 3), RGB; where it finds none, the
            arm holds still.
    """

    def __init__(self, find: Callable[[np.ndarray], CubePose | None] = fit_cube):
        self._find = find
        self._arm = PandaArm()
        self._modality: ModalityConfigs = {
            "video": ModalityConfig((0,), ("scene_camera", "wrist_camera")),
            "state": ModalityConfig((0,), ("joint_positions",)),
            "action": ModalityConfig(
                tuple(range(HORIZON)),
                ("joint_positions",),
                action_configs=(ActionConfig("ABSOLUTE", "NON_EEF", "DEFAULT"),),
            ),
            "language": ModalityConfig((0,), ("task",)),
        }

    def get_modality_config(self) -> ModalityConfigs:
        """What an observation must hold and what an action will hold."""
        return self._modality

    def get_action(
        self, observation: dict[str, Any], options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Plan one chunk for each row of the observation.

        Returns:
            ``{"joint_positions": float32 (B, 16, 9)}`` and an empty info.

        Raises:
            ContractError: The observation is not as ``get_modality_config`` asks.
        """
        check_observation(observation, self._modality)
        scenes, wrists = (observation["video"][key][:, -1] for key in ("scene_camera", "wrist_camera"))
        joints = observation["state"]["joint_positions"][:, -1].astype(float)
        chunks = [self._plan(*row) for row in zip(scenes, wrists, joints, strict=True)]
        return {"joint_positions": np.stack(chunks).astype(np.float32)}, {}

    def reset(self, options: dict[str, Any] | None = None) -> dict[str, Any]:
        """Nothing to forget: no call depends on another."""
        return {}

    def _plan(self, scene: np.ndarray, wrist: np.ndarray, joints: np.ndarray) -> np.ndarray:
        """One row's chunk, (16, 9)."""
        cube = self._find(scene)
        if cube is None:
            return np.tile(joints, (HORIZON, 1))
        arm, fingers = joints[:7], joints[7:]
        position, yaw = self._arm.hand_pose(arm)
        agreed = shows_red_about(wrist, WRIST_CAMERA.project(self._arm.in_hand_frame(arm, cube.position)))
        positions, yaws, openings = plan_hand(position, yaw, float(fingers.mean()), cube, may_descend=agreed)
        path = self._arm.follow(arm, np.vstack([position, positions]), np.append(yaw, yaws))
        speeds = np.diff(path, axis=0) / STEP
        return np.hstack([path[1:] + speeds * _ARM_LAG, np.tile(openings[:, None], (1, 2))])
