"""SceneParts: which parts of an env's scene are what, for the variations of the scene: ``task.parts``, or its config.

=============  =====================================================  ==============================================
role           found in the config                                    what it is for
=============  =====================================================  ==============================================
``objects``    rigid objects                                          what the task is about
``robots``     articulations                                          what acts
``lights``     whatever spawns a light                                lights
``background`` never                                                  what is behind: floor, walls
``surfaces``   never                                                  what things stand on: tables
``area``       never                                                  where there is room: x, y (from, to) and z, metres
=============  =====================================================  ==============================================
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from groot_wrappers.errors import ContractError, did_you_mean

__all__ = ["Area", "SceneParts"]

ROLES = ("objects", "robots", "lights", "background", "surfaces")

WIRE = "Variations of the wire (brightness, blur, sensor_noise, ...) still work"


@dataclass(frozen=True)
class Area:
    """A level rectangle with room for things, in the env's frame, metres.

    Args:
        x, y: From where to where.
        z: Its height.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    z: float


@dataclass(frozen=True)
class SceneParts:
    """An env's config, and which of its parts are what.

    Args:
        env_cfg: The config, on its simulator.
        declared: ``task.parts``, role to names in the scene, and ``area``.
        cameras: Cameras that the policy looks through.
        num_envs: Envs side by side.

    Raises:
        ContractError: ``task.parts`` names a role that there is not, or what is no name.
    """

    env_cfg: Any
    declared: Mapping[str, Any]
    cameras: Sequence[str]
    num_envs: int

    def __post_init__(self) -> None:
        known = [*ROLES, "area"]
        for role, names in self.declared.items():
            if role not in known:
                raise ContractError(
                    f"task.parts.{role}: there is no such part.{did_you_mean(str(role), known)} There are: "
                    f"{', '.join(known)}."
                )
            if role != "area" and not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
                raise ContractError(
                    f"task.parts.{role}={names} was given, but it takes a list of names of the scene: [table]."
                )

    def require(self, kind: str, role: str) -> list[str]:
        """Return the names of the parts of a role: as declared, else as found in the config.

        Args:
            kind: Name of the variation, for the message.
            role: Key of ``task.parts``.

        Raises:
            ContractError: There is none.
        """
        names = self.declared.get(role) or [name for name, part in self._parts() if _is(role, part)]
        if not names:
            one = {"background": "background", "surfaces": "surface"}.get(role, role.removesuffix("s"))
            raise ContractError(
                f"variation={kind} was asked for, but this env's config names no {one}. Where the scene has one, say "
                f'what it is called there: "+task.parts.{role}=[NAME]". {WIRE}.'
            )
        return list(names)

    def require_camera(self, kind: str) -> list[str]:
        """Return the cameras that the policy looks through.

        Raises:
            ContractError: There is none.
        """
        if not self.cameras:
            raise ContractError(
                f"variation={kind} was asked for, but the policy looks through no camera of the scene: its pictures "
                f"are terms of the env's observation, if it has any. {WIRE}."
            )
        return list(self.cameras)

    def require_area(self, kind: str) -> Area:
        """Return where there is room for things.

        Raises:
            ContractError: It is not declared, or no area.
        """
        area: Any = self.declared.get("area")
        try:
            (x0, x1), (y0, y1), z = area["x"], area["y"], area["z"]
            return Area((float(x0), float(x1)), (float(y0), float(y1)), float(z))
        except (TypeError, KeyError, ValueError) as error:
            came = "this env's config names no area with room for things" if area is None else f"task.parts.area={area}"
            raise ContractError(
                f"variation={kind} was asked for, but {came}. Say where it is, in metres of the env's frame: "
                f'"+task.parts.area={{x: [0.2, 0.6], y: [-0.3, 0.3], z: 0.0}}". {WIRE}.'
            ) from error

    def camera_cfgs(self) -> Iterator[Any]:
        """Yield the configs of all cameras."""
        return (part for _, part in self._parts() if hasattr(part, "renderer_cfg"))

    def _parts(self) -> Iterator[tuple[str, Any]]:
        """Yield the parts of the scene, and those that a direct env's config holds itself."""
        for holder in (self.env_cfg.scene, self.env_cfg):
            yield from vars(holder).items()


def _is(role: str, part: Any) -> bool:
    """Return whether a part of a config has a role by its class."""
    from isaaclab.assets import ArticulationCfg, RigidObjectCfg  # noqa: PLC0415  # known to be there only now
    from isaaclab.sim import LightCfg  # noqa: PLC0415

    if role == "lights":
        return isinstance(getattr(part, "spawn", None), LightCfg)
    classes = {"objects": RigidObjectCfg, "robots": ArticulationCfg}
    return role in classes and isinstance(part, classes[role])
