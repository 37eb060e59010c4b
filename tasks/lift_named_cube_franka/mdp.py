"""What begins and ends an episode with two cubes, and tells of it.

``place_apart`` begins it; ``LiftedCube`` and ``AboutCubes`` read which cube is meant off the instruction.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from isaaclab.envs import ManagerBasedRLEnv
from isaaclab.managers import ManagerTermBase, ObservationTermCfg, SceneEntityCfg, TerminationTermCfg
from isaaclab.utils.math import quat_from_euler_xyz

from groot_wrappers.episode_context import episode_context
from tasks.common.seeded_resets import uniform, uses_episode_generators
from tasks.lift_cube_franka.mdp import HeldAbove
from tasks.lift_named_cube_franka.geometry import named_cube

__all__ = ["AboutCubes", "LiftedCube", "place_apart"]


@uses_episode_generators
def place_apart(
    env: ManagerBasedRLEnv,
    env_ids: torch.Tensor | slice,
    cubes: dict[str, str],
    ranges: dict[str, tuple[float, float]],
) -> None:
    """Reset term: two cubes at random places, one on each side of the robot, either on either side.

    Args:
        env: The env.
        env_ids: The envs that are reset.
        cubes: Names of the two in the scene, by colour.
        ranges: ``x``, ``y`` (m, in the env's frame) and ``yaw`` (rad), drawn for each; y is mirrored for one of them.
    """
    origins = env.scene.env_origins[env_ids]
    place = [ranges[axis] for axis in ("x", "y", "yaw")]
    drawn = uniform(env, env_ids, [(0.0, 1.0), *place, *place])
    side = torch.where(drawn[:, 0] < 0.5, 1.0, -1.0)
    for name, sign, (x, y, yaw) in zip(
        cubes.values(), (side, -side), (drawn[:, 1:4].unbind(-1), drawn[:, 4:].unbind(-1)), strict=True
    ):
        cube = env.scene[name]
        height = cube.data.default_root_pose.torch[env_ids][:, 2]
        position = origins + torch.stack([x, sign * y, height], dim=-1)
        level = torch.zeros_like(yaw)
        pose = torch.cat([position, quat_from_euler_xyz(level, level, yaw)], dim=-1)
        cube.write_root_pose_to_sim_index(root_pose=pose, env_ids=env_ids)


class LiftedCube(ManagerTermBase):
    """True once a cube has been lifted (``HeldAbove``) that the env's instruction names, or one that it does not.

    An instruction that names no cube, or both, asks for none: nothing can succeed, and any lift is a wrong one. The
    texts are those of the env's ``EpisodeContext``, which ``Gr00tObservationWrapper`` gives it.

    Params of the term:
        cubes: Names in the scene, by colour.
        named: Whether the cube that is named is meant, or the others.
        height, duration: As ``HeldAbove`` takes them.
    """

    def __init__(self, cfg: TerminationTermCfg, env: ManagerBasedRLEnv):
        super().__init__(cfg, env)
        self._held = {colour: HeldAbove(cfg, env) for colour in cfg.params["cubes"]}
        self._cubes = {colour: SceneEntityCfg(name) for colour, name in cfg.params["cubes"].items()}

    def reset(self, env_ids: torch.Tensor | slice | None = None) -> None:
        """Forget the steps counted in the given envs."""
        for held in self._held.values():
            held.reset(env_ids)

    def __call__(
        self, env: ManagerBasedRLEnv, cubes: dict[str, str], named: bool, height: float, duration: float
    ) -> torch.Tensor:
        """Count one control step and say in which envs such a cube has been lifted, bool (num_envs,).

        Raises:
            AttributeError: Nobody has told the env its instructions.
        """
        instructions = episode_context(env).instructions
        if not instructions:
            raise AttributeError(
                "Which cube is to be lifted is said by the instruction, but the env was told none: wrap it by "
                "Gr00tObservationWrapper, or give it an EpisodeContext with a text for each env (set_episode_context)."
            )
        lifted = torch.zeros(env.num_envs, dtype=torch.bool, device=env.device)
        for colour, meant in _meant(env, instructions, cubes, named).items():
            lifted |= meant & self._held[colour](env, self._cubes[colour], height, duration)
        return lifted


class AboutCubes(ManagerTermBase):
    """A term of ``tasks.common.stages`` about the cube that the env's instruction names, or about one that it does not.

    Of an instruction that names no cube, or both, nothing is ever reached, and any cube is a wrong one.

    Params of the term:
        cubes: Names in the scene, by colour.
        named: Whether the cube that is named is meant, or the others.
        term: The term, a function or a class; it gives bools, where ``named`` is false.
        hands_cfg: As the term takes it.
        params: The others that it takes.
    """

    def __init__(self, cfg: ObservationTermCfg, env: ManagerBasedRLEnv):
        super().__init__(cfg, env)
        self._terms = {colour: _own(cfg.params["term"], env) for colour in cfg.params["cubes"]}
        # Made once: to make one takes longer than a term does.
        self._cubes = {colour: SceneEntityCfg(name) for colour, name in cfg.params["cubes"].items()}

    def reset(self, env_ids: torch.Tensor | slice | None = None) -> None:
        """Let the terms forget what happened in the given envs."""
        for term in self._terms.values():
            if isinstance(term, ManagerTermBase):
                term.reset(env_ids)

    def __call__(
        self,
        env: ManagerBasedRLEnv,
        *,
        cubes: dict[str, str],
        named: bool,
        term: Callable[..., torch.Tensor],
        hands_cfg: SceneEntityCfg,
        params: dict[str, Any],
    ) -> torch.Tensor:
        """Return what the term says of the cube that is meant, (num_envs,); false, or NaN, where none is."""
        # IsaacLab calls each term once to learn its shape, before anybody can have told the env its instructions.
        instructions = episode_context(env).instructions or [""] * env.num_envs
        said = {
            colour: its(env, asset_cfg=self._cubes[colour], hands_cfg=hands_cfg, **params)
            for colour, its in self._terms.items()
        }
        meant = _meant(env, instructions, cubes, named)
        values = torch.stack(list(said.values()))
        of_those = torch.stack([meant[colour] for colour in said])
        if values.dtype == torch.bool:
            return (values & of_those).any(dim=0)
        return torch.where(of_those, values, 0).sum(dim=0).where(of_those.any(dim=0), torch.nan)


def _own(term: Any, env: ManagerBasedRLEnv) -> Callable[..., torch.Tensor]:
    """Return a term with a memory of its own, where it has one."""
    if not isinstance(term, type):
        function: Callable[..., torch.Tensor] = term
        return function
    # A config of its own too: IsaacLab writes the defaults of a class's params into it.
    remembering: Callable[..., torch.Tensor] = term(ObservationTermCfg(func=term), env)
    return remembering


def _meant(
    env: ManagerBasedRLEnv, instructions: list[str], cubes: Mapping[str, str], named: bool
) -> dict[str, torch.Tensor]:
    """Return in which envs each cube is the one that is named, or is not, bool (num_envs,), by colour."""
    told = [named_cube(text) for text in instructions]
    return {colour: torch.tensor([(colour == asked) is named for asked in told], device=env.device) for colour in cubes}
