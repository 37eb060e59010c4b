"""MuJoCo's own light over what Newton's renderer sees: a camera option, for policies trained on MuJoCo's pictures.

* ``MujocoLookRendererCfg``: the option.
* ``MujocoLook``, with ``Headlight``, ``Light`` and ``Material``: what a scene is lit by.
* ``look_of``, ``geom_colour``, ``material_name``: from a compiled MuJoCo model.
"""

from tasks.common.mujoco_look.look import Headlight, Light, Material, MujocoLook, geom_colour, look_of, material_name
from tasks.common.mujoco_look.renderer_cfg import MujocoLookRendererCfg

__all__ = [
    "Headlight",
    "Light",
    "Material",
    "MujocoLook",
    "MujocoLookRendererCfg",
    "geom_colour",
    "look_of",
    "material_name",
]
