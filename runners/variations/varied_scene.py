"""VariedScene: Newton's model of a started env, seen env by env, as the variations of the scene change it.

* ``VariedEnvs``: the envs that begin a varied episode, and what was drawn for each.
* ``VariedScene``: which shapes are whose.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from groot_wrappers.errors import ContractError, did_you_mean
from groot_wrappers.variations.seeded_draws import uniform
from groot_wrappers.variations.variation import Draw
from runners.variations.shape_colours import ShapeColours

__all__ = ["VariedEnvs", "VariedScene"]


@dataclass(frozen=True)
class VariedEnvs:
    """Envs that begin an episode for which a variation has drawn.

    Args:
        ids: int64 (M,), on the env's device.
        draws: What it drew for each.
        seeds: Of the episodes.
    """

    ids: torch.Tensor
    draws: Sequence[Draw]
    seeds: Sequence[int]

    def numbers(self, *names: str) -> torch.Tensor:
        """Return what was drawn under some names, float32 (M, names)."""
        rows = [[draw[name] for name in names] for draw in self.draws]
        return torch.tensor(rows, dtype=torch.float32, device=self.ids.device)

    def uniform(self, stream: int, count: int) -> torch.Tensor:
        """Draw ``count`` numbers in [0, 1) an episode, float32 (M, count), from its seed; on the CPU, as all starts."""
        return uniform([(seed, stream) for seed in self.seeds], (count,), torch.device("cpu")).to(self.ids.device)


class VariedScene:
    """What the variations of the scene ask of a started env on Newton.

    Args:
        env: The bare env.

    Attributes:
        env: The same.
        model: Newton's model; its arrays are read anew by each step and each rendering.
        shapes: int64 (num_envs, S), each env's own shapes in the model, in the same order.
    """

    def __init__(self, env: Any) -> None:
        from isaaclab_newton.physics import NewtonManager  # noqa: PLC0415  # known to be there only now

        self.env = env
        self.model: Any = NewtonManager.get_model()
        worlds = torch.as_tensor(self.model.shape_world.numpy(), dtype=torch.int64)
        own = [torch.nonzero(worlds == world).flatten() for world in range(env.num_envs)]
        if len({len(indices) for indices in own}) != 1:
            raise ContractError(
                "A variation of the scene was asked for, but the envs of this run have scenes of different shapes. "
                "Choose variations of the wire, or num_envs=1."
            )
        self.shapes = torch.stack(own).to(env.device)

    @cached_property
    def colours(self) -> ShapeColours:
        """The colours of all shapes."""
        return ShapeColours(self.model, self.shapes)

    def shapes_of(self, kind: str, names: Sequence[str]) -> torch.Tensor:
        """Return the shapes of some parts in each env, int64 (num_envs, S).

        Args:
            kind: Name of the variation, for messages.
            names: Of the parts in the scene.

        Raises:
            ContractError: The scene has no such part, or one that is not in each env.
        """
        labels = self.model.shape_label
        first = [str(labels[index]) for index in self.shapes[0].tolist()]
        chosen: list[int] = []
        for name in names:
            path = self._path_in_first(kind, name)
            mine = [place for place, label in enumerate(first) if label == path or label.startswith(f"{path}/")]
            if not mine:
                raise ContractError(
                    f"variation={kind} was asked for, but '{name}' has no shape in each env: it stands once for all of "
                    "them, or is not drawn. Leave it out of task.parts."
                )
            chosen += mine
        return self.shapes[:, torch.tensor(chosen, device=self.shapes.device)]

    def assets(self, kind: str, names: Sequence[str], there: dict[str, Any]) -> list[Any]:
        """Return assets of the scene by their names.

        Args:
            kind: Name of the variation, for the message.
            names: As the config or ``task.parts`` has them; those that only the config of a direct env has stand for
                all there are.
            there: Name to asset.

        Raises:
            ContractError: There is none of that name.
        """
        found = [there[name] for name in names if name in there]
        missing = [name for name in names if name not in there and not hasattr(self.env.cfg, name)]
        if missing or not there:
            raise ContractError(
                f"variation={kind}: the scene has no '{(missing or names)[0]}' of that kind."
                f"{did_you_mean((missing or names)[0], there)} It has: {', '.join(there) or 'none'}."
            )
        return found or list(there.values())

    def refresh(self, ids: torch.Tensor) -> None:
        """Let the next rendering look anew for where the shapes of some envs are."""
        import warp as wp  # noqa: PLC0415  # known to be there only now
        from isaaclab_newton.physics import NewtonManager  # noqa: PLC0415

        NewtonManager.invalidate_fk(env_ids=wp.from_torch(ids.to(torch.int32)))

    def _path_in_first(self, kind: str, name: str) -> str:
        """Return the path of a part in the first env."""
        scene, cfg = self.env.scene, self.env.cfg.scene
        known = {**scene.articulations, **scene.rigid_objects}
        part: Any = known[name].cfg if name in known else getattr(cfg, name, None)
        if getattr(part, "prim_path", None) is None:
            there = [*known, *(key for key, value in vars(cfg).items() if hasattr(value, "prim_path"))]
            raise ContractError(
                f"variation={kind}: the scene has no part '{name}'.{did_you_mean(name, there)} It has: "
                f"{', '.join(dict.fromkeys(there))}."
            )
        path = str(part.prim_path).replace("{ENV_REGEX_NS}", scene.env_prim_paths[0])
        return path.replace(scene.env_regex_ns, scene.env_prim_paths[0])
