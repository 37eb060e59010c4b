"""The scene of a task, as a model and as files: ``libero_scene`` composes it, and writes its USD once for all runs.

The folder of a scene is named after what it is made of: this code, MuJoCo, robosuite and the wheels, and what the
problem says of things and where fixtures stand. Tasks that differ in their goals alone share one.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

import msgspec
import mujoco

from tasks.assets.cache import AssetError, build_once, cache_root
from tasks.libero.scene.compose import compose
from tasks.libero.scene.usd.kinds import Asset, Kind
from tasks.libero.suites.bddl import Problem
from tasks.libero.suites.suites import LiberoTask, libero_task
from tasks.libero.suites.wheels import WHEELS, libero_data

__all__ = ["LiberoScene", "ScenePart", "libero_scene", "scene_parts"]

_LIST = "assets.json"
_PACKAGES = ("mujoco", "robosuite")


@dataclass(frozen=True)
class ScenePart:
    """A part of a scene, and how it is spawned.

    Attributes:
        name: Of its topmost body in the model, or ``arena``.
        kind: Whether it stands still, moves freely, or has joints and stands on something.
        usd: The file.
        position: In the env's frame, m.
        quaternion: x, y, z, w.
    """

    name: str
    kind: Kind
    usd: Path
    position: tuple[float, float, float]
    quaternion: tuple[float, float, float, float]


@dataclass(frozen=True)
class LiberoScene:
    """A task with its scene.

    Attributes:
        task: The task.
        model: MuJoCo's model of the scene, equal to LIBERO's.
        parts: The same as files.
        key: A hash of all that the scene is made of.
    """

    task: LiberoTask
    model: mujoco.MjModel
    parts: tuple[ScenePart, ...]
    key: str


@cache
def libero_scene(suite: str, index: int) -> LiberoScene:
    """Return a task with its scene, composed once a process.

    Args:
        suite: As ``libero_task`` takes it.
        index: Likewise.

    Raises:
        ContractError: There is no such task.
        AssetError: The wheels' data or a package are missing, or are not as they should be.
    """
    task = libero_task(suite, index)
    model, key = compose(task.problem), _key(task.problem)
    return LiberoScene(task, model, _parts(model, key), key)


def scene_parts(task: LiberoTask) -> tuple[ScenePart, ...]:
    """Return the parts of a task's scene, which are written on the first call (5 s) and kept in the cache.

    Raises:
        AssetError: As ``libero_scene``.
    """
    return libero_scene(task.suite, task.index).parts


def _parts(model: mujoco.MjModel, key: str) -> tuple[ScenePart, ...]:
    folder = cache_root() / "assets" / f"libero_scene-{key}"
    build_once(folder, lambda scratch: _build(model, scratch))
    assets = msgspec.json.decode((folder / _LIST).read_bytes(), type=dict[str, Asset])
    return tuple(
        ScenePart(name, asset.kind, folder / asset.file, asset.position, asset.quaternion)
        for name, asset in assets.items()
    )


def _build(model: mujoco.MjModel, folder: Path) -> None:
    try:
        from tasks.libero.scene.usd.export import export  # noqa: PLC0415, only for a build
    except ImportError as error:
        raise AssetError(
            f"LIBERO's scene cannot be written: {error}. In the clone: pip install '.[isaaclab]'"
        ) from error
    (folder / _LIST).write_bytes(msgspec.json.encode(export(model, folder)))


def _key(problem: Problem) -> str:
    """Return a hash of all that a scene is made of."""
    here = Path(__file__).parent
    code = [here / "compose.py", here / "arenas.py", *sorted((here / "usd").glob("*.py"))]
    said = [path.read_bytes() for path in code]
    said += [f"{name} {metadata.version(name)}".encode() for name in _PACKAGES]
    # Data that somebody has put there by hand, as tests do, have the same list of wheels.
    said += [WHEELS.read_bytes(), str(libero_data()).encode()]
    said += [repr((problem.kind, problem.fixtures, problem.objects, problem.regions)).encode()]
    said += [repr([each for each in problem.initial if each.arguments[0] in problem.fixtures]).encode()]
    return hashlib.sha256(b"\0".join(said)).hexdigest()[:16]
