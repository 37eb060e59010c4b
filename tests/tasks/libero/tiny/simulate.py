"""Play the tiny scene of LIBERO's kind on Newton, and write what happened as JSON: ``python -m ... FOLDER FILE``.

One start of the simulator for all that ``test_env.py`` looks at; FOLDER is what ``LIBERO_ASSETS`` is to name.
"""

import json
import os
import re
import sys
from pathlib import Path

FOLDER, FILE = map(Path, sys.argv[1:])
os.environ["LIBERO_ASSETS"] = str(FOLDER)

import mujoco_warp  # noqa: E402
import torch  # noqa: E402
from isaaclab.app import launch_simulation  # noqa: E402

from groot_wrappers.episode_context import EpisodeContext, set_episode_context  # noqa: E402
from tasks.gr00t_env import Gr00tEnv  # noqa: E402
from tasks.libero.control.physics import NewtonLiberoManager  # noqa: E402
from tasks.libero.env_cfg import LiberoEnvCfg  # noqa: E402
from tasks.libero.goals.stages import progress_cfg  # noqa: E402
from tasks.libero.mdp import write_state  # noqa: E402
from tasks.libero.scene.asset import libero_scene  # noqa: E402
from tasks.libero.scene.cfg import scene_cfg  # noqa: E402
from tasks.libero.scene.rest import official_rests  # noqa: E402
from tests.tasks.libero.tiny.data import SUITE, write_tiny_libero  # noqa: E402

PLACES = {0: 7, 1: 52}
CASES = {"nothing": (False, False), "placed": (True, False), "closed": (False, True), "both": (True, True)}


def states(scene, start):
    """Return qpos (cases, nq): of what the goal asks for nothing, the one (and the stove is on), the other, or both."""
    qpos = torch.tensor(start, dtype=torch.float32).repeat(len(CASES), 1)
    joints = ("bowl_1_joint0", "plate_1_joint0", "wooden_cabinet_1_level", "flat_stove_1_button")
    bowl, plate, level, button = (scene.model.joint(name).qposadr[0] for name in joints)
    for row, (placed, closed) in zip(qpos, CASES.values(), strict=True):
        if placed:
            row[bowl : bowl + 2] = row[plate : plate + 2]
            row[bowl + 2] = row[plate + 2] + 0.01
        row[level] = 0.005 if closed else -0.1
        row[button] = 1.0 if placed else 0.0
    return qpos


def pairs(warp_model, model, number):
    """Return which geoms MuJoCo-Warp lets collide, by the numbers that ``number`` finds in their names."""
    geoms = [number(geom, model.geom(geom).name) for geom in range(model.ngeom)]
    return sorted(sorted(geoms[each] for each in pair) for pair in warp_model.nxn_geom_pair_filtered.numpy().tolist())


def glowing():
    """Return in which envs the burner is seen."""
    model = NewtonLiberoManager.get_model()
    shapes = [shape for shape, label in enumerate(model.shape_label) if "flat_stove_1_burner" in label]
    return (model.shape_color.numpy()[shapes] > 0).all(axis=1).tolist()


def main():
    """Reset, wait, and look at success in each of the cases."""
    write_tiny_libero(FOLDER)
    scene = libero_scene(SUITE, 0)
    cfg = LiberoEnvCfg(suite=SUITE, index=0, scene=scene_cfg(SUITE, 0, num_envs=len(CASES)))
    facts = {}
    with launch_simulation(cfg, {"device": "cpu", "livestream": 0}):
        cfg.observations.progress = progress_cfg(SUITE, 0)
        env = Gr00tEnv(cfg=cfg)
        facts["pairs"] = {
            "mujoco": pairs(mujoco_warp.put_model(scene.model), scene.model, lambda geom, name: geom),
            "newton": pairs(
                NewtonLiberoManager._solver.mjw_model, NewtonLiberoManager.mujoco_model(),
                lambda geom, name: int(re.search(r"touched(\d+)", name)[1]),
            ),
        }  # fmt: skip
        still = torch.zeros(env.num_envs, env.action_manager.total_action_dim)
        still[:, -1] = 1.0  # the fingers stay open
        set_episode_context(env, EpisodeContext())
        env.reset(options={"places": PLACES})
        facts["glowing at first"] = glowing()
        bowl, drawer = env.scene["bowl_1"], env.scene["wooden_cabinet_1"]
        facts["starts"] = bowl.data.root_link_pose_w.torch[:, :3].tolist()
        for _ in range(10):
            env.step(still)
        facts["later"] = bowl.data.root_link_pose_w.torch[:, :3].tolist()
        facts["drawer"] = drawer.data.joint_pos.torch[:, 0].tolist()
        write_state(env.scene, scene.model, torch.arange(env.num_envs), states(scene, official_rests(scene)[0]))
        ended, stages = [], []
        for _ in range(10):
            observation, _, terminated, *_ = env.step(still)
            ended.append(terminated.tolist())
            facts.setdefault("glowing", dict(zip(CASES, glowing(), strict=True)))
            stages.append({name: reached.tolist() for name, reached in observation["progress"].items()})
        facts["stages"] = {
            case: [name for name in stages[0] if any(step[name][number] for step in stages)]
            for number, case in enumerate(CASES)
        }
        facts["success"] = {case: any(step[number] for step in ended) for number, case in enumerate(CASES)}
        env.close()
    FILE.write_text(json.dumps(facts))


if __name__ == "__main__":
    main()
