"""The toy env's policy, free of torch: a process that serves it starts at once."""

import numpy as np

from groot_wrappers.modality import ModalityConfig


class ToyPolicy:
    """Reads the goal off the pixels and drives joint_a there; ``solves`` keeps the others still."""

    def __init__(self, horizon=8, solves=lambda goal: True):
        self.horizon, self.solves = horizon, solves
        self.calls, self.resets = [], 0

    def get_modality_config(self):
        return {
            "video": ModalityConfig((0,), ("camera",)),
            "state": ModalityConfig((0,), ("joints",)),
            "action": ModalityConfig(tuple(range(self.horizon)), ("joints",)),
            "language": ModalityConfig((0,), ("task",)),
        }

    def get_action(self, observation, options=None):
        self.calls.append(observation)
        goal = observation["video"]["camera"][:, -1, 0, 0, 0].astype(np.float32)
        action = np.zeros((len(goal), self.horizon, 2), np.float32)
        action[:, :, 1] = np.where([self.solves(g) for g in goal], goal, 0.0)[:, None]
        return {"joints": action}, {}

    def reset(self, options=None):
        self.resets += 1
        return {}
