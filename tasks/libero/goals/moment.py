"""What LIBERO's predicates look at, of an env on Newton: ``EnvMoment``."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import torch
from isaaclab.envs import ManagerBasedEnv
from isaaclab.utils.math import matrix_from_quat
from isaaclab_newton.physics import NewtonManager

from groot_wrappers.errors import ContractError
from tasks.common.stages import at_this_moment
from tasks.libero.goals.contacts import Contacts, things_of_shapes

__all__ = ["EnvMoment"]


class EnvMoment:
    """The present moment of all envs, each place in its env's own frame.

    Args:
        env: The env; its scene has things by the names of their bodies, as MuJoCo's model has them.
        pairs: Of things that may be asked whether they touch.
    """

    def __init__(self, env: ManagerBasedEnv, pairs: Iterable[tuple[str, str]]):
        self._env = env
        self._pairs = tuple(pairs)
        self._bodies: dict[str, tuple[Any, int]] = {}
        self._joints: dict[str, tuple[Any, int]] = {}
        for thing in [*env.scene.articulations.values(), *env.scene.rigid_objects.values()]:
            self._bodies.update({name: (thing, number) for number, name in enumerate(thing.body_names)})
        for thing in env.scene.articulations.values():
            self._joints.update({name: (thing, number) for number, name in enumerate(thing.joint_names)})

    def pose(self, body: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Position (num_envs, 3), m, and rotation matrix (num_envs, 3, 3) of a body that moves."""
        thing, number = self._found(self._bodies, body)
        pose = thing.data.body_link_pose_w.torch[:, number]
        return pose[:, :3] - self._env.scene.env_origins, matrix_from_quat(pose[:, 3:7])

    def joint(self, name: str) -> torch.Tensor:
        """Position of a joint, rad or m, (num_envs,)."""
        thing, number = self._found(self._joints, name)
        position: torch.Tensor = thing.data.joint_pos.torch[:, number]
        return position

    def touching(self, first: str, second: str) -> torch.Tensor:
        """Whether two things touch, bool (num_envs,)."""
        touching = at_this_moment(self._env, ("touching", id(self)), self._contacts.touching)
        return touching[:, self._contacts.column(first, second)]

    @cached_property
    def _contacts(self) -> Contacts:
        """Found when they are first asked for: the solver has its arrays by then."""
        solver: Any = NewtonManager._solver
        shapes, labels = solver.mjc_geom_to_newton_shape.numpy()[0], solver.model.shape_label
        owned = [labels[shape] if shape >= 0 else "" for shape in shapes]
        things = {thing for pair in self._pairs for thing in pair}
        return Contacts(solver.mjw_data, things_of_shapes(owned, things), self._pairs)

    def _found(self, table: dict[str, tuple[Any, int]], name: str) -> tuple[Any, int]:
        if name not in table:
            raise ContractError(f"The scene has no {name!r}, which a predicate names. It has: {', '.join(table)}")
        return table[name]
