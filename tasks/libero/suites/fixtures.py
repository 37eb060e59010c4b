"""What LIBERO's classes know of fixtures that have joints: where they count as open or on, and where they begin.

* ``LIMITS``, ``STARTS``: by a fixture's category and the name of a predicate.
* ``joints_of``: the joints that a predicate is about.
* ``GLOWING``, ``burner_of``: what glows while it is on.
"""

import mujoco

from groot_wrappers.errors import ContractError
from tasks.libero.suites.bddl import Problem

__all__ = ["GLOWING", "LIMITS", "STARTS", "burner_of", "element", "joints_of", "main_body"]

LIMITS: dict[str, dict[str, tuple[str, float]]] = {
    "wooden_cabinet": {"open": ("<", -0.14), "close": (">", 0.0)},
    "white_cabinet": {"open": ("<", -0.14), "close": (">", 0.0)},
    "microwave": {"open": ("<", -1.3), "close": (">", -0.005)},
    "flat_stove": {"turnon": (">=", 0.5), "turnoff": ("<", 0.0)},
}
"""Where joints have to be for a predicate to hold, m or rad."""

STARTS: dict[str, dict[str, tuple[float, float]]] = {
    "wooden_cabinet": {"open": (-0.16, -0.14), "close": (0.0, 0.005)},
    "white_cabinet": {"open": (-0.16, -0.14), "close": (0.0, 0.005)},
    "microwave": {"open": (-2.094, -1.3), "close": (-0.005, 0.0)},
    "flat_stove": {"turnon": (0.5, 2.1), "turnoff": (-0.005, 0.0)},
}
"""What a joint is drawn from where the predicate holds at the start, m or rad."""

GLOWING = "flat_stove"
"""The category that LIBERO shows a site of while ``turnon`` holds."""
_BURNER = "_burner"


def burner_of(site: str) -> str | None:
    """Return the stove that a site is the burner of; None for another site."""
    return site.removesuffix(_BURNER) if site.endswith(_BURNER) else None


def main_body(thing: str) -> str:
    """Return the name of the body that a thing or fixture is in MuJoCo."""
    return f"{thing}_main"


def joints_of(what: str, problem: Problem, model: mujoco.MjModel) -> tuple[str, tuple[str, ...]]:
    """Return the category of a fixture, and the joints of all of it or of the part that a region of it belongs to.

    Args:
        what: The fixture, or a region of it: ``wooden_cabinet_1_top_region``.
        problem: The task.
        model: Its scene.

    Raises:
        ContractError: The model has no joints there.
    """
    fixture = problem.regions[what].target if what in problem.regions else what
    if what in problem.regions:
        bodies = [int(model.site_bodyid[element(model, mujoco.mjtObj.mjOBJ_SITE, what)])]
    else:
        root = element(model, mujoco.mjtObj.mjOBJ_BODY, main_body(fixture))
        bodies = [body for body in range(model.nbody) if model.body_rootid[body] == root]
    names = tuple(model.joint(joint).name for joint in range(model.njnt) if model.jnt_bodyid[joint] in bodies)
    if not names:
        raise ContractError(f"{what} has no joints in the model of the scene")
    return problem.fixtures.get(fixture, ""), names


def element(model: mujoco.MjModel, kind: mujoco.mjtObj, name: str) -> int:
    """Return the number of a model's element.

    Raises:
        ContractError: It has none of that name.
    """
    number: int = mujoco.mj_name2id(model, kind, name)
    if number < 0:
        raise ContractError(f"The model of the scene has no {kind.name.removeprefix('mjOBJ_').lower()} {name!r}")
    return number
