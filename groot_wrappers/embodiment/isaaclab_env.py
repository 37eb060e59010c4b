"""What the wrappers ask of an IsaacLab env, whichever workflow it is written in.

Classes:
    ActionTerm: one part of the env's action.
    JointColumn: the place in the action that sets one joint's position.
    IsaacLabEnv: the env seen through names: sensors, observation terms, robots, action terms, success.
"""

import groot_wrappers.installation.wrappers_needed  # isort: skip  # noqa: F401  # before torch
import inspect
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import gymnasium as gym
import torch
from gymnasium import spaces

from groot_wrappers.embodiment.buffers import as_flags, as_torch
from groot_wrappers.embodiment.isaaclab2 import drawn_at_resets, let_cameras_be_read_anew
from groot_wrappers.embodiment.poses import PoseColumns, body_pose_in_root, pose_columns
from groot_wrappers.embodiment.stages import GROUP as PROGRESS_GROUP
from groot_wrappers.embodiment.stages import declares_progress
from groot_wrappers.errors import ContractError

__all__ = ["ActionTerm", "IsaacLabEnv", "JointColumn"]


@dataclass(frozen=True)
class ActionTerm:
    """One part of the env's action: ``width`` columns from ``start``, taken by an IsaacLab class named ``kind``."""

    start: int
    width: int
    kind: str


@dataclass(frozen=True)
class JointColumn:
    """The column of the env's action that sets a joint's position to ``number * scale + offset`` (rad, m).

    Args:
        column: Of the env's action.
        scale, offset: Of the action term.
        robot: Name of the articulation in the scene.
        joint_id: Of the joint, there.
    """

    column: int
    scale: float
    offset: float
    robot: str
    joint_id: int


class IsaacLabEnv:
    """A manager-based or direct RL env of IsaacLab, or one that offers the same.

    Args:
        env: The env, in wrappers or bare; its workflow is told by ``action_manager`` and ``termination_manager``, which
            direct envs lack (IsaacLab 3.0: ``isaaclab.envs``).

    Raises:
        ContractError: It is a ``ManagerBasedEnv`` (no episodes), a ``DirectMARLEnv`` (several agents), or no env of
            IsaacLab at all.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        base: Any = env.unwrapped
        refuse_workflow(type(base))
        self.base = base
        self.num_envs: int = base.num_envs
        self.device = torch.device(base.device)
        self._actions: Any = getattr(self.base, "action_manager", None)
        self._terminations: Any = getattr(self.base, "termination_manager", None)
        if self._actions is None and not isinstance(getattr(self.base, "single_action_space", None), spaces.Box):
            raise ContractError(
                f"{type(self.base).__name__} takes no vector of numbers as its action, which a GR00T policy gives: "
                f"its action space is {getattr(self.base, 'single_action_space', None)}. Choose another env."
            )

    @cached_property
    def reset_mode(self) -> Literal["per_env", "per_batch"]:
        """Whether one env can begin an episode alone, or only all of them together (direct envs)."""
        return "per_env" if "env_ids" in inspect.signature(self.base.reset).parameters else "per_batch"

    @cached_property
    def uses_episode_generators(self) -> bool:
        """Whether a reset draws from its ``EpisodeContext`` alone, so that one call can begin many episodes.

        So it is where no command is drawn, and each event of a reset has an attribute ``uses_episode_generators``, or
        is IsaacLab's ``reset_scene_to_default``, which draws nothing.
        """
        events, commands = (getattr(self.base, f"{name}_manager", None) for name in ("event", "command"))
        if events is None or (commands is not None and commands.active_terms):
            return False
        terms = [events.get_term_cfg(name).func for name in events.active_terms.get("reset", ())]
        return all(
            getattr(term, "uses_episode_generators", False) or getattr(term, "__name__", "") == "reset_scene_to_default"
            for term in terms
        )

    @property
    def sensors(self) -> Mapping[str, Any]:
        """Name to sensor of the scene, cameras among them."""
        sensors: Mapping[str, Any] = self.base.scene.sensors
        return sensors

    @property
    def cameras(self) -> dict[str, Any]:
        """Name to camera of the scene."""
        return {name: sensor for name, sensor in self.sensors.items() if hasattr(sensor, "image_shape")}

    @property
    def robots(self) -> dict[str, Any]:
        """Name to articulation of the scene."""
        return dict(self.base.scene.articulations)

    @cached_property
    def observations(self) -> dict[str, tuple[int, ...]]:
        """``group.term`` (``group`` alone where it is one tensor) to the shape of one env's part.

        The group that tells of progress is none of them: no policy is to see it.
        """

        def walk(space: Any, path: str) -> dict[str, tuple[int, ...]]:
            if not isinstance(space, spaces.Dict):
                return {path: tuple(space.shape)}
            found: dict[str, tuple[int, ...]] = {}
            for name, part in space.spaces.items():
                found |= walk(part, f"{path}.{name}" if path else name)
            return found

        found = walk(self.base.single_observation_space, "")
        hidden = f"{PROGRESS_GROUP}." if declares_progress(self.base) else None
        return {path: shape for path, shape in found.items() if hidden is None or not path.startswith(hidden)}

    @property
    def action_dim(self) -> int:
        """Width of the env's action."""
        if self._actions is None:
            return math.prod(self.base.single_action_space.shape)
        dim: int = self._actions.total_action_dim
        return dim

    @cached_property
    def action_terms(self) -> dict[str, ActionTerm]:
        """Name to action term, in the action's order; empty for a direct env, whose action has no names."""
        terms: dict[str, ActionTerm] = {}
        if self._actions is None:
            return terms
        start = 0
        for name, width in zip(self._actions.active_terms, self._actions.action_term_dim, strict=True):
            terms[name] = ActionTerm(start, width, type(self._actions.get_term(name)).__name__)
            start += width
        return terms

    @cached_property
    def joint_columns(self) -> dict[str, JointColumn]:
        """Joint to its column, for the joints whose absolute position an action term sets, in the action's order.

        That is IsaacLab's ``JointPositionAction`` alone, which plays ``number * scale + offset``
        (``isaaclab.envs.mdp.actions.joint_actions``).
        """
        columns: dict[str, JointColumn] = {}
        for name, term in self.action_terms.items():
            if term.kind != "JointPositionAction":
                continue
            cfg = self._actions.get_term(name).cfg
            robot = self.base.scene[cfg.asset_name]
            ids, joints = robot.find_joints(cfg.joint_names, preserve_order=cfg.preserve_order)
            # One env's defaults stand for all: they come from one config.
            defaults = as_torch(robot.data.default_joint_pos)[0].tolist() if cfg.use_default_offset else []
            for position, (joint_id, joint) in enumerate(zip(ids, joints, strict=True)):
                offset = defaults[joint_id] if cfg.use_default_offset else _for_joint(cfg.offset, joint, 0.0)
                scale = _for_joint(cfg.scale, joint, 1.0)
                columns[joint] = JointColumn(term.start + position, scale, offset, cfg.asset_name, joint_id)
        return columns

    @cached_property
    def pose_columns(self) -> dict[str, PoseColumns]:
        """Action term to what it does, for the terms that take the absolute pose of a body."""
        found = {name: pose_columns(self._actions.get_term(name), self.robots) for name in self.action_terms}
        return {name: columns for name, columns in found.items() if columns is not None}

    def body_pose(self, robot: str, body: str) -> torch.Tensor:
        """Return the present pose of a body in its robot's root link, float32 (num_envs, 7): x, y, z, then xyzw."""
        articulation = self.robots[robot]
        return body_pose_in_root(articulation.data, articulation.body_names.index(body))

    def standing_still(self) -> torch.Tensor:
        """Return the action that keeps the envs where they are, float32 (num_envs, action_dim) on the env's device.

        Joints with position targets are told their present positions, and bodies with pose targets their present poses.
        Whatever else there is gets 0: no motion for terms that take changes, velocities or efforts.
        """
        actions = torch.zeros((self.num_envs, self.action_dim), device=self.device)
        for place in self.joint_columns.values():
            positions = as_torch(self.base.scene[place.robot].data.joint_pos)[:, place.joint_id]
            actions[:, place.column] = (positions - place.offset) / place.scale
        for name, place_of in self.pose_columns.items():
            term = self.action_terms[name]
            pose = self.body_pose(place_of.robot, place_of.body)
            actions[:, term.start : term.start + term.width] = place_of.to_env(pose)
        return actions

    def begin_episodes(
        self, calls: Sequence[tuple[list[int], int | None]], options: Mapping[str, Any]
    ) -> tuple[Any, dict[str, Any]]:
        """Reset envs that can begin an episode alone, call by call.

        Args:
            calls: The envs of each call, and the seed that its reset events draw from, or None; at least one call.
            options: As ``gymnasium.Env.reset`` takes them.

        Returns:
            The observation of all envs after the last call, whose cameras show the starts of all calls, and its info.
        """
        raw: Any = None
        info: dict[str, Any] = {}
        begun: list[int] = []
        for position, (env_ids, seed) in enumerate(calls):
            is_last = position == len(calls) - 1
            if is_last:
                let_cameras_be_read_anew(self.base, self.cameras.values(), begun)
            ids = torch.as_tensor(env_ids, dtype=torch.int64, device=self.device)
            with drawn_at_resets(self.base, drawn=is_last):
                raw, info = self.base.reset(seed=seed, env_ids=ids, options=options)
            begun += env_ids
        return raw, info

    @cached_property
    def has_success(self) -> bool:
        """Whether the env says what success is: by a termination term of that name."""
        return self._terminations is not None and "success" in self._terminations.active_terms

    def succeeded(self) -> torch.Tensor:
        """Return the success term, bool (num_envs,) on the env's device, as it was before IsaacLab's autoreset.

        Raises:
            ContractError: The term gives something else than one true or false an env.
        """
        success = self._terminations.get_term("success")
        return as_flags(success, self.num_envs, "the termination term 'success'").to(self.device)

    @contextmanager
    def without_autoreset(self) -> Iterator[None]:
        """Within the block, let envs of the manager-based workflow stand where their episode ended.

        IsaacLab resets them on the same control step otherwise, each step anew, for episodes that nobody plays. A reset
        takes as long as several control steps, whatever the number of envs. What the termination manager had before is
        there again after the block; what somebody else has put there meanwhile stays.
        """
        manager = self._terminations
        if manager is None:
            yield
            return
        own = vars(manager).get("compute")  # of the instance: what wraps the class's
        compute = manager.compute
        nobody = torch.zeros(self.num_envs, dtype=torch.bool)  # on the CPU: to look through it waits for no GPU
        within = True

        def compute_and_reset_nobody() -> Any:
            ended = compute()
            return nobody if within else ended

        manager.compute = compute_and_reset_nobody
        try:
            yield
        finally:
            within = False  # for a wrapping made meanwhile, which calls this still
            if vars(manager).get("compute") is compute_and_reset_nobody:
                if own is None:
                    del manager.compute
                else:
                    manager.compute = own

    @property
    def has_rewards(self) -> bool:
        """False for an env that is configured without reward terms, whose rewards of 0 mean nothing."""
        rewards = getattr(self.base, "reward_manager", None)
        return rewards is None or bool(rewards.active_terms)


def refuse_workflow(env_class: type) -> None:
    """Raise a ContractError for the workflows of IsaacLab that have no episodes of one policy."""
    names = {base.__name__ for base in env_class.__mro__}
    if "DirectMARLEnv" in names:
        raise ContractError(
            f"{env_class.__name__} is a DirectMARLEnv: it has several agents, but a GR00T server answers for one. "
            "Choose an env of the class ManagerBasedRLEnv or DirectRLEnv."
        )
    if "ManagerBasedEnv" in names and "ManagerBasedRLEnv" not in names:
        raise ContractError(
            f"{env_class.__name__} is a ManagerBasedEnv: it has no terminations, so that no episode ever ends. "
            "Register it as a ManagerBasedRLEnv (isaaclab.envs:ManagerBasedRLEnv, with a ManagerBasedRLEnvCfg)."
        )


def _for_joint(setting: float | Mapping[str, float], joint: str, default: float) -> float:
    """Return what a term's scale or offset is for one joint: a number for all, or a mapping of patterns."""
    if not isinstance(setting, Mapping):
        return float(setting)
    return next((float(value) for pattern, value in setting.items() if re.fullmatch(pattern, joint)), default)
