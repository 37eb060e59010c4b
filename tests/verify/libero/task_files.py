"""A task that ``reference.py`` has written, read back: its model without what is only looked at, and its starts."""

from dataclasses import dataclass
from pathlib import Path

import mujoco
import numpy as np

from tests.verify.libero.script import SETTINGS


@dataclass
class Task:
    """One task of the suite."""

    index: int
    model: mujoco.MjModel
    starts: np.ndarray  # (n, 1 + nq + nv), the official ones: time, qpos, qvel
    rest: np.ndarray  # the same after LIBERO's ten steps of waiting
    reset: dict  # what robosuite's controller keeps from its own reset
    settings: dict  # of the script


def read_task(folder):
    """Return the ``Task`` of a folder whose name is its number."""
    folder = Path(folder)
    with np.load(folder / "reset.npz") as kept:
        reset = {name: kept[name] for name in kept.files}
    starts, rest = np.load(folder / "starts.npy"), np.load(folder / "rest.npy")
    index = int(folder.name)
    return Task(index, _bare_model(folder / "scene.xml"), starts, rest, reset, SETTINGS.get(index, {}))


def _bare_model(path):
    spec = mujoco.MjSpec.from_file(str(path))
    for geom in list(spec.geoms):
        geom.material = ""
        if not geom.contype and not geom.conaffinity:
            spec.delete(geom)
    used = {geom.meshname for geom in spec.geoms}
    for mesh in [mesh for mesh in spec.meshes if mesh.name not in used]:
        spec.delete(mesh)
    for picture in [*spec.materials, *spec.textures]:
        spec.delete(picture)
    return spec.compile()
