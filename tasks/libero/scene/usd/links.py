"""What moves as one: ``links_of`` bodies, each with all that is fixed to it."""

from dataclasses import dataclass, field
from typing import Any

import mujoco
import numpy as np

from tasks.libero.scene.usd.poses import IDENTITY, Pose, compose_poses, rotation_matrix

__all__ = ["Link", "Weight", "links_of", "weigh"]


@dataclass
class Link:
    """A body that moves by itself, or the one that an asset begins with.

    Attributes:
        body: Its number in the model.
        parent: The link that it is joined to; None for the first.
        at: Its pose in that link's frame.
        pose: Its pose in the asset's frame.
        bodies: Itself and what is fixed to it, each with its pose in the link's frame.
        path: Of its prim.
    """

    body: int
    parent: "Link | None"
    at: Pose
    pose: Pose
    bodies: list[tuple[int, Pose]] = field(default_factory=list)
    path: str = ""


@dataclass(frozen=True)
class Weight:
    """Mass, kg, its centre in the link's frame, m, moments about its axes, kg m2, and their quaternion w, x, y, z."""

    mass: float
    centre: np.ndarray
    moments: np.ndarray
    axes: np.ndarray


def links_of(model: mujoco.MjModel, bodies: list[int], *, is_fixed: bool) -> list[Link]:
    """Return the links of an asset.

    Bodies that weigh something and have no joint stay links of their own below a moving one: MuJoCo's drag acts on each
    body's own box of inertia, so that a wrist merged into the last link would be braked by less.

    Args:
        model: The model.
        bodies: Those at the top of the asset.
        is_fixed: Whether none of it moves, and the asset's frame is the world's; else it is that of the one body.
    """
    base = Link(bodies[0], None, IDENTITY, IDENTITY)
    links = [base]
    for body in bodies:
        _gather(model, body, _body_pose(model, body) if is_fixed else IDENTITY, base, links)
    return links


def weigh(model: mujoco.MjModel, link: Link) -> Weight:
    """Return what a link's bodies weigh together."""
    total = float(sum(model.body_mass[body] for body, _ in link.bodies))
    parts = [(body, compose_poses(pose, (model.body_ipos[body], model.body_iquat[body]))) for body, pose in link.bodies]
    centre = sum((model.body_mass[body] * pose[0] for body, pose in parts), np.zeros(3)) / total
    inertia = np.zeros((3, 3))
    for body, (position, quaternion) in parts:
        turned, away = rotation_matrix(quaternion), position - centre
        inertia += turned @ np.diag(model.body_inertia[body]) @ turned.T
        inertia += model.body_mass[body] * (away @ away * np.eye(3) - np.outer(away, away))
    moments, axes = np.linalg.eigh(inertia)
    axes[:, 0] *= np.sign(np.linalg.det(axes))
    quaternion = np.zeros(4)
    mujoco.mju_mat2Quat(quaternion, axes.ravel())
    return Weight(total, centre, moments, quaternion)


def _gather(model: mujoco.MjModel, body: int, pose: Pose, link: Link, links: list[Link]) -> None:
    link.bodies.append((body, pose))
    if body == 0:  # each other body is below the world
        return
    for child in children_of(model, body):
        here = compose_poses(pose, _body_pose(model, child))
        if model.body_jntnum[child] or (link.parent is not None and model.body_mass[child] > 0):
            links.append(Link(child, link, here, compose_poses(link.pose, here)))
            _gather(model, child, IDENTITY, links[-1], links)
        else:
            _gather(model, child, here, link, links)


def children_of(model: mujoco.MjModel, body: int) -> list[int]:
    """Return the bodies that hang on a body."""
    return [child for child in range(1, model.nbody) if model.body_parentid[child] == body]


def _body_pose(model: mujoco.MjModel, body: int) -> Pose:
    position: Any = model.body_pos[body]
    return position, model.body_quat[body]
