"""Variations of the scene: they change what an env is made of as it begins an episode.

* ``SceneVariation``: one of them, as it was asked for.
* ``Change``: the same in a started env.
* ``SceneReset``: makes those that were drawn, as the last of what an env's reset does.
"""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import torch

from groot_wrappers.episode_context import episode_context
from groot_wrappers.errors import ContractError
from groot_wrappers.variations.variation import Variation
from runners.variations.parts import WIRE, SceneParts
from runners.variations.varied_scene import VariedEnvs, VariedScene

__all__ = ["Change", "SceneReset", "SceneVariation"]


class Change(Protocol):
    """What a variation changes in a started env, and gives back."""

    def restore(self, ids: torch.Tensor) -> None:
        """Let some envs, int64 (M,), be as they were before any episode; bit for bit, as others compare with them."""

    def apply(self, envs: VariedEnvs) -> None:
        """Change some envs, which are as they were, for the episodes that begin there."""


@runtime_checkable
class SceneVariation(Variation, Protocol):
    """A variation of the scene, as it was asked for."""

    def set_up(self, parts: SceneParts) -> None:
        """Refuse what the env's config cannot give, and change the config where that is needed; before it is made.

        Raises:
            ContractError: The env has no such part, or its simulator does not let it be changed.
        """

    def bind(self, scene: VariedScene, parts: SceneParts) -> Change:
        """Return what changes a started env.

        Raises:
            ContractError: The started env has no such part.
        """


class SceneReset:
    """Changes the scene of the envs that begin a varied episode, after all that their own reset does.

    Args:
        variations: Name to variation, in the order in which they are made.
        parts: The env's config, which gets an event of the reset where it has managers.

    Raises:
        ContractError: As ``SceneVariation.set_up``, or the simulator is not Newton.
    """

    def __init__(self, variations: Mapping[str, SceneVariation], parts: SceneParts) -> None:
        self._variations = dict(variations)
        self._parts = parts
        self._changes: dict[str, Change] = {}
        self._varied: set[int] = set()
        if not variations:
            return
        _require_newton(next(iter(variations)), parts.env_cfg)
        for variation in variations.values():
            variation.set_up(parts)
        if _has_managers(parts.env_cfg):
            self._add_event(parts.env_cfg)

    def bind(self, env: Any) -> None:
        """Find the parts in the started env, before its first reset.

        Args:
            env: The bare env.

        Raises:
            ContractError: As ``SceneVariation.bind``.
        """
        if not self._variations:
            return
        scene = VariedScene(env)
        self._changes = {kind: each.bind(scene, self._parts) for kind, each in self._variations.items()}
        if not _has_managers(env.cfg):
            self._follow_reset(env)

    def vary(self, env: Any, env_ids: torch.Tensor | slice) -> None:
        """Change the scene of the envs that begin an episode, as their ``EpisodeContext`` says."""
        ids = torch.arange(env.num_envs)[env_ids].tolist() if isinstance(env_ids, slice) else env_ids.tolist()
        episodes = episode_context(env).variations
        before = self._varied.intersection(ids)
        if before:
            rows = torch.tensor(sorted(before), device=env.device)
            for change in self._changes.values():
                change.restore(rows)
        self._varied -= before
        for kind, change in self._changes.items():
            mine = [i for i in ids if i in episodes and kind in episodes[i].draws]
            if mine:
                drawn, seeds = [episodes[i].draws[kind] for i in mine], [episodes[i].seed for i in mine]
                change.apply(VariedEnvs(torch.tensor(mine, device=env.device), drawn, seeds))
                self._varied.update(mine)

    def _add_event(self, env_cfg: Any) -> None:
        """Let the env call this after all else that its reset does."""
        from isaaclab.managers import EventTermCfg  # noqa: PLC0415  # known to be there only now

        def vary_scene(env: Any, env_ids: torch.Tensor | slice) -> None:  # a method would be copied with its object
            self.vary(env, env_ids)

        vary_scene.uses_episode_generators = True  # type: ignore[attr-defined]  # a function takes any
        event = EventTermCfg(func=vary_scene, mode="reset")
        if env_cfg.events is None:
            env_cfg.events = {"vary_scene": event}
        elif isinstance(env_cfg.events, dict):
            env_cfg.events["vary_scene"] = event
        else:
            env_cfg.events.vary_scene = event

    def _follow_reset(self, env: Any) -> None:
        """Call this after the reset of a direct env, which places its things after its events, if it has any."""
        own = env._reset_idx

        def reset_and_vary(env_ids: torch.Tensor | slice) -> None:
            own(env_ids)
            self.vary(env, env_ids)

        env._reset_idx = reset_and_vary


def _has_managers(env_cfg: Any) -> bool:
    """Return whether an env's config is of the manager-based workflow."""
    return hasattr(env_cfg, "actions")


def _require_newton(kind: str, env_cfg: Any) -> None:
    """Check that an env is simulated by Newton, and drawn by its renderer."""
    physics = type(env_cfg.sim.physics).__name__
    if physics != "NewtonCfg":
        raise ContractError(
            f"variation={kind} was asked for, but variations of the scene are made in Newton alone, and this run is "
            f"simulated by {physics.removesuffix('Cfg')}. Set sim=newton, or choose others. {WIRE}."
        )
