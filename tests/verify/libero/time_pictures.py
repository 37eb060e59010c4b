"""What a picture in MuJoCo's look costs beside one in Newton's own light, in one run, on a CPU.

python -m tests.verify.libero.time_pictures [SUITE INDEX]
"""

import sys
import time

from isaaclab.app import launch_simulation
from isaaclab.scene import InteractiveScene
from isaaclab.sim import SimulationContext
from isaaclab_newton.renderers import NewtonWarpRendererCfg

from tasks.gr00t_env_cfg import Gr00tEnvCfg
from tasks.libero.scene.cfg import scene_cfg

ROUNDS = 10


def main(suite="libero_spatial", index="0"):
    """Print milliseconds a picture of 256 x 256, and how many times Newton's own that is."""
    scene_config = scene_cfg(suite, int(index))
    look = scene_config.scene_camera
    lights = {"newton": NewtonWarpRendererCfg()}
    lights |= {f"look_{finer}": look.renderer_cfg.replace(supersample=finer) for finer in (1, 2)}
    for name, light in lights.items():
        setattr(scene_config, name, look.replace(prim_path=look.prim_path + name, renderer_cfg=light))
    cfg = Gr00tEnvCfg(scene=scene_config)
    with launch_simulation(cfg, {"device": "cpu", "livestream": 0}):
        sim = SimulationContext(cfg.sim)
        scene = InteractiveScene(cfg.scene)
        sim.reset()
        spent = dict.fromkeys(lights, 0.0)
        for round_number in range(ROUNDS + 1):
            for name in lights:
                begun = time.perf_counter()
                scene[name].update(0.0, force_recompute=True)
                spent[name] += (time.perf_counter() - begun) * (round_number > 0)  # the first one compiles
        for name, seconds in spent.items():
            print(f"{name}: {1000 * seconds / ROUNDS:.0f} ms, {seconds / spent['newton']:.2f} of Newton's own")


if __name__ == "__main__":
    main(*sys.argv[1:])
