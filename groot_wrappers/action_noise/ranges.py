"""How far the numbers of the env's action reach, as far as anybody says so: what a share of noise is a share of.

* ``NumberRange``, ``PoseRange``: that of a key of numbers, and of a key that is a pose.
* ``action_ranges``: finds them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from groot_wrappers.embodiment.action_map import target_columns
from groot_wrappers.embodiment.buffers import as_torch
from groot_wrappers.embodiment.embodiment import ActionTarget, Embodiment
from groot_wrappers.embodiment.isaaclab_env import IsaacLabEnv
from groot_wrappers.embodiment.poses import PoseColumns
from groot_wrappers.errors import raise_all

__all__ = ["NumberRange", "PoseRange", "action_ranges"]


@dataclass(frozen=True)
class NumberRange:
    """How far one column of the env's action reaches, in the env's numbers.

    Args:
        column: Of the env's action.
        width: Highest minus lowest.
        lowest, highest: What nothing is to be played beyond; infinite where only the width is known.
    """

    column: int
    width: float
    lowest: float = -math.inf
    highest: float = math.inf


@dataclass(frozen=True)
class PoseRange:
    """How far a pose reaches.

    Args:
        columns: Of the env's action, the seven of the term.
        term: What they do.
        metres, radians: How far places and turns are apart.
    """

    columns: Sequence[int]
    term: PoseColumns
    metres: float
    radians: float


def action_ranges(env: IsaacLabEnv, embodiment: Embodiment) -> tuple[list[NumberRange], list[PoseRange]]:
    """Return how far the numbers of each action key reach.

    The first that is there counts: ``reach`` of the key, ``clip`` of the key, the limits of the joint, the bounds of
    the env's action space. What a key holds is left out, and so is what opens or closes: a key with a ``threshold``, or
    a term of IsaacLab's that takes a sign. Between the two there is nothing.

    Args:
        env: The env.
        embodiment: Its ``action`` fits the env.

    Raises:
        ContractError: Of some key nobody says it; all of them are named.
    """
    numbers: list[NumberRange] = []
    poses: list[PoseRange] = []
    problems = []
    for key, target in embodiment.action.items():
        columns = target_columns(env, key, target, embodiment)
        binary = [term for term in env.action_terms.values() if "Binary" in term.kind]
        if target.hold is not None or target.threshold is not None:
            continue
        if target.rotation is not None:
            if target.reach is None:
                problems.append(_unknown(key, "it is a pose", f"{key}.reach=[0.5,1.0] (m, rad)"))
            else:
                poses.append(PoseRange(columns, env.pose_columns[str(target.term)], *target.reach))
            continue
        if isinstance(target.reach, Sequence) and len(target.reach) != len(columns):
            problems.append(
                f"embodiment.action.{key}: reach has {len(target.reach)} numbers for {len(columns)} columns."
            )
            continue
        for position, column in enumerate(columns):
            if any(term.start <= column < term.start + term.width for term in binary):
                continue
            found = _of_column(env, target, position, column, len(columns))
            if found is None:
                problems.append(
                    _unknown(key, "it drives no joint with limits", f"{key}.clip=[lowest,highest], or its reach")
                )
                break
            numbers.append(found)
    raise_all("`action_noise` is a share of how far each action reaches, which is not known:", problems)
    return numbers, poses


def _of_column(env: IsaacLabEnv, target: ActionTarget, position: int, column: int, columns: int) -> NumberRange | None:
    """Return how far one column of a key reaches, None where nobody says it."""
    joint = next((place for place in env.joint_columns.values() if place.column == column), None)
    # What a key says is said of what is commanded, but for a joint that is set through a term, in the term's numbers.
    scale, offset = (joint.scale, joint.offset) if joint is not None and target.joints else (1.0, 0.0)
    if target.reach is not None:
        reach = target.reach if isinstance(target.reach, Sequence) else [target.reach] * columns
        return NumberRange(column, abs(float(reach[position]) / scale))
    if target.clip is not None:
        return _between(column, *((bound - offset) / scale for bound in target.clip))
    if joint is not None:
        limits = as_torch(env.robots[joint.robot].data.soft_joint_pos_limits)[0, joint.joint_id]
        bounds = [(bound - joint.offset) / joint.scale for bound in limits.tolist()]
    else:
        space = getattr(env.base, "single_action_space", None)
        bounds = [float(side.flat[column]) for side in (space.low, space.high)] if space is not None else [math.inf]
    return _between(column, *bounds) if all(map(math.isfinite, bounds)) else None


def _between(column: int, one: float, other: float) -> NumberRange:
    return NumberRange(column, abs(other - one), min(one, other), max(one, other))


def _unknown(key: str, why: str, remedy: str) -> str:
    return f"embodiment.action.{key}: {why}, so that nothing says how far it reaches. Set embodiment.action.{remedy}."
