"""The state of the simulator where an episode ended in an error of its own, kept for whoever looks for the reason.

* ``StateDump``: writes it, a file an episode.
* ``load_state``: reads it again, as IsaacLab's ``InteractiveScene.reset_to`` takes it.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from runners.episodes.plan import PlannedEpisode

if TYPE_CHECKING:
    import torch

__all__ = ["FOLDER", "StateDump", "load_state"]

logger = logging.getLogger(__name__)

FOLDER = "errors"
"""Of the run folder, where the files lie."""

MOST = 20
"""Files of a run: what fails more often fails for one reason."""

HOW_TO_LOAD = """from runners.rollout.state_dump import load_state
env.unwrapped.scene.reset_to(load_state("{name}", num_envs=env.unwrapped.num_envs), is_relative=True)"""

State = dict[str, dict[str, dict[str, "torch.Tensor"]]]


class StateDump:
    """Writes the state of an env's scene where an episode ended in an error.

    Args:
        env: The wrapped env; one without a scene of IsaacLab's has no state to write.
        folder: The run folder.
    """

    def __init__(self, env: Any, folder: Path) -> None:
        self._scene: Any = getattr(env.unwrapped, "scene", None)
        self._folder = folder / FOLDER

    def write(self, planned: PlannedEpisode, env_id: int, error: str) -> Path | None:
        """Write the state of an env, and return the file; None where there is none, or where there are enough.

        The file is an ``.npz`` without pickles: ``kind/name/part`` to float32 (1, ...), poses in the env's own frame
        (m, quaternion xyzw), velocities (m/s, rad/s), joints (rad, m), as ``InteractiveScene.get_state`` has them;
        beside them ``episode``, ``seed``, ``instruction``, ``error`` and ``how_to_load``.

        Args:
            planned: The episode.
            env_id: The env that has played it.
            error: Why it cannot be counted.
        """
        if not hasattr(self._scene, "get_state") or len(list(self._folder.glob("*.npz"))) >= MOST:
            return None
        path = self._folder / f"episode_{planned.index:06d}.npz"
        try:
            state = self._scene.get_state(is_relative=True)
            self._folder.mkdir(exist_ok=True)
            content: dict[str, Any] = _described(planned, error, path) | _flat(state, env_id)
            np.savez_compressed(path, **content)
        except Exception:  # the row counts more than the state, whatever a scene of anybody's raises
            logger.warning("The state of episode %d could not be written to %s", planned.index, path, exc_info=True)
            return None
        return path


def load_state(path: str | Path, *, num_envs: int = 1) -> State:
    """Return a state that was written, for each of so many envs.

    Args:
        path: ``errors/episode_000003.npz`` of a run folder.
        num_envs: Envs that are all to be put into it.
    """
    import torch  # noqa: PLC0415  # takes seconds, and what writes a state has it already

    state: State = {}
    with np.load(path, allow_pickle=False) as file:
        for key in file.files:
            if key.count("/") == 2:
                kind, name, part = key.split("/")
                values = torch.from_numpy(file[key]).repeat_interleave(num_envs, dim=0)
                state.setdefault(kind, {}).setdefault(name, {})[part] = values
    return state


def _described(planned: PlannedEpisode, error: str, path: Path) -> dict[str, Any]:
    return {
        "episode": planned.index,
        "seed": planned.seed,
        "instruction": planned.instruction,
        "error": error,
        "how_to_load": HOW_TO_LOAD.format(name=path),
    }


def _flat(state: Mapping[str, Mapping[str, Mapping[str, Any]]], env_id: int) -> dict[str, np.ndarray[Any, Any]]:
    """Return one env's part of a state by path."""
    return {
        f"{kind}/{name}/{part}": np.asarray(values[env_id : env_id + 1].cpu(), np.float32)
        for kind, its in state.items()
        for name, parts in its.items()
        for part, values in parts.items()
    }
