"""``LiberoExpert``, the lift's scripted policy in the terms of LIBERO's data: changes of the hand's pose, from pixels.

It sees and plans as ``LiftCubeExpert`` does, but sends how the hand is to move instead of where the joints are to be.
Each call plans from its observation alone.
"""

import numpy as np
from scipy.spatial.transform import Rotation

from tasks.common.scripted_expert import ScriptedExpert
from tasks.lift_cube_franka.expert.hand_plan import HORIZON, Pace, plan_hand
from tasks.lift_cube_franka.expert.perception import fit_cube, shows_red_about
from tasks.lift_cube_franka.geometry import IMAGE_SIZE, TOOL_POINT, WRIST_CAMERA

__all__ = ["LiberoExpert"]

_POSE = ("x", "y", "z", "roll", "pitch", "yaw")
_VIDEO_SIZE = 256
"""Height and width of LIBERO's pictures, pixels."""

_FARTHEST = np.array([0.05] * 3 + [0.5] * 3)
"""What 1 stands for in each number of an action, m and rad."""

_STEP = 1 / 20
"""Seconds a control step."""
_DONE = 1 - np.exp(-_STEP * 400 / 67)
"""Part of a change of pose that the arm does within its control step: a joint comes nearer to its target at a rate of
stiffness over damping of its drive, which are those of the embodiment."""
_PACE = Pace(_STEP, fast=0.22, careful=0.18)
"""The farthest change that can be asked for gives 0.26 m/s."""

_POINTING_DOWN = Rotation.from_matrix(np.diag([1.0, -1.0, -1.0]))
"""Rotation of the hand at yaw 0: fingers down, opening along the base's y axis."""

_HALF_OPEN = 0.03
"""Opening of each finger, m, that parts a command to open from one to close; a cube in the grip is below it."""

_OF_VIDEO = ((np.arange(IMAGE_SIZE) + 0.5) * _VIDEO_SIZE / IMAGE_SIZE).astype(int)
"""Rows of LIBERO's picture that make one of the size that the cameras are known in, and columns, which are mirrored."""


class LiberoExpert(ScriptedExpert):
    """Policy that lifts the red cube under ``embodiment=libero_panda``.

    Observation: video ``image`` (the scene) and ``wrist_image`` uint8 (B, 1, 256, 256, 3) RGB, mirrored; state ``x``,
    ``y``, ``z`` (m), ``roll``, ``pitch``, ``yaw`` (axis times angle, rad) float32 (B, 1, 1) of the point between the
    finger tips in the base frame, and ``gripper`` float32 (B, 1, 2), the fingers' positions, the second negative (m).
    Action: the same keys but ``gripper`` of one number, float32 (B, 16, 1): changes of the pose about the base's axes a
    control step of 1/20 s, in [-1, 1] of 0.05 m and 0.5 rad, and the gripper 1 to open, 0 to close.
    """

    def __init__(self) -> None:
        super().__init__(
            ("image", "wrist_image"),
            (*_POSE, "gripper"),
            (*_POSE, "gripper"),
            HORIZON,
            language="annotation.human.action.task_description",
            action_config=None,
        )

    def plan(
        self, images: dict[str, np.ndarray], states: dict[str, np.ndarray], instruction: str
    ) -> dict[str, np.ndarray]:
        """Plan each key's (16, 1)."""
        scene, wrist = (images[key][_OF_VIDEO][:, _OF_VIDEO[::-1]] for key in ("image", "wrist_image"))
        pose = np.concatenate([states[key] for key in _POSE])
        chunk = _chunk(scene, wrist, pose, float(np.abs(states["gripper"]).mean()))
        return {key: chunk[:, [column]] for column, key in enumerate((*_POSE, "gripper"))}


def _chunk(scene: np.ndarray, wrist: np.ndarray, pose: np.ndarray, opening: float) -> np.ndarray:
    """One row's chunk, (16, 7)."""
    cube = fit_cube(scene)
    if cube is None:
        return np.tile(np.append(np.zeros(6), opening > _HALF_OPEN), (HORIZON, 1))
    position, rotation = pose[:3], Rotation.from_rotvec(pose[3:])
    hand = position - rotation.apply(TOOL_POINT)
    agreed = shows_red_about(wrist, WRIST_CAMERA.project(rotation.apply(cube.position - hand, inverse=True)))
    along_x = rotation.apply([1.0, 0.0, 0.0])
    yaw = float(np.arctan2(along_x[1], along_x[0]))
    positions, yaws, fingers = plan_hand(position, yaw, opening, cube, may_descend=agreed, pace=_PACE)
    rotations = Rotation.concatenate([rotation, Rotation.from_euler("z", yaws[:, None]) * _POINTING_DOWN])
    moves = np.diff(np.vstack([position, positions]), axis=0)
    turns = (rotations[1:] * rotations[:-1].inv()).as_rotvec()
    changes = np.clip(np.hstack([moves, turns]) / _FARTHEST / _DONE, -1.0, 1.0)
    return np.column_stack([changes, fingers > _HALF_OPEN])
