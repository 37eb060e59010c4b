"""Configs of ``Isaac-Groot-Lift-Cube-Franka-v0`` and ``-Play-v0``: a Panda at a table lifts a red cube."""

# ruff: noqa: RUF012 - configclass copies mutable defaults for each instance

from pathlib import PurePosixPath

import isaaclab.sim as sim_utils
from isaaclab.actuators import ImplicitActuatorCfg
from isaaclab.assets import ArticulationCfg, RigidObjectCfg
from isaaclab.managers import SceneEntityCfg
from isaaclab.managers import TerminationTermCfg as DoneTerm
from isaaclab.utils import configclass
from isaaclab.utils.assets import ISAACLAB_NUCLEUS_DIR
from isaaclab_newton.sim.schemas import MujocoRigidBodyCfg, NewtonArticulationCfg

from tasks.assets import panda
from tasks.common.scene_parts import (
    ResetSceneCfg,
    TableSceneCfg,
    box,
    camera,
    fixed_box,
    joint_targets,
    start,
    success_reward,
)
from tasks.gr00t_env_cfg import Gr00tEnvCfg, Gr00tStateCfg, Gr00tTerminationsCfg, joint_positions
from tasks.lift_cube_franka import geometry
from tasks.lift_cube_franka.mdp import HeldAbove

__all__ = ["LiftCubeFrankaEnvCfg", "LiftCubeFrankaPlayEnvCfg"]

_ARM = ["panda_joint.*"]
_FINGERS = ["panda_finger_joint.*"]

_NUCLEUS_PANDA = f"{ISAACLAB_NUCLEUS_DIR}/Robots/FrankaEmika/franka_panda.usda"
_NUCLEUS_VARIANTS = {"Physics": "mujoco", "Colliders": "gripper_only"}
_NUCLEUS_HAND = "panda_hand"


@configclass
class LiftCubeSceneCfg(TableSceneCfg):
    """Robot at the origin, table top at z = 0, the cube on it, and two cameras."""

    ground = fixed_box("Ground", (20.0, 20.0, 0.1), (0.22, 0.24, 0.27), centre=(0.0, 0.0, -0.85))
    table = fixed_box("Table", (1.0, 1.2, 0.05), (0.62, 0.55, 0.46), centre=(0.35, 0.0, -0.025))
    robot = ArticulationCfg(
        prim_path="{ENV_REGEX_NS}/Robot",
        spawn=sim_utils.UsdFileCfg(
            # Without gravity compensation the arm sags below its targets by centimetres.
            rigid_props=[MujocoRigidBodyCfg(gravcomp=1.0)],
            # Hulls of neighbouring links overlap.
            articulation_props=[NewtonArticulationCfg(self_collision_enabled=False)],
        ),
        init_state=ArticulationCfg.InitialStateCfg(
            joint_pos=dict(zip(panda.ARM_JOINTS + panda.FINGER_JOINTS, geometry.START_JOINTS, strict=True))
        ),
        actuators={
            "arm": ImplicitActuatorCfg(joint_names_expr=_ARM, stiffness=400.0, damping=80.0, armature=0.1),
            "hand": ImplicitActuatorCfg(joint_names_expr=_FINGERS, stiffness=350.0, damping=175.0, armature=0.1),
        },
    )
    object = RigidObjectCfg(
        prim_path="{ENV_REGEX_NS}/Object",
        spawn=box((geometry.CUBE_SIDE,) * 3, (0.85, 0.08, 0.06), mass=0.1),
        init_state=RigidObjectCfg.InitialStateCfg(pos=geometry.CUBE_START),
    )
    scene_camera = camera("{ENV_REGEX_NS}/SceneCamera", geometry.SCENE_CAMERA, near=0.1)
    wrist_camera = camera("{ENV_REGEX_NS}/Robot/" + panda.HAND_PRIM + "/WristCamera", geometry.WRIST_CAMERA, near=0.01)


@configclass
class ActionsCfg:
    """Absolute joint targets, rad and m; the policy's one key ``joint_positions`` fills both terms."""

    arm_action = joint_targets(_ARM)
    gripper_action = joint_targets(_FINGERS)


@configclass
class StatesCfg(Gr00tStateCfg):
    """What GR00T knows of the robot beside pictures: ``joint_positions`` (9)."""

    joint_positions = joint_positions(_ARM + _FINGERS)


@configclass
class ObservationsCfg:
    """One group, ``policy``."""

    policy: StatesCfg = StatesCfg()


@configclass
class EventsCfg(ResetSceneCfg):
    """The robot back at its start, the cube somewhere new."""

    place_cube = start(geometry.CUBE_START_RANGE)


@configclass
class RewardsCfg:
    """1 for an episode that succeeds, else 0."""

    success = success_reward(control_hz=30)


@configclass
class TerminationsCfg(Gr00tTerminationsCfg):
    """Success ends an episode, time does too."""

    success = DoneTerm(func=HeldAbove, params={"asset_cfg": SceneEntityCfg("object"), "height": 0.10, "duration": 0.5})


@configclass
class LiftCubeFrankaEnvCfg(Gr00tEnvCfg):
    """``Isaac-Groot-Lift-Cube-Franka-v0``: control at 30 Hz, episodes of at most 1000 control steps."""

    camera_keys = ["wrist_camera", "scene_camera"]
    state_keys = ["joint_positions"]
    action_keys = {"joint_positions": _ARM + _FINGERS}
    instruction = "pick up the cube"
    view = (1.7, -1.3, 0.9), (0.35, 0.0, 0.25)

    scene: LiftCubeSceneCfg = LiftCubeSceneCfg(num_envs=1, env_spacing=0.0)
    observations: ObservationsCfg = ObservationsCfg()
    actions: ActionsCfg = ActionsCfg()
    events: EventsCfg = EventsCfg()
    rewards: RewardsCfg = RewardsCfg()
    terminations: TerminationsCfg = TerminationsCfg()
    episode_length_s = 1000 / 30

    def use_assets(self, assets: str) -> None:
        """Take the Panda built from a wheel (``embedded``) or NVIDIA's from its asset server (``nucleus``).

        Raises:
            ValueError: Neither of the two.
            AssetError: The wheel that ``embedded`` is built from is missing.
        """
        if assets == "embedded":
            usd_path, variants, hand = str(panda.panda_usd()), None, panda.HAND_PRIM
        elif assets == "nucleus":
            usd_path, variants, hand = _NUCLEUS_PANDA, dict(_NUCLEUS_VARIANTS), _NUCLEUS_HAND
        else:
            raise ValueError(f"Unknown assets {assets!r}. Set task.assets=embedded or task.assets=nucleus")
        self.assets = assets
        self.scene.robot.spawn.usd_path = usd_path
        self.scene.robot.spawn.variants = variants
        self.scene.wrist_camera.prim_path = str(
            PurePosixPath(self.scene.robot.prim_path) / hand / PurePosixPath(self.scene.wrist_camera.prim_path).name
        )


@configclass
class LiftCubeFrankaPlayEnvCfg(LiftCubeFrankaEnvCfg):
    """``Isaac-Groot-Lift-Cube-Franka-Play-v0``: the same with 16 envs."""

    scene: LiftCubeSceneCfg = LiftCubeSceneCfg(num_envs=16, env_spacing=0.0)
