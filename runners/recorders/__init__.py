"""Recorders watch a rollout; each is one class and one YAML file in ``conf/recorder``."""

from runners.recorders.recorder import Recorder, Recorders

__all__ = ["Recorder", "Recorders"]
