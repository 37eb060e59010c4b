"""LIBERO's predicates as it decides them, for all envs at once: ``goal_tests`` makes those of a task.

* ``OnThing``: below the other thing's contact, and within 3 cm of its axis.
* ``OnRegion``: over a region of a fixture, a thing or the table, and in contact with what the region is a part of.
* ``InRegion``: within a region; contact is not asked for.
* ``Joints``: ``open``, ``close``, ``turnon`` and ``turnoff``, by the joints of a fixture or of one part of it.

LIBERO's own code is followed where it is odd too: how a turned region's size is turned (``InRegion``), and that it
turns a way by the region's matrix and not back by it (``OnRegion``). Where a thing is, is where its body's frame is.
"""

from dataclasses import dataclass
from typing import Protocol

import mujoco
import numpy as np
import torch

from groot_wrappers.errors import ContractError
from tasks.libero.suites.bddl import Predicate, Problem
from tasks.libero.suites.fixtures import LIMITS, element, joints_of, main_body

__all__ = ["InRegion", "Joints", "Moment", "OnRegion", "OnThing", "Region", "Test", "goal_tests", "predicate_test"]

_NEAR = 0.03
"""Of two things, one on the other: how far apart their axes may be, m."""
_LOW, _HIGH = 0.005, 0.10
"""What is on a region is no further below its top than the one, and no higher above it than the other, m."""
_BELOW = 0.01
"""What is in a region may be so much below it, m."""

_ANY = ("open", "turnon")
"""True if one joint of several is there; the others want all of them."""


class Moment(Protocol):
    """What predicates look at: all envs at one moment. Places are in each env's own frame, m."""

    def pose(self, body: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Position (num_envs, 3) and rotation matrix (num_envs, 3, 3) of a body that moves, by MuJoCo's name."""

    def joint(self, name: str) -> torch.Tensor:
        """Position of a joint, rad or m, (num_envs,)."""

    def touching(self, first: str, second: str) -> torch.Tensor:
        """Whether two things or fixtures touch, by BDDL's names, bool (num_envs,)."""


class Test(Protocol):
    """A predicate with its arguments."""

    def __call__(self, moment: Moment) -> torch.Tensor:
        """Whether it holds, bool (num_envs,)."""


@dataclass(frozen=True)
class Region:
    """A box: a site of the scene's model.

    Attributes:
        name: Of the site.
        owner: The thing or fixture that it is a part of; None for a place on a table, whose contact nobody asks for.
        body: The body that carries it; None where it never moves.
        position: In that body's frame, or in the env's, (3,), m.
        rotation: Likewise, (3, 3).
        half_size: (3,), m.
    """

    name: str
    owner: str | None
    body: str | None
    position: np.ndarray
    rotation: np.ndarray
    half_size: np.ndarray

    def pose(self, moment: Moment, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Position (num_envs, 3) and rotation matrix (num_envs, 3, 3), as a tensor of the same kind as ``like``."""
        position, rotation = like.new_tensor(self.position), like.new_tensor(self.rotation)
        if self.body is None:
            return position.expand(len(like), 3), rotation.expand(len(like), 3, 3)
        place, turn = moment.pose(self.body)
        return place + turn @ position, turn @ rotation


@dataclass(frozen=True)
class OnThing:
    """Whether one thing is on another."""

    upper: str
    lower: str

    def __call__(self, moment: Moment) -> torch.Tensor:
        """Whether it holds, bool (num_envs,)."""
        upper, lower = moment.pose(main_body(self.upper))[0], moment.pose(main_body(self.lower))[0]
        aside = (upper - lower)[:, :2].norm(dim=1)
        return (lower[:, 2] <= upper[:, 2]) & (aside < _NEAR) & moment.touching(self.upper, self.lower)


@dataclass(frozen=True)
class OnRegion:
    """Whether a thing is on a region."""

    thing: str
    region: Region

    def __call__(self, moment: Moment) -> torch.Tensor:
        """Whether it holds, bool (num_envs,)."""
        over = self.over(moment)
        return over if self.region.owner is None else over & moment.touching(self.region.owner, self.thing)

    def over(self, moment: Moment, high: float = _HIGH) -> torch.Tensor:
        """Whether the thing is over the region, no more than so many metres, bool (num_envs,)."""
        thing, _ = moment.pose(main_body(self.thing))
        position, rotation = self.region.pose(moment, thing)
        half = thing.new_tensor(self.region.half_size)
        way = (rotation @ (thing - position)[..., None])[..., 0]
        level = (half[2] - _LOW < way[:, 2]) & (way[:, 2] < half[2] + high)
        return level & (way[:, :2].abs() < half[:2]).all(dim=1)


@dataclass(frozen=True)
class InRegion:
    """Whether a thing is in a region."""

    thing: str
    region: Region

    def __call__(self, moment: Moment) -> torch.Tensor:
        """Whether it holds, bool (num_envs,)."""
        thing, _ = moment.pose(main_body(self.thing))
        position, rotation = self.region.pose(moment, thing)
        half = (rotation @ thing.new_tensor(self.region.half_size)).abs()
        low, high = position - half, position + half
        low = low - low.new_tensor([0.0, 0.0, _BELOW])
        return ((thing > low) & (thing < high)).all(dim=1)


@dataclass(frozen=True)
class Joints:
    """Whether joints are beyond a limit.

    Attributes:
        fixture: Whose joints they are.
        names: Of the joints.
        compare: ``<``, ``>`` or ``>=``.
        limit: Rad or m.
        one: Whether one of them is enough.
    """

    fixture: str
    names: tuple[str, ...]
    compare: str
    limit: float
    one: bool

    def __call__(self, moment: Moment) -> torch.Tensor:
        """Whether it holds, bool (num_envs,)."""
        at = torch.stack([moment.joint(name) for name in self.names], dim=1)
        beyond = {"<": at < self.limit, ">": at > self.limit, ">=": at >= self.limit}[self.compare]
        return beyond.any(dim=1) if self.one else beyond.all(dim=1)

    def way(self, moment: Moment) -> torch.Tensor:
        """How far the joints are from the limit, rad or m, (num_envs,); 0 beyond it."""
        at = torch.stack([moment.joint(name) for name in self.names], dim=1)
        way = (at - self.limit if self.compare == "<" else self.limit - at).clamp_min(0)
        return way.amin(dim=1) if self.one else way.amax(dim=1)


def goal_tests(problem: Problem, model: mujoco.MjModel) -> tuple[Test, ...]:
    """Return the tests of a task's goal, which all have to hold, in the order of the BDDL.

    Args:
        problem: The task.
        model: Its scene, with LIBERO's names of bodies, joints and sites.

    Raises:
        ContractError: As ``predicate_test``.
    """
    return tuple(predicate_test(predicate, problem, model) for predicate in problem.goal)


def predicate_test(predicate: Predicate, problem: Problem, model: mujoco.MjModel) -> Test:
    """Return a predicate as a test.

    Raises:
        ContractError: LIBERO's classes do not decide it, or the model lacks what it names.
    """
    name, (first, *rest) = predicate.name, predicate.arguments
    if name not in ("on", "in"):
        return _joints(name, first, problem, model)
    if first not in problem.objects:
        raise _undecided(predicate, f"{first} is no object")
    (second,) = rest
    if second in problem.regions:
        region = _region(second, problem, model)
        return OnRegion(first, region) if name == "on" else InRegion(first, region)
    if name == "on":
        return OnThing(first, second)
    raise _undecided(predicate, f"{second} is no region")


def _joints(name: str, what: str, problem: Problem, model: mujoco.MjModel) -> Joints:
    """Return a test of the joints of a fixture, or of those of the body that one of its regions is a part of."""
    category, names = joints_of(what, problem, model)
    if name not in LIMITS.get(category, {}):
        raise _undecided(
            Predicate(name, (what,)), f"it is about {category or 'an object'}, and known are {', '.join(LIMITS)}"
        )
    compare, limit = LIMITS[category][name]
    fixture = problem.regions[what].target if what in problem.regions else what
    return Joints(fixture, names, compare, limit, name in _ANY)


def _region(name: str, problem: Problem, model: mujoco.MjModel) -> Region:
    """Return a region, as the model has it, by the nearest body that moves and carries it."""
    site = element(model, mujoco.mjtObj.mjOBJ_SITE, name)
    position, rotation = model.site_pos[site].copy(), _matrix(model.site_quat[site])
    body = int(model.site_bodyid[site])
    while body and not model.body_jntnum[body]:
        turn = _matrix(model.body_quat[body])
        position, rotation = model.body_pos[body] + turn @ position, turn @ rotation
        body = int(model.body_parentid[body])
    target = problem.regions[name].target
    return Region(
        name=name,
        owner=None if problem.regions[name].ranges else target,
        body=model.body(body).name if body else None,
        position=position,
        rotation=rotation,
        half_size=model.site_size[site].copy(),
    )


def _matrix(quaternion: np.ndarray) -> np.ndarray:
    matrix = np.zeros(9)
    mujoco.mju_quat2Mat(matrix, quaternion)
    return matrix.reshape(3, 3)


def _undecided(predicate: Predicate, why: str) -> ContractError:
    said = " ".join([predicate.name, *predicate.arguments])
    return ContractError(f"LIBERO's classes do not decide ({said}): {why}")
