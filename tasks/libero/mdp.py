"""What begins and ends an episode of LIBERO's: ``Begin`` and ``Success``."""

import mujoco
import numpy as np
import torch
from isaaclab.envs import ManagerBasedEnv
from isaaclab.managers import EventTermCfg, ManagerTermBase, TerminationTermCfg
from isaaclab.scene import InteractiveScene

from groot_wrappers.episode_context import episode_context
from groot_wrappers.errors import ContractError, did_you_mean
from tasks.common.seeded_resets import uses_episode_generators
from tasks.libero.goals.moment import EnvMoment
from tasks.libero.goals.predicates import goal_tests, touching_pairs
from tasks.libero.scene.asset import LiberoScene, libero_scene
from tasks.libero.scene.rest import official_rests, settled
from tasks.libero.scene.seeded_starts import seeded_start

__all__ = ["Begin", "Success", "write_state"]

_STARTS = ("official", "seeded")

_XYZW = (0, 1, 2, 4, 5, 6, 3)
"""Columns of a free joint's qpos, of which MuJoCo's quaternion begins with w."""


@uses_episode_generators
class Begin(ManagerTermBase):
    """Reset term: robot, things and fixtures as a start of the task has them, at rest.

    With ``starts: official`` the published starts come by the place of the episode in the plan, and begin anew behind
    the last; with ``seeded`` each is drawn from the episode's seed, and MuJoCo lets it fall into place (a tenth of a
    second and less, by the number of cores).
    """

    def __init__(self, cfg: EventTermCfg, env: ManagerBasedEnv):
        super().__init__(cfg, env)
        if env.cfg.starts not in _STARTS:
            raise ContractError(
                f"task.starts={env.cfg.starts} was asked for, but starts are {' or '.join(_STARTS)}."
                f"{did_you_mean(str(env.cfg.starts), _STARTS)}"
            )
        self._scene = _scene_of(env)
        self._published = official_rests(self._scene) if env.cfg.starts == "official" else None

    def __call__(self, env: ManagerBasedEnv, env_ids: torch.Tensor | slice) -> None:
        """Begin episodes in some envs."""
        ids = torch.arange(env.num_envs, device=env.device)[env_ids]
        context = episode_context(env)
        if self._published is None:
            rests = self._drawn([context.generators.get(env_id) for env_id in ids.tolist()])
        else:
            places = [context.places.get(env_id, env_id) % len(self._published) for env_id in ids.tolist()]
            rests = self._published[places]
        qpos = torch.tensor(rests, dtype=torch.float32, device=env.device)
        write_state(env.scene, self._scene.model, ids, qpos)

    def _drawn(self, generators: list[torch.Generator | None]) -> np.ndarray:
        """Return a start at rest from each generator (torch's own for None), float64 (envs, nq)."""
        model, problem = self._scene.model, self._scene.task.problem
        seeds = [int(torch.randint(2**62, (), generator=generator)) for generator in generators]
        drawn = np.stack([seeded_start(problem, model, np.random.default_rng(seed)) for seed in seeds])
        return settled(model, problem, drawn[:, 1 : 1 + model.nq])


class Success(ManagerTermBase):
    """Termination term: whether all holds that the BDDL's goal asks for, bool (num_envs,)."""

    def __init__(self, cfg: TerminationTermCfg, env: ManagerBasedEnv):
        super().__init__(cfg, env)
        scene = _scene_of(env)
        self._tests = goal_tests(scene.task.problem, scene.model)
        self._moment = EnvMoment(env, touching_pairs(self._tests))

    def __call__(self, env: ManagerBasedEnv) -> torch.Tensor:
        """Look at one moment."""
        return torch.stack([test(self._moment) for test in self._tests]).all(dim=0)


def write_state(scene: InteractiveScene, model: mujoco.MjModel, ids: torch.Tensor, qpos: torch.Tensor) -> None:
    """Put all that a model has joints for where it says, at rest.

    Args:
        scene: The scene, whose things have the names of the model's.
        model: The model.
        ids: The envs.
        qpos: Positions of the model's joints in each of them, float32 (envs, nq).
    """
    for name, body in scene.rigid_objects.items():
        first = int(model.joint(f"{name}_joint0").qposadr[0])
        pose = qpos[:, [first + column for column in _XYZW]]
        pose[:, :3] += scene.env_origins[ids]
        body.write_root_link_pose_to_sim_index(root_pose=pose, env_ids=ids)
        body.write_root_com_velocity_to_sim_index(root_velocity=torch.zeros_like(pose[:, :6]), env_ids=ids)
    for thing in scene.articulations.values():
        position = qpos[:, [int(model.joint(name).qposadr[0]) for name in thing.joint_names]]
        thing.write_joint_position_to_sim_index(position=position, env_ids=ids)
        thing.write_joint_velocity_to_sim_index(velocity=torch.zeros_like(position), env_ids=ids)
        thing.set_joint_position_target_index(target=position, env_ids=ids)


def _scene_of(env: ManagerBasedEnv) -> LiberoScene:
    return libero_scene(env.cfg.suite, env.cfg.index)
