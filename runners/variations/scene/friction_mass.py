"""FrictionMass: everything in the env is more slippery or less, and its objects are heavier or lighter."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from groot_wrappers.variations.variation import Draw
from runners.variations.parts import SceneParts
from runners.variations.scene_variation import Change
from runners.variations.varied_scene import VariedEnvs, VariedScene

__all__ = ["FrictionMass"]


@dataclass(frozen=True)
class FrictionMass:
    """Multiplies the friction of all shapes, as the larger of two in touch counts, and masses with their inertias.

    Args:
        strength: Share of the full range, in [0, 1].
        friction: Full range: from 1 / ``friction`` to ``friction`` times as much.
        mass: Full range of the objects' masses likewise.
    """

    strength: float
    friction: float
    mass: float

    def draw(self, generator: np.random.Generator, strength: float) -> Draw:
        """Draw ``friction`` and ``mass``, which both are multiplied by."""
        friction, mass = (strength * generator.uniform(-1, 1, 2)).tolist()
        return {"friction": float(self.friction**friction), "mass": float(self.mass**mass)}

    def set_up(self, parts: SceneParts) -> None:
        """Refuse a scene without an object."""
        parts.require("friction_mass", "objects")

    def bind(self, scene: VariedScene, parts: SceneParts) -> Change:
        """Return what changes both."""
        names = parts.require("friction_mass", "objects")
        return _OtherMatter(scene, scene.assets("friction_mass", names, dict(scene.env.scene.rigid_objects)))


class _OtherMatter:
    """The friction of all shapes and the masses of some objects, and what they have been."""

    def __init__(self, scene: VariedScene, objects: Sequence[Any]) -> None:
        import warp as wp  # noqa: PLC0415  # known to be there only now

        self._shapes = scene.shapes
        self._friction: torch.Tensor = wp.to_torch(scene.model.shape_material_mu)
        self._own_friction = self._friction.clone()
        self._objects = objects
        self._own = [(each.data.body_mass.torch.clone(), each.data.body_inertia.torch.clone()) for each in objects]

    def restore(self, ids: torch.Tensor) -> None:
        ones = torch.ones((len(ids), 1), device=ids.device)
        self._multiply(ids, ones, ones)

    def apply(self, envs: VariedEnvs) -> None:
        self._multiply(envs.ids, envs.numbers("friction"), envs.numbers("mass"))

    def _multiply(self, ids: torch.Tensor, friction: torch.Tensor, mass: torch.Tensor) -> None:
        from isaaclab_newton.physics import NewtonManager  # noqa: PLC0415
        from newton import ModelFlags  # noqa: PLC0415

        shapes = self._shapes[ids]
        self._friction[shapes] = self._own_friction[shapes] * friction
        NewtonManager.add_model_change(ModelFlags.SHAPE_PROPERTIES)
        for each, (masses, inertias) in zip(self._objects, self._own, strict=True):
            each.set_masses_index(masses=masses[ids] * mass, env_ids=ids)
            each.set_inertias_index(inertias=inertias[ids] * mass[:, :, None], env_ids=ids)
