"""LIBERO's scene as IsaacLab spawns it: ``scene_cfg`` of a task, with robosuite's two cameras in MuJoCo's light."""

import mujoco
import numpy as np
from isaaclab.actuators import ImplicitActuatorCfg
from isaaclab.assets import ArticulationCfg, AssetBaseCfg, RigidObjectCfg
from isaaclab.scene import InteractiveSceneCfg
from isaaclab.sensors import CameraCfg
from isaaclab.sim import DomeLightCfg, PinholeCameraCfg, UsdFileCfg
from isaaclab.utils import configclass
from isaaclab_newton.sim.schemas import NewtonArticulationCfg

from tasks.common.mujoco_look import MujocoLook, MujocoLookRendererCfg, look_of
from tasks.libero.scene.asset import ScenePart, libero_scene
from tasks.libero.scene.rest import official_rests

__all__ = ["FINGERS", "IMAGE_SIZE", "ROBOT_BODY", "entity_name", "robot_actuators", "scene_cfg"]

IMAGE_SIZE = 256
"""Height and width of both pictures, pixels, as LIBERO's evaluations have them."""

ROBOT_BODY = "robot0_base"
"""The robot's topmost body."""
FINGERS = ("gripper0_finger_joint1", "gripper0_finger_joint2")

_APERTURE = 20.955
"""Of both cameras, mm; IsaacLab's own."""
_NEAR, _FAR = 0.001, 20.0
"""What is nearer or further is not drawn, m."""
_FINGER_STIFFNESS, _FINGER_FORCE, _ARM_TORQUE = 1000.0, 20.0, 80.0


@configclass
class LiberoSceneCfg(InteractiveSceneCfg):
    """Cameras and a light; ``scene_cfg`` adds the robot, which is called ``robot``, and the things of a task."""

    light = AssetBaseCfg(prim_path="/World/Light", spawn=DomeLightCfg(intensity=1000.0))
    """For other cameras than these two."""


def scene_cfg(suite: str, index: int, num_envs: int = 1) -> LiberoSceneCfg:
    """Return the scene of a task, the same in each env. What is not written yet is.

    Args:
        suite: As ``libero_task`` takes it.
        index: Likewise.
        num_envs: Number of envs.

    Raises:
        ContractError: There is no such task.
        AssetError: The wheels' data or a package are missing, or are not as they should be.
    """
    scene = libero_scene(suite, index)
    cfg = LiberoSceneCfg(num_envs=num_envs, env_spacing=0.0)
    first = official_rests(scene)[0]  # the solver's room for contacts is measured by how the scene is spawned
    for part in scene.parts:
        setattr(cfg, entity_name(part.name), _spawned(part, scene.model, first))
    look = look_of(scene.model)
    cfg.scene_camera = _camera(scene.model, "agentview", look)
    cfg.wrist_camera = _camera(scene.model, "robot0_eye_in_hand", look)
    return cfg


def entity_name(body: str) -> str:
    """Return what a part is called in the scene: the robot ``robot``, others as the BDDL calls them."""
    return "robot" if body == ROBOT_BODY else body.removesuffix("_main")


def _spawned(part: ScenePart, model: mujoco.MjModel, qpos: np.ndarray) -> AssetBaseCfg:
    path, spawn = "{ENV_REGEX_NS}/" + part.name, UsdFileCfg(usd_path=str(part.usd))
    if part.kind == "static":
        return AssetBaseCfg(prim_path=path, spawn=spawn)
    if part.kind == "free":
        first = int(model.jnt_qposadr[model.body_jntadr[model.body(part.name).id]])
        x, y, z, w, i, j, k = qpos[first : first + 7].tolist()
        at = RigidObjectCfg.InitialStateCfg(pos=(x, y, z), rot=(i, j, k, w))
        return RigidObjectCfg(prim_path=path, spawn=spawn, init_state=at)
    # Finger pads touch when they close on nothing.
    spawn = spawn.replace(articulation_props=[NewtonArticulationCfg(self_collision_enabled=True)])
    joints = _joints_of(model, part.name)
    start = {joint.name: float(np.clip(qpos[joint.qposadr[0]], *joint.range)) for joint in joints}
    return ArticulationCfg(
        prim_path=path,
        spawn=spawn,
        init_state=ArticulationCfg.InitialStateCfg(pos=part.position, rot=part.quaternion, joint_pos=start),
        actuators=robot_actuators(model) if part.name == ROBOT_BODY else _passive(),
    )


def _joints_of(model: mujoco.MjModel, top: str) -> list[mujoco._structs._MjModelJointViews]:
    root = model.body(top).id
    return [model.joint(number) for number in range(model.njnt) if model.body_rootid[model.jnt_bodyid[number]] == root]


def robot_actuators(model: mujoco.MjModel) -> dict[str, ImplicitActuatorCfg]:
    """Return what MuJoCo's actuators and joints have; damping is in the USD, as the actuators' would come on top."""
    arm = [model.joint(f"robot0_joint{number}") for number in range(1, 8)]
    fingers = [model.joint(name) for name in FINGERS]

    def of(joints: list[mujoco._structs._MjModelJointViews], what: str) -> dict[str, float]:
        return {joint.name: float(getattr(joint, what)[0]) for joint in joints}

    return {
        "arm": ImplicitActuatorCfg(
            joint_names_expr=["robot0_joint.*"],
            stiffness=0.0,
            damping=0.0,
            effort_limit_sim=_ARM_TORQUE,
            armature=of(arm, "armature"),
            friction=of(arm, "frictionloss"),
        ),
        "fingers": ImplicitActuatorCfg(
            joint_names_expr=list(FINGERS),
            stiffness=_FINGER_STIFFNESS,
            damping=0.0,
            effort_limit_sim=_FINGER_FORCE,
            armature=of(fingers, "armature"),
            friction=of(fingers, "frictionloss"),
        ),
    }


def _passive() -> dict[str, ImplicitActuatorCfg]:
    return {"all": ImplicitActuatorCfg(joint_names_expr=[".*"], stiffness=0.0, damping=None)}


def _camera(model: mujoco.MjModel, name: str, look: MujocoLook) -> CameraCfg:
    """Return a camera of the model: in the env's frame, or below the link that carries it."""
    seen = model.camera(name)
    body = int(seen.bodyid[0])
    under = "" if body == 0 else f"{ROBOT_BODY}/{model.body(body).name}/"
    focal = _APERTURE / 2 / np.tan(np.radians(float(seen.fovy[0])) / 2)
    w, x, y, z = (seen.quat / np.linalg.norm(seen.quat)).tolist()
    return CameraCfg(
        prim_path="{ENV_REGEX_NS}/" + under + name,
        offset=CameraCfg.OffsetCfg(pos=tuple(seen.pos.tolist()), rot=(x, y, z, w), convention="opengl"),
        data_types=["rgb"],
        height=IMAGE_SIZE,
        width=IMAGE_SIZE,
        spawn=PinholeCameraCfg(focal_length=float(focal), horizontal_aperture=_APERTURE, clipping_range=(_NEAR, _FAR)),
        # Without this a camera under a moving link stays where it was at the start.
        update_latest_camera_pose=True,
        renderer_cfg=MujocoLookRendererCfg(look=look, enable_textures=True),
    )
