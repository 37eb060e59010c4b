"""A stand-in for the simulation and the scene beneath IsaacLab 2.3's env classes: joints go where they are told.

The camera is IsaacLab's own, with its buffers and its moments of reading; beneath it a picture changes only when the
simulation draws, as it is with RTX.

* ``stand_in``: puts them beneath the env classes.
"""

import contextlib
import enum
from types import SimpleNamespace

import isaacsim.core.simulation_manager
import isaacsim.core.version
import numpy as np
import torch
from isaaclab.envs import direct_rl_env, manager_based_env
from isaaclab.sensors import Camera, CameraCfg
from isaaclab.sensors.camera import CameraData
from isaaclab.utils.string import resolve_matching_names

__all__ = ["JOINTS", "Scene", "Simulation", "stand_in"]

JOINTS = ["joint_a", "joint_b"]
DEFAULTS = [0.25, -1.0]
LEVELS = 100
"""How much brighter a picture is for a radian of joint_a."""


class Simulation:
    """What the env classes ask of SimulationContext."""

    class RenderMode(enum.IntEnum):
        """Without a window."""

        NO_GUI_OR_RENDERING = -1
        PARTIAL_RENDERING = 1

    render_mode = RenderMode.NO_GUI_OR_RENDERING
    running = None

    def __init__(self, cfg):
        self.cfg, self.device, self.scene, self.drawn = cfg, cfg.device, None, 0
        Simulation.running = self

    @classmethod
    def instance(cls):
        return cls.running

    @classmethod
    def clear_instance(cls):
        cls.running = None

    def step(self, render):
        self.scene.robot.data.joint_pos[:] = self.scene.robot.target

    def render(self):
        self.drawn += 1
        brightness = (self.scene.robot.data.joint_pos[:, 0] * LEVELS).clamp(0, 255).numpy().astype(np.uint8)
        self.scene.pictures[:] = brightness[:, None, None, None]

    def has_rtx_sensors(self):
        return bool(self.scene.sensors)

    def has_gui(self):
        return False

    def is_playing(self):
        return True

    def do_nothing(self):
        """Nothing here needs it."""

    reset = forward = clear_all_callbacks = get_initial_stage = do_nothing


class Robot:
    """What action, observation and reset terms ask of an articulation."""

    joint_names, body_names = JOINTS, ["base", "hand"]
    num_joints = num_bodies = 2

    def __init__(self, num_envs):
        self.target = torch.zeros((num_envs, 2))
        poses = torch.zeros((num_envs, 2, 7))
        poses[..., 3] = 1.0  # w comes first
        self.data = SimpleNamespace(
            joint_pos=torch.zeros((num_envs, 2)),
            default_joint_pos=torch.tensor([DEFAULTS] * num_envs),
            body_link_pose_w=poses,
            root_link_pose_w=poses[:, 0],
        )

    def find_joints(self, name_keys, preserve_order=False):
        return resolve_matching_names(name_keys, self.joint_names, preserve_order)

    def set_joint_position_target(self, target, joint_ids=None):
        self.target[:, slice(None) if joint_ids is None else joint_ids] = target

    def put(self, env_ids, joint_pos):
        self.data.joint_pos[env_ids] = self.target[env_ids] = joint_pos


class PlainCamera(Camera):
    """IsaacLab's camera, but for the stage that it would look for itself on."""

    def __init__(self, pictures):
        num_envs, height, width, _ = pictures.shape
        self.cfg = CameraCfg(prim_path="/World/camera", spawn=None, height=height, width=width, data_types=["rgb"])
        self._device, self._is_initialized, self._is_visualizing = "cpu", True, False
        self._is_outdated = torch.ones(num_envs, dtype=torch.bool)
        self._timestamp, self._timestamp_last_update = torch.zeros(num_envs), torch.zeros(num_envs)
        self._ALL_INDICES, self._frame = torch.arange(num_envs), torch.zeros(num_envs, dtype=torch.long)
        self._data = CameraData(output={}, info=[{} for _ in range(num_envs)])
        self._rep_registry = {"rgb": [SimpleNamespace(get_data=picture.copy) for picture in pictures]}

    def __del__(self):
        """There is nothing to take down."""

    def _update_poses(self, env_ids):
        """It stands in no scene."""


class Scene:
    """What the env classes, managers and terms ask of InteractiveScene: a robot, and one camera for each env."""

    def __init__(self, cfg):
        self.cfg, self.num_envs, self.device = cfg, cfg.num_envs, "cpu"
        self.robot = Robot(self.num_envs)
        self.pictures = np.zeros((self.num_envs, 6, 8, 4), np.uint8)
        self.articulations, self.sensors = {"robot": self.robot}, {"camera": PlainCamera(self.pictures)}
        self.env_origins = torch.zeros((self.num_envs, 3))
        Simulation.running.scene = self

    def keys(self):
        return [*self.articulations, *self.sensors]

    def __getitem__(self, name):
        return {**self.articulations, **self.sensors}[name]

    def reset(self, env_ids):
        self.sensors["camera"].reset(env_ids)

    def update(self, dt):
        self.sensors["camera"].update(dt)

    def write_data_to_sim(self):
        """Targets are read where they are."""


def stand_in():
    """Put simulation and scene beneath both env classes, and let Kit have what their code compares and waits for."""
    isaacsim.core.version.get_version = lambda: ("5.1.0", "", "5", "1", "0", "", "", "")
    isaacsim.core.simulation_manager.SimulationManager.assets_loading = staticmethod(lambda: False)
    for module in (manager_based_env, direct_rl_env):
        module.SimulationContext, module.InteractiveScene = Simulation, Scene
        module.use_stage = contextlib.nullcontext
        module.attach_stage_to_usd_context = lambda: None
