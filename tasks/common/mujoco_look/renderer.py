"""``MujocoLookRenderer``: Newton casts the rays, and what they hit is lit as MuJoCo's own renderer would."""

from typing import Any

import numpy as np
from isaaclab.renderers.camera_render_spec import CameraRenderSpec
from isaaclab.sim import SimulationContext
from isaaclab.utils.warp import ProxyArray
from isaaclab_newton.renderers.newton_warp_renderer import NewtonWarpRenderer, RenderData

from groot_wrappers.errors import ContractError
from tasks.common.mujoco_look.renderer_cfg import MujocoLookRendererCfg
from tasks.common.mujoco_look.shading import Rays, Shading

__all__ = ["MujocoLookRenderer"]


class FineRenderData(RenderData):
    """What is kept for one camera: beside what the base keeps, its finer rays."""

    rays: Rays


class MujocoLookRenderer(NewtonWarpRenderer):
    """Newton's renderer, with MuJoCo's light; see ``MujocoLookRendererCfg``."""

    cfg: MujocoLookRendererCfg

    def initialize(self) -> None:
        """Make Newton's sensor, and lay out lights and materials on the device; physics has a model by now."""
        super().initialize()
        model = self.backend.model
        plan = SimulationContext.instance().get_clone_plan()
        placed = None if plan is None else plan.positions
        origins = np.zeros((model.world_count, 3)) if placed is None else np.asarray(placed)
        materials = [path.rsplit("/", 1)[-1] for path in model.isaaclab.visual_material_path]
        self._shading = Shading(self.cfg.look, model, materials, origins.astype(np.float32))

    def create_render_data(self, spec: CameraRenderSpec) -> FineRenderData:
        """Make room for what a camera sees.

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
        data.rays = Rays(self.backend.model, data.height, data.width, self.cfg.supersample)
        return data

    def update_camera(
        self, render_data: FineRenderData, positions: ProxyArray, orientations: ProxyArray, intrinsics: ProxyArray
    ) -> None:
        """Move the camera; its rays are laid when it is moved for the first time."""
        is_new = render_data.camera_rays is None
        super().update_camera(render_data, positions, orientations, intrinsics)
        if is_new:
            render_data.rays.lay(intrinsics.warp)

    def update_camera_intrinsics(self, render_data: FineRenderData, intrinsics: Any, parameters: Any) -> None:
        """Give the camera another lens."""
        super().update_camera_intrinsics(render_data, intrinsics, parameters)
        render_data.rays.lay(intrinsics)

    def _launch_render(self, render_data: FineRenderData) -> None:
        """Draw; on a GPU this is recorded once and replayed."""
        outputs = render_data.outputs
        picture, outputs.color_image = outputs.color_image, None
        if any(image is not None for image in vars(outputs).values()):
            super()._launch_render(render_data)  # depths and segmentations, a ray a pixel
        outputs.color_image = picture
        if picture is not None:
            far = render_data.far_clip
            self.newton_sensor.default_render_config.max_distance = self.cfg.max_distance if far is None else far
            sensor, poses = self.newton_sensor, render_data.camera_transforms
            self._shading.draw(sensor, self.backend.state_0, poses, render_data.rays, picture)
