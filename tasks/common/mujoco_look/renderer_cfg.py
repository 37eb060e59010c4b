"""``MujocoLookRendererCfg``: the option by which a camera draws a scene as MuJoCo's own renderer would."""

from isaaclab.renderers import RenderBufferKind, RenderBufferSpec
from isaaclab.utils import configclass
from isaaclab_newton.renderers import NewtonWarpRendererCfg

from tasks.common.mujoco_look.look import MujocoLook

__all__ = ["MujocoLookRendererCfg"]


@configclass
class MujocoLookRendererCfg(NewtonWarpRendererCfg):
    """``renderer_cfg`` of a camera whose ``rgb`` is lit by MuJoCo's formula; all else about the camera stays.

    For policies that were trained on MuJoCo's pictures: the light of another renderer is another domain to them.
    """

    class_type: type | str = "tasks.common.mujoco_look.renderer:MujocoLookRenderer"

    look: MujocoLook = MujocoLook()
    """Lights and materials of the scene; the default is MuJoCo's headlight alone."""

    supersample: int = 2
    """Rays through a pixel, along each side: 2 is four rays, as many as MuJoCo's samples of an edge."""

    def supported_output_types(self) -> dict[RenderBufferKind, RenderBufferSpec]:
        """Return the layouts of what such a camera can be asked for: not what Newton's own light is made from."""
        own = super().supported_output_types()
        return {
            kind: spec for kind, spec in own.items() if kind not in (RenderBufferKind.ALBEDO, RenderBufferKind.RGB_HDR)
        }
