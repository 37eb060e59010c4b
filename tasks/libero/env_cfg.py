"""Config of ``Isaac-Groot-Libero-v0``: a task of LIBERO's on Newton."""

# ruff: noqa: RUF012 - configclass copies mutable defaults for each instance

from isaaclab.managers import EventTermCfg, ObservationTermCfg
from isaaclab.managers import TerminationTermCfg as DoneTerm
from isaaclab.sim import SimulationCfg
from isaaclab.utils import configclass
from isaaclab.visualizers import VisualizerCfg
from isaaclab_newton.physics import NewtonCfg

from tasks.common.scene_parts import success_reward
from tasks.gr00t_env_cfg import Gr00tEnvCfg, Gr00tProgressCfg, Gr00tStateCfg, Gr00tTerminationsCfg, joint_positions
from tasks.libero import mdp
from tasks.libero.burners import Burners
from tasks.libero.control.gripper import SlowGripperActionCfg
from tasks.libero.control.osc import OscPoseActionCfg
from tasks.libero.control.physics import CONTROL_RATE, PHYSICS_RATE, NewtonLiberoSolverCfg
from tasks.libero.control.states import tool_pose
from tasks.libero.scene.cfg import FINGERS, LiberoSceneCfg

__all__ = ["LiberoEnvCfg"]


@configclass
class ActionsCfg:
    """robosuite's OSC_POSE, 6 numbers (m, rad), and its gripper, 1: above 0 opens, below 0 closes."""

    arm_action = OscPoseActionCfg(asset_name="robot")
    gripper_action = SlowGripperActionCfg(asset_name="robot")


@configclass
class StatesCfg(Gr00tStateCfg):
    """What GR00T may know of the robot beside pictures, and its joints."""

    tool_pose = ObservationTermCfg(func=tool_pose)
    gripper = joint_positions(list(FINGERS))
    arm_joints = joint_positions(["robot0_joint.*"])


@configclass
class ObservationsCfg:
    """``policy``, what GR00T knows, and ``progress``, what it does not: the stages of the task, of ``progress_cfg``."""

    policy: StatesCfg = StatesCfg()
    progress: Gr00tProgressCfg | None = None


@configclass
class EventsCfg:
    """Each episode at a start of the task's; burners glow while their stove is on."""

    begin = EventTermCfg(func=mdp.Begin, mode="reset")
    first_burners = EventTermCfg(func=Burners, mode="reset")
    burners = EventTermCfg(func=Burners, mode="interval", interval_range_s=(0.0, 0.0), is_global_time=True)


@configclass
class RewardsCfg:
    """1 for an episode that succeeds, else 0."""

    success = success_reward(control_hz=CONTROL_RATE)


@configclass
class TerminationsCfg(Gr00tTerminationsCfg):
    """Success ends an episode, time does too."""

    success = DoneTerm(func=mdp.Success)


@configclass
class LiberoEnvCfg(Gr00tEnvCfg):
    """``Isaac-Groot-Libero-v0``: control at 20 Hz, physics at 500 Hz."""

    camera_keys = ["scene_camera", "wrist_camera"]
    state_keys = ["tool_pose", "gripper"]
    view = VisualizerCfg(eye=(1.3, 0.9, 1.9), lookat=(-0.1, 0.0, 0.95))

    suite: str = "libero_spatial"
    """LIBERO's suite."""
    index: int = 0
    """The task's place in it."""
    starts: str = "official"
    """``official``: the published starts, in their order. ``seeded``: drawn from each episode's seed."""

    scene: LiberoSceneCfg = LiberoSceneCfg(num_envs=1, env_spacing=0.0)
    observations: ObservationsCfg = ObservationsCfg()
    actions: ActionsCfg = ActionsCfg()
    events: EventsCfg = EventsCfg()
    rewards: RewardsCfg = RewardsCfg()
    terminations: TerminationsCfg = TerminationsCfg()
    decimation = PHYSICS_RATE // CONTROL_RATE
    sim: SimulationCfg = SimulationCfg(
        dt=1 / PHYSICS_RATE, device="cpu", physics=NewtonCfg(solver_cfg=NewtonLiberoSolverCfg(), num_substeps=1)
    )
