"""``MujocoLookRenderer``: Newton casts the rays, and what they hit is lit as MuJoCo's own renderer would."""

from typing import Any

import warp as wp
from isaaclab.renderers.camera_render_spec import CameraRenderSpec
from isaaclab.utils.warp import ProxyArray
from isaaclab_newton.renderers.newton_warp_renderer import NewtonWarpRenderer, RenderData

from groot_wrappers.errors import ContractError
from tasks.common.mujoco_look.device_data import lighting_of, scene_of
from tasks.common.mujoco_look.kernels import fine_rays, shade
from tasks.common.mujoco_look.renderer_cfg import MujocoLookRendererCfg

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
        self._scene, self._kept = scene_of(self.cfg.look, model)
        self._lighting = lighting_of(self.cfg.look, model.device)

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
        finer, far = self.cfg.supersample, render_data.far_clip
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
        seen = (render_data.shapes, render_data.normals, render_data.depths)
        wp.launch(
            shade,
            (picture.shape[0], *picture.shape[2:]),
            [self._scene, self._lighting, render_data.camera_transforms, render_data.fine_rays, *seen, finer],
            [picture],
            device=picture.device,
        )
