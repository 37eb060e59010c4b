"""The config of a run's env: found by its gym id, put on a simulator, and changed as task and embodiment say."""

import importlib
import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import gymnasium as gym

from groot_wrappers.embodiment.embodiment import Embodiment
from groot_wrappers.errors import ContractError, did_you_mean
from groot_wrappers.installation.isaaclab_release import EARLIER_ISAACLAB, has_isaaclab, has_isaaclab3
from runners.config.building import built
from runners.config.schema import SimConfig
from runners.simulation.devices import require_installed
from runners.utils.remedies import reason_of

__all__ = ["change", "chosen_embodiment", "load_env_cfg", "require_registered", "use_simulator"]


def require_registered(task: Mapping[str, Any]) -> None:
    """Import the module that registers a task's id, and check that it did.

    Args:
        task: ``id`` and ``import``.

    Raises:
        ContractError: One of them is not set, IsaacLab or the module is missing, IsaacLab is a release before 3, or no
            such id is registered.
    """
    for key in ("id", "import"):
        if task.get(key) in (None, "???"):
            raise ContractError(
                f"task.{key} is not set. Say which env: task.id=Isaac-My-Task task.import=my_package, where my_package "
                "is the module that registers the id (IsaacLab's own: task.import=isaaclab_tasks)."
            )
    if not has_isaaclab():
        raise ContractError(
            "IsaacLab is not installed here. Install it, in the clone: pip install '.[isaaclab]' (Python 3.12)."
        )
    if not has_isaaclab3():
        raise ContractError(f"task.id={task['id']} cannot be played: {EARLIER_ISAACLAB}.")
    try:
        importlib.import_module(task["import"])
    except Exception as error:  # whatever a module of anybody's raises
        raise ContractError(
            f"task.import={task['import']} could not be imported: {reason_of(error)}. "
            "It names the Python module that registers task.id; is it on PYTHONPATH?"
        ) from error
    if task["id"] not in gym.registry:
        raise ContractError(
            f"task.id={task['id']} is not registered.{did_you_mean(str(task['id']), gym.registry)} "
            f"Known with 'Groot' in the name: {', '.join(sorted(n for n in gym.registry if 'Groot' in n)) or 'none'}. "
            "task.import=... names the module that registers it."
        )


def load_env_cfg(task: Mapping[str, Any], sim: SimConfig) -> Any:
    """Return the env config of a task's id on the simulator that was asked for.

    Args:
        task: ``id``, ``import``; where the task has a choice, ``assets``; where the env's config has presets of its own
            (IsaacLab's ``PresetCfg``), names of them in ``presets``; and ``env``, as ``change`` takes it.
        sim: ``conf/sim``, as ``use_simulator`` takes it.

    Raises:
        ContractError: As ``require_registered``, ``use_simulator`` and ``change``; a workflow that has no episodes; or
            ``assets`` or ``presets`` that the env's config does not have.
    """
    require_registered(task)
    spec = gym.spec(task["id"])
    if "env_cfg_entry_point" not in spec.kwargs:
        raise ContractError(
            f"task.id={task['id']} is no env of IsaacLab: it is registered without env_cfg_entry_point. Register it as "
            "IsaacLab's tasks are: gym.register(id, entry_point, kwargs={'env_cfg_entry_point': 'module:ConfigClass'})."
        )
    from groot_wrappers.embodiment.isaaclab_env import refuse_workflow  # noqa: PLC0415  # torch takes seconds to import

    env_class = _resolved(spec.entry_point)
    if inspect.isclass(env_class):  # a function tells its workflow only when it has made the env
        refuse_workflow(env_class)
    entry_point = _resolved(spec.kwargs["env_cfg_entry_point"])
    if task.get("assets"):
        try:
            env_cfg = entry_point(assets=task["assets"])
        except (TypeError, ValueError) as error:
            raise ContractError(f"task.assets={task['assets']}: {error}") from error
    else:
        env_cfg = entry_point()
    env_cfg = use_simulator(env_cfg, sim, task.get("presets") or ())
    change(env_cfg, task.get("env") or {}, "task.env")
    _suit_scene(env_cfg, sim)  # which may be another one now
    return env_cfg


def use_simulator(env_cfg: Any, sim: SimConfig, presets: Sequence[str] = ()) -> Any:
    """Return an env config whose physics and cameras are those of ``conf/sim``.

    IsaacLab's presets of those names are chosen where the config has them. Where it names another physics or renderer
    (IsaacLab starts Isaac Sim for a config that names none), the plain one of ``sim`` takes its place.

    Args:
        env_cfg: As it was registered.
        sim: ``physics`` and ``renderer``, names of presets; ``physics_cfg`` and ``renderer_cfg``, what
            ``hydra.utils.instantiate`` builds the plain ones from; ``requires``, a module that must be installed, or
            null; ``env_spacing``, metres between envs that the config puts into one place, or null.
        presets: Names of other presets.

    Raises:
        ContractError: The simulator is not installed, or the config has no such preset.
    """
    require_installed(sim)
    # A config can hold presets only if the module that defines them has been imported, which takes seconds.
    preset_module: Any = sys.modules.get("isaaclab_tasks.utils.hydra")
    known = preset_module.collect_presets(env_cfg) if preset_module else {}
    names = {name for alternatives in known.values() for name in alternatives} - {"default"}
    for name in presets:
        if name not in names:
            raise ContractError(
                f"task.presets names '{name}', but the env's config has no such preset.{did_you_mean(name, names)} "
                f"It has: {', '.join(sorted(names)) or 'none'}."
            )
    if preset_module:
        env_cfg = preset_module.resolve_presets(env_cfg, [sim.physics, sim.renderer, *presets])
    physics = built(sim.physics_cfg, "sim.physics_cfg")
    if not isinstance(env_cfg.sim.physics, type(physics)):
        env_cfg.sim.physics = physics
    _suit_scene(env_cfg, sim)
    return env_cfg


def _suit_scene(env_cfg: Any, sim: SimConfig) -> None:
    """Let the cameras draw by the simulator's renderer, and its envs stand as far apart as it needs."""
    renderer = built(sim.renderer_cfg, "sim.renderer_cfg")
    for camera in _cameras(env_cfg):
        if not isinstance(camera.renderer_cfg, type(renderer)):
            camera.renderer_cfg = renderer
    if sim.env_spacing and not env_cfg.scene.env_spacing:
        env_cfg.scene.env_spacing = sim.env_spacing


def change(env_cfg: Any, changes: Mapping[str, Any], where: str) -> None:
    """Change an env config in place.

    Args:
        env_cfg: An env config, or a part of one.
        changes: Nested mappings down to the values: ``{"scene": {"ground": None}}``. Mappings with ``_target_`` are
            built, also those in lists.
        where: Key of the configuration that the message names.

    Raises:
        ContractError: The config has no part of that name, the value cannot be built, or it is a text for a number.
    """
    for name, value in changes.items():
        here = f"{where}.{name}"
        offered = list(env_cfg) if isinstance(env_cfg, Mapping) else [n for n in vars(env_cfg) if not n.startswith("_")]
        if name not in offered:
            raise ContractError(
                f"{here}: {type(env_cfg).__name__} has no '{name}'.{did_you_mean(name, offered)} "
                f"It has: {', '.join(offered)}."
            )
        part = env_cfg[name] if isinstance(env_cfg, Mapping) else getattr(env_cfg, name)
        if isinstance(value, Mapping) and "_target_" not in value:
            if not isinstance(part, Mapping) and not hasattr(part, "__dict__"):
                raise ContractError(
                    f"{here}: {part!r} stands there, which has no parts to be changed. Give the whole: {here}._target_ "
                    "names the class, and the other keys what it takes."
                )
            change(part, value, here)
            continue
        if _is_number(part) and isinstance(value, str):
            raise ContractError(f"{here}={value} was asked for, but it takes a number, such as {part}.")
        if isinstance(env_cfg, dict):
            env_cfg[name] = built(value, here)
        else:
            setattr(env_cfg, name, built(value, here))


def chosen_embodiment(embodiment: Embodiment, env_cfg: Any) -> Embodiment:
    """Return the embodiment that was chosen, or the one that the env's config declares if nothing is in it.

    The env's config is changed as the embodiment says.

    Raises:
        ContractError: The embodiment is empty and the config declares none, or ``embodiment.env`` does not fit.
    """
    if embodiment.is_empty:
        return Embodiment.from_env_cfg(env_cfg)
    change(env_cfg, embodiment.env, "embodiment.env")
    return embodiment


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cameras(env_cfg: Any) -> Iterator[Any]:
    """Yield the camera configs of the scene, and those that a direct env's config holds itself."""
    for holder in (env_cfg, env_cfg.scene):
        for part in vars(holder).values():
            if hasattr(part, "renderer_cfg"):
                yield part


def _resolved(entry_point: Any) -> Any:
    """Return what an entry point names: ``module:name``, or the object itself."""
    if not isinstance(entry_point, str):
        return entry_point
    module, _, name = entry_point.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except Exception as error:  # whatever a module of anybody's raises
        raise ContractError(
            f"{entry_point} is what the task registers, but it cannot be had: {reason_of(error)}"
        ) from error
