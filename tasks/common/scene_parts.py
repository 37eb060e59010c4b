"""Parts that the configs of several tasks are made of: boxes, cameras, joint targets, starts, the reward of success."""

import isaaclab.sim as sim_utils
from isaaclab.assets import AssetBaseCfg
from isaaclab.envs import mdp
from isaaclab.managers import EventTermCfg, RewardTermCfg, SceneEntityCfg
from isaaclab.scene import InteractiveSceneCfg
from isaaclab.sensors import CameraCfg
from isaaclab.utils import configclass
from isaaclab_newton.renderers import NewtonWarpRendererCfg

from tasks.common.pinhole_camera import PinholeCamera
from tasks.common.seeded_resets import reset_root_pose

__all__ = ["ResetSceneCfg", "TableSceneCfg", "box", "camera", "fixed_box", "joint_targets", "start", "success_reward"]

Triple = tuple[float, float, float]


def box(size: Triple, colour: Triple, *, collides: bool = True, mass: float | None = None) -> sim_utils.CuboidCfg:
    """A coloured box; it moves only if it has a mass (kg)."""
    return sim_utils.CuboidCfg(
        size=size,
        collision_props=sim_utils.UsdPhysicsCollisionCfg() if collides else None,
        visual_material=sim_utils.PreviewSurfaceCfg(diffuse_color=colour),
        rigid_props=None if mass is None else sim_utils.UsdPhysicsRigidBodyCfg(),
        mass_props=None if mass is None else sim_utils.MassCfg(mass=mass),
    )


def fixed_box(name: str, size: Triple, colour: Triple, centre: Triple, *, collides: bool = True) -> AssetBaseCfg:
    """A coloured box that stays where it is, in the env's frame (m)."""
    return AssetBaseCfg(
        prim_path="{ENV_REGEX_NS}/" + name,
        spawn=box(size, colour, collides=collides),
        init_state=AssetBaseCfg.InitialStateCfg(pos=centre),
    )


def camera(prim_path: str, seen: PinholeCamera, near: float) -> CameraCfg:
    """A colour camera of Newton's own renderer; ``seen`` is its pose under its parent prim, and its lens.

    Args:
        prim_path: The camera's own prim; under a moving link it moves along.
        seen: Pose, focal length and size of the pictures.
        near: What is nearer is not drawn, metres.
    """
    return CameraCfg(
        prim_path=prim_path,
        offset=CameraCfg.OffsetCfg(pos=seen.position, rot=seen.quaternion, convention="ros"),
        data_types=["rgb"],
        height=seen.image_size[0],
        width=seen.image_size[1],
        spawn=sim_utils.PinholeCameraCfg(
            focal_length=seen.focal_length,
            horizontal_aperture=seen.horizontal_aperture,
            clipping_range=(near, 20.0),
        ),
        # Without this a camera under a moving link stays where it was at the start.
        update_latest_camera_pose=True,
        # Shadows, off by default, take 40% of the time to draw 1,024 envs on a GPU.
        renderer_cfg=NewtonWarpRendererCfg(enable_textures=False),
    )


def joint_targets(joint_names: list[str]) -> mdp.JointPositionActionCfg:
    """Action term of the robot: absolute joint targets, rad (m for sliding joints), in the order of the names."""
    return mdp.JointPositionActionCfg(
        asset_name="robot", joint_names=joint_names, use_default_offset=False, preserve_order=True
    )


def start(pose_range: dict[str, tuple[float, float]]) -> EventTermCfg:
    """Reset term: the scene's ``object`` anew within a range about its initial pose (x, y, z in m, yaw ... in rad)."""
    return EventTermCfg(
        func=reset_root_pose,
        mode="reset",
        params={"pose_range": pose_range, "asset_cfg": SceneEntityCfg("object")},
    )


def success_reward(control_hz: float) -> RewardTermCfg:
    """1 for an episode that succeeds, else 0; IsaacLab multiplies a weight by the control step."""
    return RewardTermCfg(func=mdp.is_terminated_term, params={"term_keys": "success"}, weight=control_hz)


@configclass
class TableSceneCfg(InteractiveSceneCfg):
    """A light; a task adds ground, table, ``robot``, ``object`` and cameras."""

    light = AssetBaseCfg(prim_path="/World/Light", spawn=sim_utils.DomeLightCfg(intensity=2000.0))


@configclass
class ResetSceneCfg:
    """All back at the start; a task adds a ``start`` term. All draws are by ``tasks.common.seeded_resets``."""

    reset_scene = EventTermCfg(func=mdp.reset_scene_to_default, mode="reset", params={"reset_joint_targets": True})
