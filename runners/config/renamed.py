"""What earlier versions called things that stand in YAML files and in run folders: applied wherever such are read.

* ``renamed_targets``: mappings with ``_target_``, at whatever depth.
* ``renamed_keys``: the keys of a manifest.
"""

from collections.abc import Mapping
from typing import Any

__all__ = ["renamed_keys", "renamed_targets"]

TARGETS = {
    "runners.latency_policy": "runners.servers.latency_policy",
    "runners.progress": "runners.recorders.progress_bar",
    "runners.sweeps.hook": "runners.launch.run_hook",
    "tasks.episode_draws": "tasks.common.seeded_resets",
    "tasks.lift_cube_franka.expert": "tasks.lift_cube_franka.expert.joint_expert",
    "tasks.lift_cube_franka.libero_expert": "tasks.lift_cube_franka.expert.libero_expert",
    "tasks.newton_replay": "tasks.common.newton_replay",
    "tasks.pick_place_gr1t2.expert": "tasks.pick_place_gr1t2.expert.joint_expert",
    "tasks.pinhole_camera": "tasks.common.pinhole_camera",
    "tasks.scene_parts": "tasks.common.scene_parts",
    "tasks.scripted_expert": "tasks.common.scripted_expert",
}
"""Module that a ``_target_`` named, with the one that took its place."""

KEYS = {"starts": "reset_mode"}
"""Key of ``manifest.json``, with the one that took its place."""


def renamed_targets(described: Any) -> Any:
    """Return settings in which each ``_target_`` of an earlier version is the one that took its place.

    Args:
        described: Plain mappings and lists; they are not changed.
    """
    if isinstance(described, Mapping):
        return {
            key: _renamed(value) if key == "_target_" and isinstance(value, str) else renamed_targets(value)
            for key, value in described.items()
        }
    return [renamed_targets(each) for each in described] if isinstance(described, list) else described


def renamed_keys(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return a manifest in which each key of an earlier version is the one that took its place."""
    return {KEYS.get(key, key): value for key, value in manifest.items()}


def _renamed(target: str) -> str:
    module, dot, name = target.rpartition(".")
    return f"{TARGETS.get(module, module)}{dot}{name}"
