"""A policy behind NVIDIA's own checks of LIBERO: ``CheckedN1D7`` and ``CheckedN1D6``; see ``verify.droid``'s."""

import os

import numpy as np

from tasks.common.scripted_expert import ScriptedExpert
from tests.verify.droid.nvidia_configuration import nvidia, ours

__all__ = ["CheckedN1D6", "CheckedN1D7"]

POSE = ("x", "y", "z", "roll", "pitch", "yaw")
LOWEST = np.array([-0.49, -0.33, 0.44, 1.1, -3.7, -1.9])
HIGHEST = np.array([0.22, 0.40, 1.34, 3.7, 3.6, 1.4])
"""The extremes of ``observation.state`` in NVIDIA's LIBERO demonstrations (``demo_data/libero_demo``), m and rad."""


class _Checked(ScriptedExpert):
    """Lowers the hand slowly and closes it, whatever it sees, and lets NVIDIA judge that."""

    def __init__(self, folder, tag):
        super().__init__(
            ("image", "wrist_image"),
            (*POSE, "gripper"),
            (*POSE, "gripper"),
            16,
            language="annotation.human.action.task_description",
            action_config=None,
        )
        self.modality_configs, self.nvidia = nvidia(os.environ[folder], tag)
        self._modality = ours(self.modality_configs)

    def plan(self, images, states, instruction):
        chunk = {key: np.zeros((16, 1)) for key in (*POSE, "gripper")}
        chunk["z"][:] = -0.2
        return chunk

    def get_action(self, observation, options=None):
        self.nvidia.check_observation(self, observation)
        assert all(pictures.shape[2:] == (256, 256, 3) for pictures in observation["video"].values())
        pose = np.concatenate([observation["state"][key] for key in POSE], axis=-1)
        assert ((pose >= LOWEST) & (pose <= HIGHEST)).all(), pose
        fingers = observation["state"]["gripper"]
        assert (fingers[..., 0] > -1e-3).all(), fingers
        assert (fingers[..., 1] < 1e-3).all(), fingers
        action, info = super().get_action(observation, options)
        self.nvidia.check_action(self, action)
        return action, info


class CheckedN1D7(_Checked):
    """N1.7's ``libero_sim``."""

    def __init__(self):
        super().__init__("GR00T_N1D7", "libero_sim")


class CheckedN1D6(_Checked):
    """N1.6's ``libero_panda``."""

    def __init__(self):
        super().__init__("GR00T_N1D6", "libero_panda")
