"""Where the things of LIBERO's tasks come to rest on Newton and in MuJoCo, from all official starts side by side.

python -m tests.verify.libero.scenes.settling OUT.npz SUITE INDEX [INDEX ...]

A file for each task (``OUT`` with its number before the suffix), as a process has one simulator and tasks of one
scene share it: ``newton`` and ``mujoco`` (50, things, 3), m, and ``drift`` (50, things), m in the last tenth of a
second in MuJoCo, where what has not come to rest by then shows itself.
"""

import sys
from pathlib import Path

import mujoco
import numpy as np
import torch
from isaaclab.app import launch_simulation
from isaaclab.scene import InteractiveScene
from isaaclab.sim import SimulationContext

from tasks.libero.env_cfg import LiberoEnvCfg
from tasks.libero.mdp import write_state
from tasks.libero.scene.asset import libero_scene
from tasks.libero.scene.cfg import scene_cfg
from tasks.libero.suites.starts import official_starts

STEPS, LATE = 500, 50  # physics steps: a second, and its last tenth


def in_mujoco(scene, starts):
    """Let starts (n, nq) fall, the arm held; return places (n, things, 3) and how far each has moved at last."""
    model, places, drifts = scene.model, [], []
    free = [model.joint(f"{name}_joint0").qposadr[0] for name in scene.task.problem.objects]
    arm = np.array([model.joint(f"robot0_joint{number}").dofadr[0] for number in range(1, 8)])
    for start in starts:
        data = mujoco.MjData(model)
        data.qpos[:] = start
        for step in range(STEPS):
            if step == STEPS - LATE:
                earlier = np.array([data.qpos[first : first + 3] for first in free])
            mujoco.mj_step1(model, data)
            data.qfrc_applied[arm] = data.qfrc_bias[arm]
            mujoco.mj_step2(model, data)
            data.qpos[arm], data.qvel[arm] = start[arm], 0.0
        places.append([data.qpos[first : first + 3].copy() for first in free])
        drifts.append(np.linalg.norm(places[-1] - earlier, axis=1))
    return np.array(places), np.array(drifts)


def main(out, suite, *indices):
    """Write the files of some tasks that have one scene."""
    scenes = [libero_scene(suite, int(index)) for index in indices]
    if len({scene.key for scene in scenes}) > 1:
        raise SystemExit(f"{suite} {' '.join(indices)}: these tasks have not one scene")
    starts = [official_starts(scene.task)[:, 1 : 1 + scene.model.nq] for scene in scenes]
    cfg = LiberoEnvCfg(scene=scene_cfg(suite, int(indices[0]), len(starts[0])))
    del cfg.scene.scene_camera, cfg.scene.wrist_camera
    arm = cfg.scene.robot.actuators["arm"]
    arm.stiffness, arm.damping = 2000.0, 200.0  # nobody controls it here
    with launch_simulation(cfg, {"device": "cpu", "livestream": 0}):
        sim = SimulationContext(cfg.sim)
        placed = InteractiveScene(cfg.scene)
        sim.reset()
        ids = torch.arange(len(starts[0]))
        for scene, index, its in zip(scenes, indices, starts, strict=True):
            write_state(placed, scene.model, ids, torch.tensor(its, dtype=torch.float32))
            placed.write_data_to_sim()
            for _ in range(STEPS):
                sim.step(render=False)
            placed.update(STEPS * cfg.sim.dt)
            things = [placed[name].data.root_link_pose_w.torch[:, :3].numpy() for name in scene.task.problem.objects]
            theirs, drift = in_mujoco(scene, its)
            path = Path(out)
            np.savez(
                path.with_name(f"{path.stem}_{index}{path.suffix}"),
                newton=np.stack(things, 1), mujoco=theirs, drift=drift, things=list(scene.task.problem.objects),
            )  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
