"""How far an episode of LIBERO has come: the stages of its goal, for the funnel; ``progress_cfg``.

Each predicate of the goal comes to a ``Level``, from a finger that touches what it is about to that it holds. A goal of
one predicate tells each of them. One of several tells, in whichever order a policy goes about them, of the predicate
that has come furthest first, then of the next: ``first_reached``, ``first_held``, ``first_done``, ``second_reached``.
What has been reached once stays so.
"""

from enum import IntEnum

import torch
from isaaclab.envs import ManagerBasedEnv
from isaaclab.managers import ManagerTermBase, ObservationTermCfg

from tasks.common.stages import at_this_moment
from tasks.gr00t_env_cfg import Gr00tProgressCfg
from tasks.libero.goals.contacts import LEFT_FINGER, RIGHT_FINGER
from tasks.libero.goals.moment import EnvMoment
from tasks.libero.goals.predicates import InRegion, Joints, Moment, OnRegion, OnThing, Test, goal_tests, touching_pairs
from tasks.libero.scene.asset import libero_scene
from tasks.libero.suites.bddl import Predicate
from tasks.libero.suites.fixtures import main_body
from tasks.libero.suites.suites import libero_task

__all__ = ["Level", "Levels", "Reached", "finger_pairs", "progress_cfg", "stages_of_goal"]

_LIFTED = 0.03
"""A held thing is so much above where it was at the start, m."""
_MOVED = 1 / 3
"""Joints have gone this share of the way that was left at the start."""
_OVER = 0.30
"""A thing is no more than so much above a region that it is over, m."""

_ORDINALS = ("first", "second", "third")
_DONE = {"open": "opened", "close": "closed", "turnon": "turned_on", "turnoff": "turned_off"}
_LEVELS = "_libero_levels"


class Level(IntEnum):
    """How far a predicate has come; joints go from ``HELD``, which they are once they have moved, to ``DONE``."""

    REACHED = 1
    HELD = 2
    LIFTED = 3
    OVER = 4
    DONE = 5


class Levels:
    """How far the predicates of a goal have come in each env.

    Args:
        tests: The predicates.
        moment: What is looked at.
        count: How many envs there are.
        device: The env's.
    """

    def __init__(self, tests: tuple[Test, ...], moment: Moment, count: int, device: str):
        self._tests, self._moment = tests, moment
        self._levels = torch.zeros(count, len(tests), dtype=torch.int64, device=device)
        self._at_start = torch.zeros(count, len(tests), device=device)
        self._is_fresh = torch.ones(count, dtype=torch.bool, device=device)

    def begin(self, env_ids: torch.Tensor | slice | None) -> None:
        """Forget what was reached in the given envs; what they look like next is their start."""
        self._is_fresh[slice(None) if env_ids is None else env_ids] = True

    def look(self) -> torch.Tensor:
        """Look at one moment; return the levels, the furthest first, int64 (num_envs, predicates)."""
        measured = torch.stack([_measure(test, self._moment) for test in self._tests], dim=1)
        fresh = self._is_fresh[:, None]
        self._at_start = torch.where(fresh, measured, self._at_start)
        columns = [
            _level(test, self._moment, now, start)
            for test, now, start in zip(self._tests, measured.unbind(1), self._at_start.unbind(1), strict=True)
        ]
        # Contacts are those from before the start, until the env has been stepped.
        self._levels = torch.where(fresh, 0, torch.maximum(self._levels, torch.stack(columns, dim=1)))
        self._is_fresh = torch.zeros_like(self._is_fresh)
        return self._levels.sort(dim=1, descending=True).values


class Reached(ManagerTermBase):
    """Observation term: whether one of the predicates has come to a level, bool (num_envs,).

    Params of the term:
        suite, index: The task.
        rank: 0 for the predicate that has come furthest.
        level: A ``Level``.
    """

    def __init__(self, cfg: ObservationTermCfg, env: ManagerBasedEnv):
        super().__init__(cfg, env)
        scene = libero_scene(cfg.params["suite"], cfg.params["index"])
        if not hasattr(env, _LEVELS):
            tests = goal_tests(scene.task.problem, scene.model)
            moment = EnvMoment(env, touching_pairs(tests) + finger_pairs(tests))
            setattr(env, _LEVELS, Levels(tests, moment, env.num_envs, env.device))
        self._levels: Levels = getattr(env, _LEVELS)

    def reset(self, env_ids: torch.Tensor | slice | None = None) -> None:
        """Forget what was reached in the given envs."""
        self._levels.begin(env_ids)

    def __call__(self, env: ManagerBasedEnv, suite: str, index: int, rank: int, level: int) -> torch.Tensor:
        """Look at one moment, bool (num_envs,)."""
        return at_this_moment(env, _LEVELS, self._levels.look)[:, rank] >= level


def progress_cfg(suite: str, index: int) -> Gr00tProgressCfg:
    """Return the observation group ``progress`` of a task.

    Raises:
        ContractError, AssetError: As ``libero_task``.
    """
    group = Gr00tProgressCfg()
    for name, (rank, level) in stages_of_goal(libero_task(suite, index).problem.goal).items():
        params = {"suite": suite, "index": index, "rank": rank, "level": int(level)}
        setattr(group, f"progress_{name}", ObservationTermCfg(func=Reached, params=params))
    return group


def stages_of_goal(goal: tuple[Predicate, ...]) -> dict[str, tuple[int, Level]]:
    """Return the stages of a goal in their order, with rank and level of each."""
    if len(goal) > 1:
        steps = {"reached": Level.REACHED, "held": Level.HELD, "done": Level.DONE}
        ranks = enumerate(_ORDINALS[: len(goal)])
        return {f"{ordinal}_{name}": (rank, level) for rank, ordinal in ranks for name, level in steps.items()}
    if goal[0].name in _DONE:
        steps = {"reached": Level.REACHED, "moved": Level.HELD, _DONE[goal[0].name]: Level.DONE}
    else:
        steps = {"reached": Level.REACHED, "grasped": Level.HELD, "lifted": Level.LIFTED}
        steps |= {"over_target": Level.OVER, "placed": Level.DONE}
    return {name: (0, level) for name, level in steps.items()}


def finger_pairs(tests: tuple[Test, ...]) -> list[tuple[str, str]]:
    """Return the pairs of a finger and what a test is about."""
    return [(finger, _subject(test)) for test in tests for finger in (LEFT_FINGER, RIGHT_FINGER)]


def _subject(test: Test) -> str:
    """Return the thing or fixture that has to be moved."""
    if isinstance(test, Joints):
        return test.fixture
    return test.upper if isinstance(test, OnThing) else test.thing


def _measure(test: Test, moment: Moment) -> torch.Tensor:
    """What is compared with the start: a thing's height, or the way that joints have left, (num_envs,)."""
    return test.way(moment) if isinstance(test, Joints) else moment.pose(main_body(_subject(test)))[0][:, 2]


def _level(test: Test, moment: Moment, now: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
    """Return how far a predicate is at a moment, int64 (num_envs,)."""
    left, right = (moment.touching(finger, _subject(test)) for finger in (LEFT_FINGER, RIGHT_FINGER))
    holds = {Level.REACHED: left | right, Level.DONE: test(moment)}
    if isinstance(test, Joints):
        holds[Level.HELD] = (start > 0) & (now <= (1 - _MOVED) * start)
    else:
        held = left & right
        lifted = held & (now >= start + _LIFTED)
        holds |= {Level.HELD: held, Level.LIFTED: lifted, Level.OVER: lifted & _over(test, moment)}
    return torch.stack([reached * int(level) for level, reached in holds.items()]).amax(dim=0)


def _over(test: OnThing | OnRegion | InRegion, moment: Moment) -> torch.Tensor:
    """Whether a thing is over where it is to be put, bool (num_envs,)."""
    return test.over(moment, _OVER)
