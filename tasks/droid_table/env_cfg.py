"""Config of ``Isaac-Groot-Droid-Table-v0``: DROID's robot and cameras at a table with everyday things."""

# ruff: noqa: RUF012 - configclass copies mutable defaults for each instance

from collections.abc import Sequence

import isaaclab.sim as sim_utils
from isaaclab.actuators import ImplicitActuatorCfg
from isaaclab.assets import ArticulationCfg, AssetBaseCfg, RigidObjectCfg
from isaaclab.managers import EventTermCfg, SceneEntityCfg
from isaaclab.managers import ObservationTermCfg as ObsTerm
from isaaclab.managers import TerminationTermCfg as DoneTerm
from isaaclab.sim import SimulationCfg
from isaaclab.utils import configclass
from isaaclab.visualizers import VisualizerCfg
from isaaclab_newton.sim.schemas import MujocoRigidBodyCfg, NewtonArticulationCfg

from groot_wrappers.errors import ContractError, did_you_mean
from tasks.assets.franka_robotiq import ARM_JOINTS, FINGER_JOINT, FLANGE_PRIM, FOLLOWERS, franka_robotiq_usd
from tasks.assets.things import Box, thing_usd
from tasks.common.scene_parts import ResetSceneCfg, TableSceneCfg, camera, fixed_box, joint_targets, success_reward
from tasks.common.stages import touched
from tasks.droid_table import geometry, mdp
from tasks.droid_table.things import THINGS
from tasks.gr00t_env_cfg import (
    Gr00tEnvCfg,
    Gr00tProgressCfg,
    Gr00tStateCfg,
    Gr00tTerminationsCfg,
    eef_pose,
    joint_positions,
    newton_physics,
)

__all__ = ["DroidTableEnvCfg", "table_scene"]

_ARM = list(ARM_JOINTS)
_TABLE_SIZE, _TABLE_CENTRE = (1.0, 1.3, 0.04), (0.42, 0.0, -0.02)


@configclass
class DroidTableSceneCfg(TableSceneCfg):
    """Robot at the origin, table top at z = 0, DROID's two cameras; ``table_scene`` adds the things."""

    ground = fixed_box("Ground", (20.0, 20.0, 0.1), (0.30, 0.31, 0.33), centre=(0.0, 0.0, -0.85))
    table = AssetBaseCfg(prim_path="{ENV_REGEX_NS}/Table", spawn=sim_utils.UsdFileCfg())
    robot = ArticulationCfg(
        prim_path="{ENV_REGEX_NS}/Robot",
        spawn=sim_utils.UsdFileCfg(
            rigid_props=[MujocoRigidBodyCfg(gravcomp=1.0)],
            articulation_props=[NewtonArticulationCfg(self_collision_enabled=False)],
        ),
        init_state=ArticulationCfg.InitialStateCfg(
            joint_pos=dict(zip(ARM_JOINTS, geometry.START_JOINTS, strict=True)),
        ),
        actuators={
            "arm": ImplicitActuatorCfg(joint_names_expr=_ARM, stiffness=400.0, damping=40.0, armature=0.1),
            "gripper": ImplicitActuatorCfg(
                joint_names_expr=[FINGER_JOINT], stiffness=30.0, damping=4.0, armature=0.02, joint_effort_limit=1.5
            ),
            # They are moved by what ties them to the driven joint, which holds the better the more inertia they have.
            # Without the damping the fingers are so fast that they bounce off what they close on, which is lost if
            # the hand lifts meanwhile.
            "linkage": ImplicitActuatorCfg(joint_names_expr=list(FOLLOWERS), stiffness=0.0, damping=0.2, armature=0.02),
        },
    )
    exterior_camera = camera("{ENV_REGEX_NS}/ExteriorCamera", geometry.EXTERIOR_CAMERA, near=0.05)
    wrist_camera = camera("{ENV_REGEX_NS}/Robot/" + FLANGE_PRIM + "/WristCamera", geometry.WRIST_CAMERA, near=0.01)


def table_scene(things: Sequence[str], num_envs: int = 1) -> DroidTableSceneCfg:
    """Return the scene with these things on the table, which a reset puts to their places. What is not built yet is.

    Args:
        things: Names, of ``tasks.droid_table.things.THINGS``, at most as many as there are places.
        num_envs: Number of envs.

    Raises:
        ContractError: There is no such thing, or there are too many.
        AssetError: A package that robot and things are built from is missing.
    """
    unknown = [name for name in things if name not in THINGS]
    if unknown or len(things) > len(geometry.PLACES):
        raise ContractError(
            f"things is {', '.join(things)}, but there are {len(geometry.PLACES)} places for "
            f"{', '.join(THINGS)}.{did_you_mean(unknown[0], THINGS) if unknown else ''}"
        )
    scene = DroidTableSceneCfg(num_envs=num_envs, env_spacing=0.0)
    scene.robot.spawn.usd_path = str(franka_robotiq_usd())
    wood = Box(_TABLE_SIZE, _TABLE_CENTRE, (0.62, 0.57, 0.51), grain=True)
    scene.table.spawn.usd_path = str(thing_usd("table", [wood], mass=None))
    for seen in (scene.exterior_camera, scene.wrist_camera):
        seen.renderer_cfg.enable_textures = True
    for name, place in zip(things, geometry.PLACES, strict=False):
        thing = THINGS[name]
        body = RigidObjectCfg(
            prim_path="{ENV_REGEX_NS}/" + "".join(word.title() for word in name.split("_")),
            spawn=sim_utils.UsdFileCfg(usd_path=str(thing_usd(name, thing.parts, thing.mass))),
            init_state=RigidObjectCfg.InitialStateCfg(pos=(*place, 0.0)),
        )
        setattr(scene, name, body)
    return scene


@configclass
class ActionsCfg:
    """Absolute joint targets, rad: the arm's seven, and the gripper's driven joint (0 open, 0.8 closed)."""

    arm_action = joint_targets(_ARM)
    gripper_action = joint_targets([FINGER_JOINT])


@configclass
class StatesCfg(Gr00tStateCfg):
    """What GR00T may know of the robot beside pictures: 7 joints, the gripper's, and the flange's pose."""

    arm_joints = joint_positions(_ARM)
    finger_joint = joint_positions([FINGER_JOINT])
    flange_pose = eef_pose("panda_link8")


@configclass
class ProgressCfg(Gr00tProgressCfg):
    """The hand at the thing that is asked for, the thing lifted, over its place, put there and let go."""

    progress_reached = ObsTerm(func=mdp.reached)
    progress_grasped = ObsTerm(func=mdp.lifted, params={"height": 0.02})
    progress_lifted = ObsTerm(func=mdp.lifted)
    progress_above_target = ObsTerm(func=mdp.above)
    progress_placed = ObsTerm(func=mdp.placed)
    progress_let_go = ObsTerm(func=mdp.let_go)
    distance_to_success = ObsTerm(func=mdp.way_left)
    event_dropped = ObsTerm(func=mdp.Dropped)
    event_wrong_object = ObsTerm(func=mdp.other_lifted)
    event_collided_table = ObsTerm(
        func=touched,
        params={
            "bodies_cfg": SceneEntityCfg("robot", body_names=[".*_inner_finger"]),
            "offset": (0.0, 0.0, 0.0511),
            "table_height": 0.0,
            "margin": 0.001,
        },
    )


@configclass
class ObservationsCfg:
    """``policy``, what GR00T knows, and ``progress``, what it does not."""

    policy: StatesCfg = StatesCfg()
    progress: ProgressCfg = ProgressCfg()


@configclass
class EventsCfg(ResetSceneCfg):
    """The robot back at its start, each thing at a place drawn anew."""

    place_things = EventTermCfg(func=mdp.place_things, mode="reset")


@configclass
class RewardsCfg:
    """1 for an episode that succeeds, else 0."""

    success = success_reward(control_hz=15)


@configclass
class TerminationsCfg(Gr00tTerminationsCfg):
    """Success ends an episode, time does too."""

    success = DoneTerm(func=mdp.Put, params={"duration": 0.4})


@configclass
class DroidTableEnvCfg(Gr00tEnvCfg):
    """``Isaac-Groot-Droid-Table-v0``: control at 15 Hz, episodes of at most 600 control steps."""

    camera_keys = ["exterior_camera", "wrist_camera"]
    state_keys = ["arm_joints", "finger_joint", "flange_pose"]
    action_keys = {"arm_joints": _ARM, "finger_joint": [FINGER_JOINT]}
    instruction = "put the red mug on the plate"
    view = VisualizerCfg(eye=(1.25, 0.95, 0.75), lookat=(0.35, 0.0, 0.15))

    scene: DroidTableSceneCfg = DroidTableSceneCfg(num_envs=1, env_spacing=0.0)
    observations: ObservationsCfg = ObservationsCfg()
    actions: ActionsCfg = ActionsCfg()
    events: EventsCfg = EventsCfg()
    rewards: RewardsCfg = RewardsCfg()
    terminations: TerminationsCfg = TerminationsCfg()
    decimation = 8
    episode_length_s = 600 / 15
    sim: SimulationCfg = SimulationCfg(
        dt=1 / 120, device="cpu", physics=newton_physics(njmax=400, nconmax=200, ls_iterations=30)
    )

    def use_assets(self, assets: str) -> None:
        """Build what stands in the scene; ``task.env.scene`` may put other things there.

        Raises:
            ValueError: There are no such assets.
            AssetError: A package that they are built from is missing.
        """
        super().use_assets(assets)
        self.scene = table_scene(["red_mug", "blue_mug", "plate", "bowl"], self.scene.num_envs)
