"""Config of ``Isaac-Groot-Libero-v0``: a task of LIBERO's on Newton."""

# ruff: noqa: RUF012 - configclass copies mutable defaults for each instance

from isaaclab.envs import mdp as isaaclab_mdp
from isaaclab.managers import EventTermCfg
from isaaclab.sim import SimulationCfg
from isaaclab.utils import configclass
from isaaclab.visualizers import VisualizerCfg
from isaaclab_newton.physics import NewtonCfg

from tasks.gr00t_env_cfg import Gr00tEnvCfg, Gr00tStateCfg, joint_positions
from tasks.libero import mdp
from tasks.libero.control.physics import CONTROL_RATE, PHYSICS_RATE, NewtonLiberoSolverCfg
from tasks.libero.scene.cfg import FINGERS, LiberoSceneCfg

__all__ = ["LiberoEnvCfg"]


@configclass
class ActionsCfg:
    arm_action = isaaclab_mdp.JointPositionActionCfg(asset_name="robot", joint_names=["robot0_joint.*"], use_default_offset=False, preserve_order=True)
    gripper_action = isaaclab_mdp.JointPositionActionCfg(asset_name="robot", joint_names=list(FINGERS), use_default_offset=False, preserve_order=True)


@configclass
class StatesCfg(Gr00tStateCfg):
    """What GR00T may know of the robot beside pictures."""

    arm_joints = joint_positions(["robot0_joint.*"])
    fingers = joint_positions(list(FINGERS))


@configclass
class ObservationsCfg:
    """``policy``, what GR00T knows."""

    policy: StatesCfg = StatesCfg()


@configclass
class EventsCfg:
    """Each episode at a start of the task's."""

    begin = EventTermCfg(func=mdp.begin, mode="reset")


@configclass
class LiberoEnvCfg(Gr00tEnvCfg):
    """``Isaac-Groot-Libero-v0``: control at 20 Hz, physics at 500 Hz."""

    camera_keys = ["scene_camera", "wrist_camera"]
    state_keys = ["arm_joints", "fingers"]
    action_keys = {"arm_joints": ["robot0_joint.*"], "fingers": list(FINGERS)}
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
    decimation = PHYSICS_RATE // CONTROL_RATE
    sim: SimulationCfg = SimulationCfg(
        dt=1 / PHYSICS_RATE, device="cpu", physics=NewtonCfg(solver_cfg=NewtonLiberoSolverCfg(), num_substeps=1)
    )
