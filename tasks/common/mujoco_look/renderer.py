"""``MujocoLookRenderer``: Newton casts the rays, and what they hit is lit as MuJoCo's own renderer would."""

import math
from typing import Any

import numpy as np
import warp as wp
from isaaclab.renderers.camera_render_spec import CameraRenderSpec
from isaaclab.sim import SimulationContext
from isaaclab.utils.warp import ProxyArray
from isaaclab_newton.renderers.newton_warp_renderer import NewtonWarpRenderer, RenderData

from groot_wrappers.errors import ContractError
from tasks.common.mujoco_look.kernels import LightData, Surface, fine_rays, shade
from tasks.common.mujoco_look.look import Headlight, Light, MujocoLook
from tasks.common.mujoco_look.renderer_cfg import MujocoLookRendererCfg
from tasks.common.mujoco_look.surfaces import surfaces

__all__ = ["MujocoLookRenderer"]


class FineRenderData(RenderData):
    """What is kept for one camera: beside what the base keeps, the finer rays and what each of them hit."""

    fine_rays: Any = None
    shapes: Any
    normals: Any
    depths: Any

    def allocate(self, finer: int) -> None:
        """Make room for what ``finer`` x ``finer`` rays a pixel hit."""
        model = self.newton_sensor.model
        shape = (model.world_count, 1, finer * self.height, finer * self.width)
        self.shapes = wp.empty(shape, dtype=wp.uint32, device=model.device)
        self.normals = wp.empty(shape, dtype=wp.vec3f, device=model.device)
        self.depths = wp.empty(shape, dtype=wp.float32, device=model.device)


class MujocoLookRenderer(NewtonWarpRenderer):
    """Newton's renderer, with MuJoCo's light; see ``MujocoLookRendererCfg``."""

    cfg: MujocoLookRendererCfg

    def initialize(self) -> None:
        """Make Newton's sensor and lay out lights and materials on the device; physics has a model by now."""
        super().initialize()
        model = self.backend.model
        look = self.cfg.look
        self._lights = _lights(look, model.device)
        self._kept = list(surfaces(look, model))  # arrays and textures live as long as the structs that hold them
        self._surfaces = wp.array(self._kept, dtype=Surface, device=model.device)
        plan = SimulationContext.instance().get_clone_plan()
        origins = None if plan is None else plan.positions
        still = np.zeros((model.world_count, 3), np.float32)
        self._origins = wp.array(still if origins is None else np.asarray(origins), dtype=wp.vec3f, device=model.device)

    def create_render_data(self, spec: CameraRenderSpec) -> FineRenderData:
        """Make room for a camera's pictures.

        Raises:
            ContractError: The camera has a lens or a sensor that MuJoCo has not.
        """
        cfg = spec.cfg
        if cfg.isp_cfg is not None or (cfg.spawn is not None and cfg.spawn.distortion is not None):
            raise ContractError(
                f"The camera {cfg.prim_path} is drawn by MuJoCo's light, which knows a plain pinhole alone, but has "
                "`isp_cfg` or `spawn.distortion`. Leave them out, or give it a NewtonWarpRendererCfg."
            )
        plain = super().create_render_data(spec)
        data = FineRenderData(plain.newton_sensor, spec, plain._seg_mapper, self.cfg)
        data.allocate(self.cfg.supersample)
        return data

    def update_camera(
        self, render_data: FineRenderData, positions: ProxyArray, orientations: ProxyArray, intrinsics: ProxyArray
    ) -> None:
        """Move the camera; its rays are laid when it is moved for the first time."""
        super().update_camera(render_data, positions, orientations, intrinsics)
        if render_data.fine_rays is None:
            height, width = render_data.shapes.shape[2:]
            render_data.fine_rays = wp.empty((1, height, width, 2), dtype=wp.vec3f, device=render_data.shapes.device)
            self._lay_rays(render_data, intrinsics.warp)

    def update_camera_intrinsics(self, render_data: FineRenderData, intrinsics: wp.array, parameters: wp.array) -> None:
        """Give the camera another lens."""
        super().update_camera_intrinsics(render_data, intrinsics, parameters)
        self._lay_rays(render_data, intrinsics)

    def _lay_rays(self, render_data: FineRenderData, intrinsics: wp.array) -> None:
        rays = render_data.fine_rays
        wp.launch(fine_rays, rays.shape[1:3], [intrinsics, self.cfg.supersample, rays], device=rays.device)

    def _launch_render(self, render_data: FineRenderData) -> None:
        """Draw; on a GPU this is recorded once and replayed."""
        outputs = render_data.outputs
        picture, outputs.color_image = outputs.color_image, None
        if any(image is not None for image in vars(outputs).values()):
            super()._launch_render(render_data)
        outputs.color_image = picture
        if picture is None:
            return
        far = render_data.far_clip
        self.newton_sensor.default_render_config.max_distance = self.cfg.max_distance if far is None else far
        self.newton_sensor.update(
            self.backend.state_0,
            render_data.camera_transforms,
            render_data.fine_rays,
            depth_image=render_data.depths,
            normal_image=render_data.normals,
            shape_index_image=render_data.shapes,
            kernel_block_dim=self.cfg.kernel_block_dim,
        )
        look, model = self.cfg.look, self.backend.model
        scene = [self._surfaces, model.shape_color, model.bvh_shape_world_transforms, model.shape_scale, self._origins]
        seen = [render_data.shapes, render_data.normals, render_data.depths]
        wp.launch(
            shade,
            (picture.shape[0], *picture.shape[2:]),
            [self._lights, look.ambient, wp.vec3f(*look.background), *scene]
            + [render_data.camera_transforms, render_data.fine_rays, *seen, self.cfg.supersample],
            [picture],
            device=picture.device,
        )


def _lights(look: MujocoLook, device: Any) -> wp.array:
    lights = [_light_data(light) for light in look.lights]
    if look.headlight is not None:
        lights.append(_head_data(look.headlight))
    return wp.array(lights, dtype=LightData, device=device)


def _light_data(light: Light) -> Any:
    data: Any = LightData()
    data.stands = light.position is not None
    data.position = light.position or (0.0, 0.0, 0.0)
    data.direction = light.direction
    data.ambient, data.diffuse, data.specular = light.ambient, light.diffuse, light.specular
    data.cos_cutoff, data.exponent = math.cos(math.radians(light.cutoff)), light.exponent
    data.attenuation = light.attenuation
    return data


def _head_data(light: Headlight) -> Any:
    data: Any = LightData()  # without a direction: the camera's
    data.ambient, data.diffuse, data.specular = light.ambient, light.diffuse, light.specular
    return data
