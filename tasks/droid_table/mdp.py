"""What begins and ends an episode at DROID's table, and tells of it.

``place_things`` begins it. The other terms are about the thing that the env's instruction names and what it is to be
put onto; of an instruction that does not name one of each, nothing is ever reached. The texts are those of the env's
``EpisodeContext``, which ``Gr00tObservationWrapper`` gives it.
"""

import math

import torch
from isaaclab.envs import ManagerBasedEnv, ManagerBasedRLEnv
from isaaclab.managers import ManagerTermBase, ObservationTermCfg, TerminationTermCfg
from isaaclab.utils.math import quat_apply, quat_error_magnitude, quat_from_euler_xyz

from groot_wrappers.episode_context import episode_context
from tasks.common.seeded_resets import uniform, uses_episode_generators
from tasks.common.stages import at_this_moment
from tasks.droid_table.geometry import JITTER, PLACES, TOOL_POINT
from tasks.droid_table.things import THINGS, asked

__all__ = [
    "Dropped",
    "Put",
    "above",
    "let_go",
    "lifted",
    "other_lifted",
    "place_things",
    "placed",
    "reached",
    "way_left",
]

_AT_THING = 0.05
"""The tool point is as near as this to where a thing is held, m, when it holds it or is about to."""
_OFF_TABLE, _LIFTED = 0.02, 0.05
"""Height at which a thing is gripped, and lifted, m."""
_RESTING = 0.035
"""What is on something is no more than this off the height of a thing that stands there, m: it may lie on its side."""
_LET_GO = 0.07
"""The tool point is as far as this from where a thing is held, m, when it has let go of it."""
_MAX_SPEED, _MAX_TURNING = 0.05, 0.5
"""What is at rest: m/s, rad/s, by where it was a control step ago. Velocities of a physics step do not tell: those of
what lies still on its side may be 0.03 m/s and 1 rad/s, to and fro."""


@uses_episode_generators
def place_things(env: ManagerBasedRLEnv, env_ids: torch.Tensor | slice) -> None:
    """Reset term: each thing at a place of its own, drawn anew, and a little off and turned there.

    Args:
        env: The env.
        env_ids: The envs that are reset.
    """
    names, count = _things(env), len(PLACES)
    order = [(0.0, 1.0)] * count
    drawn = uniform(env, env_ids, [*order, *([JITTER[axis] for axis in ("x", "y", "yaw")] * len(names))])
    places = torch.tensor(PLACES, device=env.device)[drawn[:, :count].argsort(dim=1)]
    for index, name in enumerate(names):
        x, y, yaw = drawn[:, count + 3 * index : count + 3 * index + 3].unbind(-1)
        level = torch.zeros_like(yaw)
        position = torch.stack([places[:, index, 0] + x, places[:, index, 1] + y, level], dim=-1)
        pose = torch.cat([position + env.scene.env_origins[env_ids], quat_from_euler_xyz(level, level, yaw)], dim=-1)
        thing = env.scene[name]
        thing.write_root_pose_to_sim_index(root_pose=pose, env_ids=env_ids)
        thing.write_root_velocity_to_sim_index(root_velocity=torch.zeros_like(pose[:, :6]), env_ids=env_ids)


class _Asked:
    """Where the things are that the instructions ask for, all (num_envs, ...)."""

    def __init__(self, env: ManagerBasedEnv):
        names = _things(env)
        texts = episode_context(env).instructions or [""] * env.num_envs
        pairs = [asked(text, names) for text in texts]
        indices = [(names.index(moved), names.index(onto)) if moved and onto else None for moved, onto in pairs]
        self.valid = torch.tensor([pair is not None for pair in indices], device=env.device)
        moved, onto = torch.tensor([pair or (0, 0) for pair in indices], device=env.device).unbind(-1)
        rows = torch.arange(env.num_envs, device=env.device)
        poses = torch.stack([env.scene[name].data.root_pose_w.torch for name in names], dim=1)
        places, turns = poses[..., :3] - env.scene.env_origins[:, None], poses[..., 3:]
        up = torch.tensor([0.0, 0.0, 1.0], device=env.device).expand_as(places)
        axes = quat_apply(turns, up)
        self.moved, self.turn, self.onto = places[rows, moved], turns[rows, moved], places[rows, onto]
        halves = torch.tensor([THINGS[name].height / 2 for name in names], device=env.device)
        self.middle = self.moved + halves[moved, None] * axes[rows, moved]
        grips = torch.tensor([THINGS[name].grip for name in names], device=env.device)
        rooms = torch.tensor([THINGS[name].room for name in names], device=env.device)
        self.room, floor = rooms[onto].unbind(-1)
        gaps = (_tool(env)[:, None] - places - grips[:, None] * axes).norm(dim=2)
        self.gap = gaps[rows, moved]
        self.aside = (self.middle - self.onto)[:, :2].norm(dim=1)
        self.above = self.moved[:, 2] - self.onto[:, 2] - floor
        others = torch.ones(env.num_envs, len(names), dtype=torch.bool, device=env.device)
        others[rows[self.valid], moved[self.valid]] = False
        self.other_lifted = (others & (gaps <= _AT_THING) & (places[..., 2] >= _LIFTED)).any(dim=1)

    @property
    def on_it(self) -> torch.Tensor:
        """Whether the thing stands or lies where it is to be put."""
        return self.valid & (self.aside <= self.room) & (self.above.abs() <= _RESTING)

    def held_at(self, height: float) -> torch.Tensor:
        """Whether the thing is in the hand, at that height above the table or more."""
        return self.valid & (self.gap <= _AT_THING) & (self.moved[:, 2] >= height)


def _asked(env: ManagerBasedEnv) -> _Asked:
    """Where they are now; several terms ask for it at the same moment."""
    return at_this_moment(env, "droid_table", lambda: _Asked(env))


def reached(env: ManagerBasedEnv) -> torch.Tensor:
    """Whether the hand is at the thing that is asked for, bool (num_envs,)."""
    asked_for = _asked(env)
    return asked_for.valid & (asked_for.gap <= _AT_THING)


def lifted(env: ManagerBasedEnv, height: float = _LIFTED) -> torch.Tensor:
    """Whether that thing is in the hand and off the table, bool (num_envs,)."""
    return _asked(env).held_at(height)


def above(env: ManagerBasedEnv) -> torch.Tensor:
    """Whether that thing is over what it is to be put onto, bool (num_envs,)."""
    asked_for = _asked(env)
    return asked_for.valid & (asked_for.aside <= asked_for.room) & (asked_for.above >= -_RESTING)


def placed(env: ManagerBasedEnv) -> torch.Tensor:
    """Whether that thing stands on what it is to be put onto, bool (num_envs,)."""
    return _asked(env).on_it


def let_go(env: ManagerBasedEnv) -> torch.Tensor:
    """Whether that thing stands there, and the hand is off it, bool (num_envs,)."""
    asked_for = _asked(env)
    return asked_for.on_it & (asked_for.gap >= _LET_GO)


def other_lifted(env: ManagerBasedEnv) -> torch.Tensor:
    """Whether another thing than the one that is asked for is in the hand, off the table, bool (num_envs,)."""
    return _asked(env).other_lifted


def way_left(env: ManagerBasedEnv) -> torch.Tensor:
    """What is left of the way, m, (num_envs,): the hand's to the thing, and the thing's aside to its place and down.

    NaN where the instruction asks for none.
    """
    asked_for = _asked(env)
    aside = (asked_for.aside - asked_for.room).clamp_min(0)
    off = (asked_for.above.abs() - _RESTING).clamp_min(0)
    there = torch.where(aside > 0, (asked_for.gap - _AT_THING).clamp_min(0), (_LET_GO - asked_for.gap).clamp_min(0))
    return torch.where(asked_for.valid, aside + off + there, torch.nan)


class Dropped(ManagerTermBase):
    """True while the thing that is asked for, which had been lifted, is in no hand and not where it is to be put."""

    def __init__(self, cfg: ObservationTermCfg, env: ManagerBasedEnv):
        super().__init__(cfg, env)
        self._was_held = torch.zeros(env.num_envs, dtype=torch.bool, device=env.device)

    def reset(self, env_ids: torch.Tensor | slice | None = None) -> None:
        """Forget what was held in the given envs."""
        self._was_held[slice(None) if env_ids is None else env_ids] = False

    def __call__(self, env: ManagerBasedEnv) -> torch.Tensor:
        """Look at one moment, bool (num_envs,)."""
        asked_for = _asked(env)
        self._was_held |= asked_for.held_at(_OFF_TABLE)
        return self._was_held & (asked_for.gap > _AT_THING) & (asked_for.aside > asked_for.room)


class Put(ManagerTermBase):
    """True once the thing that is asked for has been lifted, and stands where it is to be put, at rest and let go.

    Params of the term:
        duration: Seconds that it must stand there without a break; counted in whole control steps, rounded up.
    """

    def __init__(self, cfg: TerminationTermCfg, env: ManagerBasedRLEnv):
        super().__init__(cfg, env)
        self._steps = torch.zeros(env.num_envs, dtype=torch.int32, device=env.device)
        self._was_lifted = torch.zeros(env.num_envs, dtype=torch.bool, device=env.device)
        self._was_at = torch.full((env.num_envs, 7), torch.nan, device=env.device)

    def reset(self, env_ids: torch.Tensor | slice | None = None) -> None:
        """Forget what happened in the given envs."""
        env_ids = slice(None) if env_ids is None else env_ids
        self._steps[env_ids] = 0
        self._was_lifted[env_ids] = False
        self._was_at[env_ids] = torch.nan

    def __call__(self, env: ManagerBasedRLEnv, duration: float) -> torch.Tensor:
        """Count one control step and say which envs have succeeded, bool (num_envs,).

        Raises:
            AttributeError: Nobody has told the env its instructions.
        """
        if not episode_context(env).instructions:
            raise AttributeError(
                "What is to be put where is said by the instruction, but the env was told none: wrap it by "
                "Gr00tObservationWrapper, or give it an EpisodeContext with a text for each env (set_episode_context)."
            )
        asked_for = _asked(env)
        self._was_lifted |= asked_for.held_at(_LIFTED)
        moved = (asked_for.middle - self._was_at[:, :3]).norm(dim=1)
        turned = quat_error_magnitude(asked_for.turn, self._was_at[:, 3:])
        self._was_at = torch.cat([asked_for.middle, asked_for.turn], dim=1)
        stands = (
            self._was_lifted
            & asked_for.on_it
            & (asked_for.gap >= _LET_GO)
            & (moved <= _MAX_SPEED * env.step_dt)
            & (turned <= _MAX_TURNING * env.step_dt)
        )
        self._steps = torch.where(stands, self._steps + 1, 0)
        # The small allowance keeps 0.4 s at 15 Hz at 6 steps in the face of floating point.
        return self._steps >= math.ceil(duration / env.step_dt - 1e-6)


def _things(env: ManagerBasedEnv) -> tuple[str, ...]:
    """Names of the things on the table, in the order of the scene."""
    return tuple(name for name in env.scene.rigid_objects if name in THINGS)


def _tool(env: ManagerBasedEnv) -> torch.Tensor:
    """The tool point in the env's frame, (num_envs, 3)."""
    robot = env.scene["robot"]
    (flange,), _ = robot.find_bodies("panda_link8")
    pose = robot.data.body_link_pose_w.torch[:, flange]
    point = torch.tensor(TOOL_POINT, device=env.device).expand(len(pose), 3)
    return pose[:, :3] + quat_apply(pose[:, 3:], point) - env.scene.env_origins
