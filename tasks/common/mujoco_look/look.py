"""What MuJoCo's own renderer lights a scene by, as numbers: ``MujocoLook``, and ``look_of`` a compiled model.

* ``MujocoLook``: all of it.
* ``Light``, ``Headlight``, ``Material``: its parts.
* ``look_of``: those of a ``MjModel``.
* ``geom_colour``, ``material_name``: of a geom, for a USD that is exported from that model.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import mujoco
import numpy as np

from groot_wrappers.errors import ContractError

__all__ = ["Headlight", "Light", "Material", "MujocoLook", "geom_colour", "look_of", "material_name"]

Triple = tuple[float, float, float]
DEFAULT_COLOUR = (0.5, 0.5, 0.5, 1.0)  # MuJoCo's, of a geom that says nothing
OPAQUE = 0.995  # alpha from which MuJoCo takes a geom for opaque


@dataclass(frozen=True, slots=True)  # configclass would write into what has a __dict__
class Headlight:
    """A light that shines the way the camera looks; colours are RGB as displayed, 1 is full."""

    ambient: Triple = (0.1, 0.1, 0.1)
    diffuse: Triple = (0.4, 0.4, 0.4)
    specular: Triple = (0.5, 0.5, 0.5)


@dataclass(frozen=True, slots=True)  # configclass would write into what has a __dict__
class Light:
    """A light that stands in the scene; it casts no shadow.

    Args:
        direction: Where it shines, unit vector in the env's frame.
        position: Where it stands, metres in the env's frame; None for a directional light, which is far away.
        ambient: RGB as displayed, on whatever it reaches.
        diffuse: On what faces it.
        specular: Of its highlights.
        cutoff: Angle from ``direction`` up to which it shines, degrees.
        exponent: Its strength is the cosine of that angle to this power.
        attenuation: Its strength is 1 / (a + b d + c d²) at d metres.
    """

    direction: Triple
    position: Triple | None = None
    ambient: Triple = (0.0, 0.0, 0.0)
    diffuse: Triple = (0.7, 0.7, 0.7)
    specular: Triple = (0.3, 0.3, 0.3)
    cutoff: float = 180.0
    exponent: float = 0.0
    attenuation: Triple = (1.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)  # configclass would write into what has a __dict__
class Material:
    """How a surface answers to light; defaults are MuJoCo's for a geom without a material.

    Args:
        specular: Strength of highlights, in [0, 1].
        shininess: Their sharpness, in [0, 1].
        emission: Share of its own colour that it shows without any light.
        tint: RGB in [0, 1], what its texture's light is multiplied by; what has no texture has its colour in the scene.
        reflectance: How much of the scene it mirrors, in [0, 1], on the side that is up in the shape's own frame.
        alpha: 1 is opaque.
    """

    specular: float = 0.5
    shininess: float = 0.5
    emission: float = 0.0
    tint: Triple = (1.0, 1.0, 1.0)
    reflectance: float = 0.0
    alpha: float = 1.0


@dataclass(frozen=True, slots=True)  # configclass would write into what has a __dict__
class MujocoLook:
    """What a scene is lit by and how its surfaces answer, for ``MujocoLookRendererCfg``.

    Args:
        headlight: None for none.
        lights: The others.
        materials: Name of a material's prim in the scene's USD -> material; a shape with another has the default.
        background: RGB in [0, 1] of what lies behind everything.
    """

    headlight: Headlight | None = field(default_factory=Headlight)
    lights: tuple[Light, ...] = ()
    materials: Mapping[str, Material] = field(default_factory=dict)
    background: Triple = (0.0, 0.0, 0.0)

    @property
    def ambient(self) -> float:
        """Light that comes from everywhere: MuJoCo has some only where there is no light at all."""
        return 0.0 if self.lights or self.headlight else 0.3


def look_of(model: mujoco.MjModel) -> MujocoLook:
    """Return what MuJoCo lights a model by, without shadows.

    Raises:
        ContractError: A light moves, or is of a kind that MuJoCo's own renderer does not draw.
    """
    head = model.vis.headlight
    colours = (_triple(head.ambient), _triple(head.diffuse), _triple(head.specular))
    return MujocoLook(
        headlight=Headlight(*colours) if head.active else None,
        lights=tuple(_light(model, light) for light in range(model.nlight) if model.light_active[light]),
        materials={material_name(model, geom): _material(model, geom) for geom in range(model.ngeom)},
    )


def material_name(model: mujoco.MjModel, geom: int) -> str:
    """Return what to call the material of a geom in USD: MuJoCo's name of it, and its colour where that is its own."""
    material, own = int(model.geom_matid[geom]), _own_colour(model, geom)
    parts = ["mirror" if geom == _mirror(model) else "material"]
    if material >= 0:
        parts.append(re.sub(r"\W", "_", model.mat(material).name or str(material), flags=re.ASCII))
    if own:
        parts += [str(round(255 * float(part))) for part in model.geom_rgba[geom]]
    return "_".join(parts)


def geom_colour(model: mujoco.MjModel, geom: int) -> np.ndarray:
    """Return the colour that MuJoCo gives a geom, RGBA as displayed: its own, or else its material's; float32 (4,)."""
    colours = model.geom_rgba[geom] if _own_colour(model, geom) else model.mat_rgba[model.geom_matid[geom]]
    return np.asarray(colours, np.float32)


def _own_colour(model: mujoco.MjModel, geom: int) -> bool:
    """Whether a geom's own colour counts: it has no material, or its colour is not MuJoCo's default."""
    return bool(model.geom_matid[geom] < 0 or np.any(model.geom_rgba[geom] != DEFAULT_COLOUR))


def _material(model: mujoco.MjModel, geom: int) -> Material:
    index, colour = int(model.geom_matid[geom]), geom_colour(model, geom)
    if index < 0:
        return Material(alpha=float(colour[3]))
    textured = model.mat_texid[index, mujoco.mjtTextureRole.mjTEXROLE_RGB] >= 0
    return Material(
        specular=float(model.mat_specular[index]),
        shininess=float(model.mat_shininess[index]),
        emission=float(model.mat_emission[index]),
        tint=_triple(colour) if textured else (1.0, 1.0, 1.0),
        reflectance=float(model.mat_reflectance[index]) if geom == _mirror(model) else 0.0,
        alpha=float(colour[3]),
    )


def _mirror(model: mujoco.MjModel) -> int:
    """Return the geom that mirrors, -1 for none: MuJoCo lets the first one do so."""
    flat = np.isin(model.geom_type, (mujoco.mjtGeom.mjGEOM_PLANE, mujoco.mjtGeom.mjGEOM_BOX))
    for geom in np.flatnonzero(flat & (model.geom_matid >= 0)):
        if model.mat_reflectance[model.geom_matid[geom]] > 0 and geom_colour(model, int(geom))[3] >= OPAQUE:
            return int(geom)
    return -1


def _light(model: mujoco.MjModel, index: int) -> Light:
    kind, kinds = int(model.light_type[index]), mujoco.mjtLightType
    what = f"light '{model.light(index).name}' ({index})"
    if kind not in (kinds.mjLIGHT_SPOT, kinds.mjLIGHT_DIRECTIONAL):
        raise ContractError(f"{what} is of type {kind}, but MuJoCo's renderer draws spot and directional lights alone.")
    if model.light_bodyid[index] != 0 or model.light_mode[index] != mujoco.mjtCamLight.mjCAMLIGHT_FIXED:
        raise ContractError(
            f"{what} moves with a body, but a MujocoLook has lights that stand still. Fix it to the world."
        )
    spot = kind == kinds.mjLIGHT_SPOT
    direction = np.asarray(model.light_dir[index])
    return Light(
        direction=_triple(direction / np.linalg.norm(direction)),
        position=_triple(model.light_pos[index]) if spot else None,
        ambient=_triple(model.light_ambient[index]),
        diffuse=_triple(model.light_diffuse[index]),
        specular=_triple(model.light_specular[index]),
        cutoff=float(model.light_cutoff[index]) if spot else 180.0,
        exponent=float(model.light_exponent[index]) if spot else 0.0,
        attenuation=_triple(model.light_attenuation[index]) if spot else (1.0, 0.0, 0.0),
    )


def _triple(values: np.ndarray) -> Triple:
    x, y, z = (float(value) for value in values[:3])
    return (x, y, z)
