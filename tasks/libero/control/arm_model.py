"""What the controller knows of an arm, read from the ``MjModel`` that the solver made of the scene."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
import warp as wp

from tasks.libero.control.kernels import Arm, Links, Mat33, Quat, Real, Vec3
from tasks.libero.scene.compose import REST_JOINTS

__all__ = ["PANDA", "ArmNames", "arm_model", "ending", "links_of"]

JOINTS = 7


@dataclass(frozen=True)
class ArmNames:
    """What is what in a scene; a name is found by its ending, as Newton puts the path of a body before it.

    Attributes:
        joints: The seven joints, from the base on.
        tool: The body that has the point which is moved.
        tool_position: Where on that body the point is, metres.
        hand: The body whose rotation is told.
        rest: Where the seven joints are after a reset, and would rather be ever after, rad.
        torque: The most that each of the seven gives, N m.
    """

    joints: tuple[str, ...]
    tool: str
    tool_position: tuple[float, float, float]
    hand: str
    rest: tuple[float, ...]
    torque: tuple[float, ...]


PANDA = ArmNames(
    joints=tuple(f"robot0_joint{number}" for number in range(1, JOINTS + 1)),
    tool="gripper0_right_gripper",
    tool_position=(0.0, 0.0, 0.097),  # robosuite's grip_site
    hand="robot0_right_hand",
    rest=REST_JOINTS,
    torque=(80.0,) * 5 + (12.0,) * 2,
)


def arm_model(
    model: mujoco.MjModel,
    columns: Sequence[str],
    names: ArmNames = PANDA,
    origin: Sequence[float] = (0.0, 0.0, 0.0),
    device: str = "cpu",
) -> Arm:
    """Return the arm's kinematics, masses and armature, with all that its last link carries.

    Args:
        model: One env's.
        columns: The robot's joints in the order of the arrays that the kernels read and write.
        names: What is what in it.
        origin: Of the env whose model this is, metres.
        device: Where the kernels run.

    Raises:
        ValueError: A name is not there, or not once; or the arm is of another kind than the kernels compute.
    """
    bodies = _bodies(model, names)
    where = {body: number for number, body in enumerate(bodies)}
    parents = [where.get(int(model.body_parentid[body]), -1) for body in bodies]
    above = list(range(1, JOINTS + 1))
    above += [JOINTS] * (len(bodies) - JOINTS)
    joints = [model.joint(model.body_jntadr[body]) if model.body_jntnum[body] else None for body in bodies]
    axes = [np.zeros(3) if joint is None else joint.axis for joint in joints]
    slides = [joint is not None and joint.type[0] == mujoco.mjtJoint.mjJNT_SLIDE for joint in joints]
    inertias = [_turned(model.body_inertia[body], model.body_iquat[body]) for body in bodies]
    data = mujoco.MjData(model)
    data.qpos[model.jnt_qposadr[model.body_jntadr[bodies[:JOINTS]]]] = names.rest
    mujoco.mj_kinematics(model, data)
    base, hand, tool = model.body_parentid[bodies[0]], _body(model, names.hand), _body(model, names.tool)

    def array(values: Iterable[object], dtype: type) -> wp.array[Any]:
        return wp.array(np.array(list(values)), dtype=dtype, device=device)

    arm = Arm()
    arm.base_position = Vec3(*(data.xpos[base] - np.asarray(origin)))
    arm.base_rotation = Quat(*_xyzw(data.xquat[base]))
    arm.gravity = Vec3(*model.opt.gravity)
    arm.parent = array(parents, wp.int32)
    arm.column = array((-1 if joint is None else _column(columns, joint.name) for joint in joints), wp.int32)
    arm.slides = array(slides, wp.int32)
    arm.above = array(above, wp.int32)
    arm.position = array(model.body_pos[bodies], Vec3)
    arm.rotation = array((_xyzw(model.body_quat[body]) for body in bodies), Quat)
    arm.axis = array(axes, Vec3)
    arm.mass = array(model.body_mass[bodies], Real)
    arm.centre = array(model.body_ipos[bodies], Vec3)
    arm.inertia = array(inertias, Mat33)
    arm.armature = array((model.dof_armature[model.body_dofadr[body]] for body in bodies[:JOINTS]), Real)
    arm.torque = array(names.torque, Real)
    arm.rest = array(names.rest, Real)
    arm.tool, arm.tool_position = wp.int32(where[tool]), Vec3(*names.tool_position)
    # A quaternion and its negative are one rotation but not one state: robosuite's has an x above 0 at rest.
    arm.hand, arm.hand_sign = wp.int32(where[hand]), np.copysign(1.0, data.xquat[hand][1])
    return arm


def links_of(arm: Arm, worlds: int, device: str = "cpu") -> Links:
    """Return room for what the kernels find out of the arm in each of ``worlds``."""
    shape = (worlds, arm.parent.shape[0])
    links = Links()
    links.rotation = wp.zeros(shape, dtype=Quat, device=device)
    for name in ("position", "axis", "speed", "spin", "speeding", "spinning"):
        setattr(links, name, wp.zeros(shape, dtype=Vec3, device=device))
    return links


def ending(names: Iterable[str], wanted: str) -> str:
    """Return the one of ``names`` that is ``wanted``, or ends with it after a path.

    Raises:
        ValueError: There is none, or more than one.
    """
    found = [name for name in names if name == wanted or name.endswith((f"_{wanted}", f"/{wanted}"))]
    if len(found) != 1:
        raise ValueError(f"{wanted!r} is to be one of the scene's names, and is {found}; there are {sorted(names)}")
    return found[0]


def _bodies(model: mujoco.MjModel, names: ArmNames) -> list[int]:
    """Return the seven links and all below the last, parents first."""
    labels = [model.joint(number).name for number in range(model.njnt)]
    joints = [model.joint(ending(labels, name)) for name in names.joints]
    chain = [int(model.jnt_bodyid[joint.id]) for joint in joints]
    below = [body for body in range(model.nbody) if body not in chain and _is_below(model, body, chain[-1])]
    for body in [*chain, *below]:
        first, count = model.body_jntadr[body], model.body_jntnum[body]
        kind = mujoco.mjtJoint.mjJNT_HINGE if body in chain else mujoco.mjtJoint.mjJNT_SLIDE
        if count > 1 or (count and (model.jnt_type[first] != kind or model.jnt_pos[first].any())):
            raise ValueError(f"the joint of {model.body(body).name!r} is none that turns or slides through its origin")
    if [int(model.body_parentid[body]) for body in chain[1:]] != chain[:-1]:
        raise ValueError(f"the links of {names.joints} are not one after the other")
    return [*chain, *below]


def _is_below(model: mujoco.MjModel, body: int, top: int) -> bool:
    while body > top:
        body = int(model.body_parentid[body])
    return body == top


def _body(model: mujoco.MjModel, name: str) -> int:
    return int(model.body(ending([model.body(number).name for number in range(model.nbody)], name)).id)


def _column(columns: Sequence[str], joint: str) -> int:
    (column,) = (number for number, name in enumerate(columns) if joint == name or joint.endswith(f"_{name}"))
    return column


def _turned(moments: np.ndarray, quaternion: np.ndarray) -> np.ndarray:
    axes = np.zeros(9)
    mujoco.mju_quat2Mat(axes, quaternion)
    return axes.reshape(3, 3) @ np.diag(moments) @ axes.reshape(3, 3).T


def _xyzw(quaternion: np.ndarray) -> np.ndarray:
    return np.roll(quaternion, -1)
