"""Synthetic pictures of the lift: a red cube on grey, drawn by projecting its corners, and nothing else."""

import numpy as np
from scipy.spatial import Delaunay

from tasks.lift_cube_franka.geometry import CUBE_SIDE, IMAGE_SIZE, SCENE_CAMERA, WRIST_CAMERA

RED = (200, 40, 35)
CUBE_CORNERS = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * CUBE_SIDE / 2
_PIXELS = np.stack(np.meshgrid(*[np.arange(IMAGE_SIZE) + 0.5] * 2), axis=-1)


def turn(yaw):
    return np.array([[np.cos(yaw), -np.sin(yaw), 0.0], [np.sin(yaw), np.cos(yaw), 0.0], [0.0, 0.0, 1.0]])


def draw(corners, colour=RED):
    """A picture, uint8 (224, 224, 3), in which the hull of pixel coordinates (8, 2) has the colour."""
    picture = np.full((IMAGE_SIZE, IMAGE_SIZE, 3), 150, np.uint8)
    picture[Delaunay(corners).find_simplex(_PIXELS) >= 0] = colour
    return picture


def scene_picture(position, yaw=0.0, colour=RED):
    """What the scene camera sees of a cube at `position`, base frame, turned by `yaw`."""
    return draw(SCENE_CAMERA.project(position + CUBE_CORNERS @ turn(yaw).T), colour)


def wrist_picture(arm, joints, position, yaw=0.0, colour=RED):
    """What the wrist camera sees of it when the arm has these joint angles."""
    corners = np.array([arm.in_hand_frame(joints, corner) for corner in position + CUBE_CORNERS @ turn(yaw).T])
    return draw(WRIST_CAMERA.project(corners), colour)


def observation(scenes, wrists, joints):
    """The observation of the expert's modalities for B pictures and (B, 9) joints."""
    return {
        "video": {"scene_camera": np.stack(scenes)[:, None], "wrist_camera": np.stack(wrists)[:, None]},
        "state": {"joint_positions": np.asarray(joints, np.float32)[:, None]},
        "language": {"task": [["pick up the cube"]] * len(scenes)},
    }
