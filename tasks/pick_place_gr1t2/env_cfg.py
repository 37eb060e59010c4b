"""Configs of ``Isaac-Groot-PickPlace-GR1T2-v0`` and ``-Play-v0``: a humanoid puts a wheel into a marked zone."""

# ruff: noqa: RUF012 - configclass copies mutable defaults for each instance

from pathlib import PurePosixPath

import isaaclab.sim as sim_utils
from isaaclab.actuators import ImplicitActuatorCfg
from isaaclab.assets import ArticulationCfg, AssetBaseCfg, RigidObjectCfg
from isaaclab.envs import mdp
from isaaclab.managers import SceneEntityCfg
from isaaclab.managers import TerminationTermCfg as DoneTerm
from isaaclab.sim import SimulationCfg
from isaaclab.utils import configclass
from isaaclab.utils.assets import ISAAC_NUCLEUS_DIR, ISAACLAB_NUCLEUS_DIR
from isaaclab_newton.sim.schemas import MujocoRigidBodyCfg, NewtonArticulationCfg

from tasks.assets import gr1t2
from tasks.assets.steering_wheel import steering_wheel_usd
from tasks.common.scene_parts import (
    ResetSceneCfg,
    TableSceneCfg,
    camera,
    fixed_box,
    joint_targets,
    start,
    success_reward,
)
from tasks.gr00t_env_cfg import Gr00tEnvCfg, Gr00tStateCfg, Gr00tTerminationsCfg, joint_positions, newton_physics
from tasks.pick_place_gr1t2 import geometry
from tasks.pick_place_gr1t2.mdp import FollowerJointsActionCfg, Placed

__all__ = ["PickPlaceGR1T2EnvCfg", "PickPlaceGR1T2PlayEnvCfg"]

_JOINTS = {
    "left_arm": list(gr1t2.arm_joints("left")),
    "right_arm": list(gr1t2.arm_joints("right")),
    "left_hand": list(gr1t2.hand_joints("left")),
    "right_hand": list(gr1t2.hand_joints("right")),
    "waist": list(gr1t2.WAIST_JOINTS),
}
"""GR00T's keys of this robot, for states and for actions."""

# Robot, table and wheel of IsaacLab's registered IsaacContrib-PickPlace-GR1T2-Abs, on NVIDIA's asset server.
_NUCLEUS_ROBOT = (
    f"{ISAAC_NUCLEUS_DIR}/Robots/FourierIntelligence/GR-1/GR1T2_fourier_hand_6dof/GR1T2_fourier_hand_6dof.usd"
)
_NUCLEUS_HEAD = "head_pitch_link"
_NUCLEUS_LEGS = ImplicitActuatorCfg(
    joint_names_expr=[".*_hip_.*", ".*_knee_.*", ".*_ankle_.*"], stiffness=1000.0, damping=50.0, armature=0.1
)
_NUCLEUS_TABLE = f"{ISAAC_NUCLEUS_DIR}/Props/PackingTable/packing_table.usd"
_NUCLEUS_TABLE_POSITION = (0.0, 0.55, 0.0)
_NUCLEUS_WHEEL = f"{ISAACLAB_NUCLEUS_DIR}/Mimic/pick_place_task/pick_place_assets/steering_wheel.usd"
_NUCLEUS_WHEEL_SCALE = (0.75, 0.75, 0.75)
_NUCLEUS_WHEEL_HEIGHT = 0.9996


@configclass
class PickPlaceSceneCfg(TableSceneCfg):
    """Robot, table, wheel, marked zone and the head camera."""

    ground = fixed_box("Ground", (20.0, 20.0, 0.1), (0.22, 0.24, 0.27), centre=(0.0, 0.0, -0.05))
    table = fixed_box("Table", (1.8, 0.6, 0.05), (0.62, 0.55, 0.46), centre=(0.0, 0.55, geometry.TABLE_HEIGHT - 0.025))
    # As flat as paint: the wheel stands on the table.
    zone = fixed_box(
        "Zone",
        (geometry.ZONE_SIDE, geometry.ZONE_SIDE, geometry.ZONE_THICKNESS),
        (0.15, 0.40, 0.70),
        centre=(*geometry.ZONE_CENTRE, geometry.TABLE_HEIGHT),
        collides=False,
    )
    robot = ArticulationCfg(
        prim_path="{ENV_REGEX_NS}/Robot",
        spawn=sim_utils.UsdFileCfg(
            rigid_props=[MujocoRigidBodyCfg(gravcomp=1.0)],
            articulation_props=[NewtonArticulationCfg(self_collision_enabled=False)],
        ),
        init_state=ArticulationCfg.InitialStateCfg(
            pos=geometry.ROBOT_POSITION,
            rot=geometry.ROBOT_QUATERNION,
            joint_pos=dict(zip(_JOINTS["left_arm"] + _JOINTS["right_arm"], geometry.START_ARM * 2, strict=True)),
        ),
        actuators={
            "waist": ImplicitActuatorCfg(joint_names_expr=["waist_.*"], stiffness=4400.0, damping=200.0, armature=0.1),
            "head": ImplicitActuatorCfg(joint_names_expr=["head_.*"], stiffness=100.0, damping=5.0, armature=0.02),
            "arms": ImplicitActuatorCfg(
                joint_names_expr=[".*_shoulder_.*", ".*_elbow_.*", ".*_wrist_.*"],
                stiffness=1000.0,
                damping=60.0,
                armature=0.05,
            ),
            # Weak, as the real hands are: stronger ones throw the wheel out of their grip.
            "hands": ImplicitActuatorCfg(
                joint_names_expr=["[LR]_.*"], stiffness=3.0, damping=0.15, armature=0.003, joint_effort_limit=1.5
            ),
        },
    )
    object = RigidObjectCfg(
        prim_path="{ENV_REGEX_NS}/Object",
        spawn=sim_utils.UsdFileCfg(),
        init_state=RigidObjectCfg.InitialStateCfg(pos=geometry.WHEEL_START),
    )
    ego_view = camera("{ENV_REGEX_NS}/Robot/" + gr1t2.HEAD_PRIM + "/EgoView", geometry.EYES, near=0.05)


@configclass
class ActionsCfg:
    """Absolute joint targets, rad: 29 in all. The outer finger joints take none; they follow."""

    left_arm = joint_targets(_JOINTS["left_arm"])
    right_arm = joint_targets(_JOINTS["right_arm"])
    left_hand = joint_targets(_JOINTS["left_hand"])
    right_hand = joint_targets(_JOINTS["right_hand"])
    waist = joint_targets(_JOINTS["waist"])
    followers = FollowerJointsActionCfg(asset_name="robot", followers=dict(gr1t2.FOLLOWERS))


@configclass
class StatesCfg(Gr00tStateCfg):
    """Joint positions, rad, by GR00T's keys."""

    left_arm = joint_positions(_JOINTS["left_arm"])
    right_arm = joint_positions(_JOINTS["right_arm"])
    left_hand = joint_positions(_JOINTS["left_hand"])
    right_hand = joint_positions(_JOINTS["right_hand"])
    waist = joint_positions(_JOINTS["waist"])


@configclass
class ObservationsCfg:
    """One group, ``policy``."""

    policy: StatesCfg = StatesCfg()


@configclass
class EventsCfg(ResetSceneCfg):
    """The robot back at its start, the wheel somewhere new."""

    place_wheel = start(geometry.WHEEL_START_RANGE)


@configclass
class RewardsCfg:
    """1 for an episode that succeeds, else 0."""

    success = success_reward(control_hz=20)


@configclass
class TerminationsCfg(Gr00tTerminationsCfg):
    """Success ends an episode, and so do time and a wheel that has fallen off the table."""

    success = DoneTerm(
        func=Placed,
        params={
            "asset_cfg": SceneEntityCfg("object"),
            "hands_cfg": SceneEntityCfg("robot", body_names=["left_hand_pitch_link", "right_hand_pitch_link"]),
            "centre": geometry.ZONE_CENTRE,
            "half_side": geometry.ZONE_SIDE / 4,
            "lift": 0.05,
            "let_go": 0.26,
            "duration": 0.5,
        },
    )
    dropped = DoneTerm(
        func=mdp.root_height_below_minimum, params={"minimum_height": 0.5, "asset_cfg": SceneEntityCfg("object")}
    )


@configclass
class PickPlaceGR1T2EnvCfg(Gr00tEnvCfg):
    """``Isaac-Groot-PickPlace-GR1T2-v0``: control at 20 Hz, episodes of at most 1000 control steps."""

    camera_keys = ["ego_view"]
    state_keys = list(_JOINTS)
    action_keys = dict(_JOINTS)
    instruction = "pick up the steering wheel and place it on the blue square"
    view = (1.9, 1.6, 1.8), (0.0, 0.3, 1.0)

    scene: PickPlaceSceneCfg = PickPlaceSceneCfg(num_envs=1, env_spacing=0.0)
    observations: ObservationsCfg = ObservationsCfg()
    actions: ActionsCfg = ActionsCfg()
    events: EventsCfg = EventsCfg()
    rewards: RewardsCfg = RewardsCfg()
    terminations: TerminationsCfg = TerminationsCfg()
    decimation = 6
    episode_length_s = 1000 / 20
    sim: SimulationCfg = SimulationCfg(
        dt=1 / 120,
        device="cpu",
        # A hand about a rim touches it in many places at once.
        physics=newton_physics(njmax=400, nconmax=120, iterations=30, ls_iterations=50),
    )

    def use_assets(self, assets: str) -> None:
        """Take a robot and a wheel that are built here (``embedded``), or NVIDIA's with their table (``nucleus``).

        Raises:
            ValueError: Neither of the two.
            AssetError: The package that ``embedded`` is built from is missing.
        """
        robot, wheel = self.scene.robot, self.scene.object
        camera = PurePosixPath(self.scene.ego_view.prim_path).name
        if assets == "embedded":
            robot.spawn.usd_path, head = str(gr1t2.gr1t2_usd()), gr1t2.HEAD_PRIM
            wheel.spawn = sim_utils.UsdFileCfg(usd_path=str(steering_wheel_usd()))
        elif assets == "nucleus":
            robot.spawn.usd_path, head = _NUCLEUS_ROBOT, _NUCLEUS_HEAD
            robot.actuators["legs"] = _NUCLEUS_LEGS
            wheel.spawn = sim_utils.UsdFileCfg(usd_path=_NUCLEUS_WHEEL, scale=_NUCLEUS_WHEEL_SCALE)
            self.scene.table = AssetBaseCfg(
                prim_path=self.scene.table.prim_path,
                spawn=sim_utils.UsdFileCfg(
                    usd_path=_NUCLEUS_TABLE, rigid_props=sim_utils.UsdPhysicsRigidBodyCfg(kinematic_enabled=True)
                ),
                init_state=AssetBaseCfg.InitialStateCfg(pos=_NUCLEUS_TABLE_POSITION),
            )
            x, y, _ = wheel.init_state.pos
            wheel.init_state.pos = (x, y, _NUCLEUS_WHEEL_HEIGHT)
        else:
            raise ValueError(f"Unknown assets {assets!r}. Set task.assets=embedded or task.assets=nucleus")
        self.assets = assets
        self.scene.ego_view.prim_path = str(PurePosixPath(robot.prim_path) / head / camera)


@configclass
class PickPlaceGR1T2PlayEnvCfg(PickPlaceGR1T2EnvCfg):
    """``Isaac-Groot-PickPlace-GR1T2-Play-v0``: the same with 4 envs."""

    scene: PickPlaceSceneCfg = PickPlaceSceneCfg(num_envs=4, env_spacing=0.0)
