"""``Gr00tEnvCfg``, the environment config that a GR00T task inherits, and observation terms ready to be used in it.

A user's task says what is in the scene and which of it GR00T sees; everything else has a default that works without
Isaac Sim::

    @configclass
    class MyStates(Gr00tStateCfg):
        joint_positions = joint_positions(["panda_joint.*", "panda_finger_joint.*"])
        eef_pose = eef_pose("panda_hand")


    @configclass
    class MyEnvCfg(Gr00tEnvCfg):
        camera_keys = ["wrist_camera"]  # a camera sensor of that name is in `scene`
        state_keys = ["joint_positions", "eef_pose"]  # terms of the observation group `policy`
        action_keys = {"joint_positions": ["panda_joint.*", "panda_finger_joint.*"]}
        instruction = "pick up the cube"
        scene: MySceneCfg = MySceneCfg(num_envs=1, env_spacing=3.0)
        observations: MyObservations = MyObservations()  # with `policy: MyStates = MyStates()`
        actions: MyActions = MyActions()
"""

# ruff: noqa: RUF012 - configclass copies mutable defaults for each instance

from typing import Any

import torch
from isaaclab.envs import ManagerBasedEnv, ManagerBasedRLEnvCfg, mdp
from isaaclab.managers import ObservationGroupCfg, ObservationTermCfg, SceneEntityCfg
from isaaclab.managers import TerminationTermCfg as DoneTerm
from isaaclab.sim import SimulationCfg
from isaaclab.utils import configclass
from isaaclab.visualizers import VisualizerCfg
from isaaclab_newton.physics import NewtonCfg

from groot_wrappers.embodiment import poses
from tasks.common.newton_replay import NewtonReplaySolverCfg

__all__ = [
    "Gr00tEnvCfg",
    "Gr00tProgressCfg",
    "Gr00tStateCfg",
    "Gr00tTerminationsCfg",
    "eef_pose",
    "joint_positions",
    "joint_velocities",
    "newton_physics",
]


def newton_physics(**solver: object) -> NewtonCfg:
    """Newton's MuJoCo-Warp solver, set up so that a position-controlled arm grasps by friction alone.

    IsaacLab's default integrator (``euler``) goes NaN within two steps under PD gains, hence ``implicitfast``. The
    elliptic cone with ``impratio=10`` keeps a gripped object from creeping out of the fingers. On a CPU steps are
    recorded and replayed (see ``tasks.common.newton_replay``).

    Args:
        **solver: Fields of ``MJWarpSolverCfg`` that differ for a task, e.g. ``ls_iterations`` for a many-fingered hand.
    """
    settings: dict[str, Any] = {"integrator": "implicitfast", "cone": "elliptic", "impratio": 10.0}
    return NewtonCfg(solver_cfg=NewtonReplaySolverCfg(**(settings | solver)), num_substeps=1)


def joint_positions(joint_names: list[str], asset: str = "robot") -> ObservationTermCfg:
    """Observation term: absolute joint positions, float32 (num_envs, D), rad (m for sliding joints).

    Args:
        joint_names: Joint names or patterns; the columns come in this order, and in the robot's within a pattern.
        asset: The articulation's name in the scene.
    """
    return ObservationTermCfg(func=mdp.joint_pos, params={"asset_cfg": _joints(joint_names, asset)})


def joint_velocities(joint_names: list[str], asset: str = "robot") -> ObservationTermCfg:
    """Observation term: joint velocities, float32 (num_envs, D), rad/s (m/s for sliding joints); order as above."""
    return ObservationTermCfg(func=mdp.joint_vel, params={"asset_cfg": _joints(joint_names, asset)})


def eef_pose(body_name: str, asset: str = "robot") -> ObservationTermCfg:
    """Observation term: pose of a body, float32 (num_envs, 7), in the frame of the robot's root link.

    Position x, y, z in metres, then the quaternion in IsaacLab 3's order x, y, z, w (unit, w >= 0).

    Args:
        body_name: The end effector's body, e.g. ``panda_hand``.
        asset: The articulation's name in the scene.
    """
    body = SceneEntityCfg(asset, body_names=[body_name])
    return ObservationTermCfg(func=body_pose_in_root, params={"asset_cfg": body})


def body_pose_in_root(env: ManagerBasedEnv, asset_cfg: SceneEntityCfg) -> torch.Tensor:
    """Pose of the one body that ``asset_cfg`` names, (num_envs, 7); see ``eef_pose``."""
    return poses.body_pose_in_root(env.scene[asset_cfg.name].data, asset_cfg.body_ids)


def _joints(joint_names: list[str], asset: str) -> SceneEntityCfg:
    return SceneEntityCfg(asset, joint_names=joint_names, preserve_order=True)


@configclass
class Gr00tStateCfg(ObservationGroupCfg):
    """The observation group ``policy``: a term a state key, kept apart and without noise. Images are not terms."""

    def __post_init__(self) -> None:
        """Keep each term under its own name; GR00T takes states by key."""
        self.concatenate_terms = False
        self.enable_corruption = False


@configclass
class Gr00tProgressCfg(ObservationGroupCfg):
    """The observation group ``progress``: how far an episode has come, and what happened to it; no policy sees it.

    Terms ``progress_<stage>`` in the order of the stages, ``event_<name>``, and ``distance_to_success``; each gives
    (num_envs,). See ``groot_wrappers.embodiment.stages``.
    """

    def __post_init__(self) -> None:
        """Keep each term under its own name, and true to the simulation."""
        self.concatenate_terms = False
        self.enable_corruption = False


@configclass
class Gr00tTerminationsCfg:
    """Ends of an episode; a task adds ``success`` (a DoneTerm of that name is what counts as success)."""

    time_out: DoneTerm = DoneTerm(func=mdp.time_out, time_out=True)


@configclass
class _NoRewards:
    """A policy that is only evaluated needs none."""


@configclass
class Gr00tEnvCfg(ManagerBasedRLEnvCfg):
    """Base of an environment that GR00T plays: what it sees and does, and physics that start without Isaac Sim."""

    camera_keys: list[str] = []
    """Video keys. Each is the name of a camera sensor in ``scene``, read (and so rendered) only when GR00T is asked."""

    state_keys: list[str] = []
    """State keys. Each is the name of a term in the observation group ``policy`` (see ``Gr00tStateCfg``)."""

    action_keys: dict[str, list[str]] = {}
    """Action key -> names or patterns of the joints whose absolute targets it holds (rad, m); its columns come in this
    order, and in the robot's within a pattern. An env that is moved otherwise says how in an embodiment's YAML."""

    language_key: str = "task"
    """The language key of a checkpoint of the embodiment tag ``new_embodiment``."""

    instruction: str = ""
    """What the policy is told unless a run says otherwise."""

    assets: str = "embedded"
    """``embedded``: assets from installed packages. ``nucleus``: NVIDIA's own, where a task knows them."""

    view: VisualizerCfg | None = None
    """Where IsaacLab's visualizers and the camera ``orbit`` of videos stand, and what they look at, metres."""

    decimation: int = 4
    episode_length_s: float = 30.0
    sim: SimulationCfg = SimulationCfg(dt=1 / 120, render_interval=4, device="cpu", physics=newton_physics())
    rewards: object = _NoRewards()
    terminations: Gr00tTerminationsCfg = Gr00tTerminationsCfg()

    def __post_init__(self) -> None:
        """Apply the choice of assets and the view; a subclass that overrides this calls ``super().__post_init__()``."""
        self.sim.render_interval = self.decimation
        self.sim.default_visualizer_cfg = self.view or self.sim.default_visualizer_cfg
        self.use_assets(self.assets)

    def use_assets(self, assets: str) -> None:
        """Point the scene at other assets, before the environment is made. A task with a choice overrides this.

        Raises:
            ValueError: The task has no such assets.
        """
        if assets != "embedded":
            raise ValueError(
                f"{type(self).__name__} has no {assets!r} assets, only 'embedded'. Set task.assets=embedded"
            )
        self.assets = assets
