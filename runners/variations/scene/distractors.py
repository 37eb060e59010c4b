"""Distractors: things lie about that have nothing to do with the task."""

from dataclasses import dataclass

import numpy as np
import torch

from groot_wrappers.variations.variation import Draw
from runners.variations.parts import Area, SceneParts
from runners.variations.scene_variation import Change
from runners.variations.varied_scene import VariedEnvs, VariedScene

__all__ = ["Distractors"]

NAME = "distractor_{}"
AWAY = -50.0
"""Height where those are that an episode has none of, metres."""


@dataclass(frozen=True)
class Distractors:
    """Puts cubes, balls and cylinders of any colour where there is room, apart from the objects.

    They are to be seen, and pass through whatever touches them, so that the physics stay as they are.

    Args:
        strength: Share of the full number, rounded up, in [0, 1].
        count: The most that there are.
        size: Their height and width, metres.
        clear: Nearer than this to an object there is none, metres between their centres.
    """

    strength: float
    count: int
    size: float
    clear: float

    def draw(self, generator: np.random.Generator, strength: float) -> Draw:
        """Draw ``count``, and of each x, y (in [0, 1] of the area), yaw (rad), red, green and blue."""
        drawn: Draw = {"count": float(np.ceil(strength * self.count))}
        for number in range(self.count):
            x, y, yaw, red, green, blue = generator.uniform(0, 1, 6).tolist()
            place = {"x": x, "y": y, "yaw": yaw * np.pi, "red": red, "green": green, "blue": blue}
            if number < drawn["count"]:
                drawn |= {f"{name}_{number}": value for name, value in place.items()}
        return drawn

    def set_up(self, parts: SceneParts) -> None:
        """Add them to the scene, and refuse one that says nothing of where there is room."""
        import isaaclab.sim as sim_utils  # noqa: PLC0415  # known to be there only now
        from isaaclab.assets import AssetBaseCfg  # noqa: PLC0415

        parts.require_area("distractors")
        grey, half = sim_utils.PreviewSurfaceCfg(diffuse_color=(0.5, 0.5, 0.5)), self.size / 2
        forms = [
            sim_utils.CuboidCfg(size=(self.size,) * 3, visual_material=grey),
            sim_utils.SphereCfg(radius=half, visual_material=grey),
            sim_utils.CylinderCfg(radius=half, height=self.size, visual_material=grey),
        ]
        for number in range(self.count):
            name = NAME.format(number)
            part = AssetBaseCfg(
                prim_path="{ENV_REGEX_NS}/" + name.title().replace("_", ""),
                spawn=forms[number % len(forms)].copy(),
                init_state=AssetBaseCfg.InitialStateCfg(pos=(0.0, 0.0, AWAY)),
            )
            setattr(parts.env_cfg.scene, name, part)

    def bind(self, scene: VariedScene, parts: SceneParts) -> Change:
        """Return what puts them where they are drawn."""
        return _Scattered(scene, self, parts.require_area("distractors"))


class _Scattered:
    def __init__(self, scene: VariedScene, settings: Distractors, area: Area) -> None:
        import warp as wp  # noqa: PLC0415  # known to be there only now

        self._scene, self._settings, self._area = scene, settings, area
        self._shapes = [scene.shapes_of("distractors", [NAME.format(number)]) for number in range(settings.count)]
        self._poses: torch.Tensor = wp.to_torch(scene.model.shape_transform)
        self._own = self._poses.clone()

    def restore(self, ids: torch.Tensor) -> None:
        for shapes in self._shapes:
            self._poses[shapes[ids]] = self._own[shapes[ids]]
        self._scene.colours.restore(ids)
        self._scene.refresh(ids)

    def apply(self, envs: VariedEnvs) -> None:
        for number, shapes in enumerate(self._shapes):
            rows = [row for row, draw in enumerate(envs.draws) if number < draw["count"]]
            if rows:
                chosen = VariedEnvs(
                    envs.ids[rows], [envs.draws[row] for row in rows], [envs.seeds[row] for row in rows]
                )
                self._put(chosen, number, shapes[chosen.ids])
        self._scene.refresh(envs.ids)

    def _put(self, envs: VariedEnvs, number: int, shapes: torch.Tensor) -> None:
        x, y, yaw = envs.numbers(*(f"{name}_{number}" for name in ("x", "y", "yaw"))).unbind(-1)
        (x0, x1), (y0, y1) = self._area.x, self._area.y
        place = torch.stack([x0 + (x1 - x0) * x, y0 + (y1 - y0) * y], dim=-1) + self._origins(envs.ids)[:, :2]
        for each in self._scene.env.scene.rigid_objects.values():
            away = place - each.data.root_pos_w.torch[envs.ids, :2]
            distance = away.norm(dim=-1, keepdim=True).clamp(min=1e-6)
            place = torch.where(
                distance < self._settings.clear, place + away / distance * (self._settings.clear - distance), place
            )
        height = self._origins(envs.ids)[:, 2] + self._area.z + self._settings.size / 2
        zero = torch.zeros_like(yaw)
        turned = torch.stack([zero, zero, torch.sin(yaw / 2), torch.cos(yaw / 2)], dim=-1)
        pose = torch.cat([place, height[:, None], turned], dim=-1)
        self._poses[shapes] = pose[:, None, :].expand(-1, shapes.shape[1], -1)
        colour = envs.numbers(*(f"{name}_{number}" for name in ("red", "green", "blue")))
        self._scene.colours.paint(envs.ids, shapes, colour, torch.ones_like(colour[:, :1]))

    def _origins(self, ids: torch.Tensor) -> torch.Tensor:
        origins: torch.Tensor = self._scene.env.scene.env_origins[ids]
        return origins
