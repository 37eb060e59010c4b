"""What Newton draws of a task's first official starts, for ``verify_pictures.py``.

python -m tests.verify.libero.newton_pictures SUITE INDEX FOLDER

``FOLDER`` has LIBERO's ``starts.npy``; ``newton_START_CAMERA.png`` are written beside it.
"""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from isaaclab.app import launch_simulation
from isaaclab.scene import InteractiveScene
from isaaclab.sim import SimulationContext
from PIL import Image

from tasks.gr00t_env_cfg import Gr00tEnvCfg
from tasks.libero.burners import BurnerLights
from tasks.libero.scene.asset import libero_scene
from tasks.libero.scene.cfg import scene_cfg

CAMERAS = ("scene_camera", "wrist_camera")


def put(scene, model, start):
    """Put all that moves where a start has it."""
    qpos = torch.tensor(start[1 : 1 + model.nq], dtype=torch.float32)
    for name, body in scene.rigid_objects.items():
        first = int(model.joint(f"{name}_joint0").qposadr[0])
        body.write_root_link_pose_to_sim_index(root_pose=qpos[None, first + torch.tensor([0, 1, 2, 4, 5, 6, 3])])
    for thing in scene.articulations.values():
        columns = [int(model.joint(name).qposadr[0]) for name in thing.joint_names]
        thing.write_joint_position_to_sim_index(position=qpos[None, columns])


def main(suite, index, folder):
    """Draw each start by both cameras, without a step of physics."""
    task = libero_scene(suite, int(index))
    cfg = Gr00tEnvCfg(scene=scene_cfg(suite, int(index)))
    with launch_simulation(cfg, {"device": "cpu", "livestream": 0}):
        sim = SimulationContext(cfg.sim)
        scene = InteractiveScene(cfg.scene)
        sim.reset()
        burners = BurnerLights(SimpleNamespace(scene=scene), task)
        for number, start in enumerate(np.load(Path(folder) / "starts.npy")):
            put(scene, task.model, start)
            burners.look()
            sim.forward()
            for name in CAMERAS:
                camera = scene[name]
                camera.update(0.0, force_recompute=True)
                picture = camera.data.output["rgb"].torch.numpy()[0, ..., :3]
                Image.fromarray(picture).save(Path(folder) / f"newton_{number}_{name}.png")


if __name__ == "__main__":
    main(*sys.argv[1:])
