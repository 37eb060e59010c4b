"""DROID's experts behind NVIDIA's own checks: ``CheckedN1D7`` and ``CheckedN1D6``.

Each asks for what NVIDIA's configuration of its tag asks for, and shows every observation to NVIDIA's
``check_observation`` and every chunk to its ``check_action``. The sources are read from the folders that ``GR00T_N1D7``
and ``GR00T_N1D6`` name.
"""

import os
import sys
import types
from importlib import import_module

import numpy as np

from groot_wrappers.modality import ActionConfig, ModalityConfig
from tasks.droid_table.expert.experts import DroidExpert, DroidPoseExpert

__all__ = ["CheckedN1D6", "CheckedN1D7"]

LIMITS = np.array([[-2.9, -1.77, -2.9, -3.08, -2.9, -0.03, -2.9], [2.9, 1.77, 2.9, -0.06, 2.9, 3.77, 2.9]])
"""The Panda's joint limits, rad, with a little room."""


def let_in(folder):
    """Let NVIDIA's package be imported from a folder of Isaac-GR00T."""
    sys.path.insert(0, folder)
    # Its imports of models are of no use here, and are not installed.
    names = ("AutoModel", "AutoProcessor", "ProcessorMixin", "BatchFeature")
    for name in ("transformers", "transformers.feature_extraction_utils"):
        if name not in sys.modules:
            sys.modules[name] = types.ModuleType(name)
            vars(sys.modules[name]).update({attribute: type(attribute, (), {}) for attribute in names})


def nvidia(folder, tag):
    """Return NVIDIA's modality configs of a tag, and its policy class, from a folder of Isaac-GR00T."""
    let_in(folder)
    configs = import_module("gr00t.configs.data.embodiment_configs").MODALITY_CONFIGS[tag]
    return configs, import_module("gr00t.policy.gr00t_policy").Gr00tPolicy


def ours(configs):
    """NVIDIA's modality configs as ours, which a server sends."""
    return {
        name: ModalityConfig(
            tuple(config.delta_indices),
            tuple(config.modality_keys),
            action_configs=None
            if not config.action_configs
            else tuple(
                ActionConfig(c.rep.name, c.type.name, c.format.name, c.state_key) for c in config.action_configs
            ),
        )
        for name, config in configs.items()
    }


class _Checked:
    """What both have in common."""

    def ask_nvidia(self, folder, tag):
        """Take NVIDIA's configuration of a tag in the place of the expert's own."""
        self.modality_configs, self.nvidia = nvidia(folder, tag)
        self._modality = ours(self.modality_configs)

    def get_action(self, observation, options=None):
        """Check what is seen, plan, and check what is sent."""
        self.nvidia.check_observation(self, observation)
        for pictures in observation["video"].values():
            assert pictures.shape[2:] == (180, 320, 3)
        state = observation["state"]
        joints = state["joint_position"]
        assert ((joints > LIMITS[0]) & (joints < LIMITS[1])).all(), joints
        assert (np.abs(state["gripper_position"] - 0.5) <= 0.53).all(), state["gripper_position"]
        if "eef_9d" in state:
            rows = state["eef_9d"][..., 3:].reshape(-1, 2, 3)
            assert np.allclose(rows @ rows.transpose(0, 2, 1), np.eye(2), atol=1e-4), rows
        action, info = super().get_action(observation, options)
        length = len(self._modality["action"].delta_indices)
        action = {key: values[:, :length] for key, values in action.items()}
        self.nvidia.check_action(self, action)
        return action, info


class CheckedN1D7(_Checked, DroidPoseExpert):
    """N1.7's ``oxe_droid_relative_eef_relative_joint``."""

    def __init__(self):
        super().__init__()
        self.ask_nvidia(os.environ["GR00T_N1D7"], "oxe_droid_relative_eef_relative_joint")


class CheckedN1D6(_Checked, DroidExpert):
    """N1.6's ``oxe_droid``."""

    def __init__(self):
        super().__init__()
        self.ask_nvidia(os.environ["GR00T_N1D6"], "oxe_droid")
