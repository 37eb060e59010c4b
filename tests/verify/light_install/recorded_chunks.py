"""Chunks that a policy once sent, found again by what it was shown: with numpy and the core alone.

* ``Recording``: serves a policy, and keeps what it was shown and sent.
* ``make_policy``: the policy that sends them again, from the file that CHUNKS names.
"""

import hashlib
import json
import os
from pathlib import Path

import numpy as np

from groot_wrappers.modality import ModalityConfig


class Recording:
    """A policy behind which another one answers.

    Args:
        policy: Which answers.
    """

    def __init__(self, policy):
        self._policy = policy
        self._chunks = {}
        self.get_modality_config = policy.get_modality_config
        self.reset = policy.reset

    def get_action(self, observation, options):
        action, info = self._policy.get_action(observation, options)
        for row, seen in enumerate(digests(observation)):
            for key, chunk in action.items():
                self._chunks[f"{seen}/{key}"] = chunk[row]
        return action, info

    def write(self, path: Path) -> None:
        np.savez(path, **self._chunks)


class RecordedPolicy:
    """Sends for what it is shown what was sent before.

    Args:
        path: What ``Recording`` wrote.
        configs: Of the policy that was recorded, as JSON's own types.
    """

    def __init__(self, path, configs):
        self._configs = {name: ModalityConfig.from_json(config) for name, config in configs.items()}
        with np.load(path) as chunks:
            self._chunks = dict(chunks)

    def get_modality_config(self):
        return self._configs

    def get_action(self, observation, options):
        seen = digests(observation)
        keys = self._configs["action"].modality_keys
        return {key: np.stack([self._chunks[f"{one}/{key}"] for one in seen]) for key in keys}, {}

    def reset(self, options):
        return {}


def make_policy():
    """Return the policy of the file that CHUNKS names."""
    path = Path(os.environ["CHUNKS"])
    return RecordedPolicy(path, json.loads(path.with_suffix(".json").read_text()))


def digests(observation):
    """Return a digest of each row of pictures and state."""
    arrays = [array for kind in ("video", "state") for _, array in sorted(observation[kind].items())]
    return [
        hashlib.sha256(b"".join(array[row].tobytes() for array in arrays)).hexdigest() for row in range(len(arrays[0]))
    ]
