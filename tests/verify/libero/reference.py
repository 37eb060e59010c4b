"""What LIBERO itself says: models, starts and controllers of the ``spatial`` suite, for newer MuJoCos to read.

Run by the interpreter of ``make libero-env``, which has LIBERO with the MuJoCo of its published results::

    MUJOCO_GL=glx .libero/bin/python tests/verify/libero/reference.py OUT [TASK ...]

For each task a folder with ``scene.xml``, ``starts.npy`` (the first official starts as the archive has them),
``rest.npy`` (the same after the ten steps for which LIBERO's evaluations wait until all objects have fallen into place)
and ``reset.npz`` (what the controller keeps from ``reset``). They name assets by their paths: nothing to pass on.
"""

import sys
from pathlib import Path

import numpy as np
from libero.libero import benchmark, get_libero_path
from libero.libero.envs.env_wrapper import ControlEnv

STARTS, WAIT = 10, 10
STILL = np.array([0.0] * 6 + [-1.0])


def write(suite, index, folder):
    """Write one task's files into ``folder``."""
    task = suite.get_task(index)
    bddl = Path(get_libero_path("bddl_files")) / task.problem_folder / task.bddl_file
    env = ControlEnv(bddl_file_name=str(bddl), has_offscreen_renderer=False, use_camera_obs=False)
    env.seed(0)
    env.reset()
    folder.mkdir(parents=True, exist_ok=True)
    # The XML that MuJoCo writes forgets which geoms weigh: a bowl would have 46 g instead of 5.6 g.
    xml = env.sim.model.get_xml().replace("<compiler ", '<compiler inertiagrouprange="0 0" ', 1)
    (folder / "scene.xml").write_text(xml)
    controller = env.env.robots[0].controller
    kept = {name: getattr(controller, name) for name in ("goal_pos", "goal_ori", "initial_joint")}
    np.savez(folder / "reset.npz", **kept)
    starts = suite.get_task_init_states(index)[:STARTS]
    np.save(folder / "starts.npy", starts)
    np.save(folder / "rest.npy", [_at_rest(env, start) for start in starts])
    env.close()


def _at_rest(env, start):
    env.reset()
    env.set_init_state(start)
    for _ in range(WAIT):
        env.step(STILL)
    return env.get_sim_state()


if __name__ == "__main__":
    SUITE = benchmark.get_benchmark("libero_spatial")(task_order_index=0)
    for INDEX in [int(word) for word in sys.argv[2:]] or range(SUITE.get_num_tasks()):
        write(SUITE, INDEX, Path(sys.argv[1]) / str(INDEX))
        print(f"task {INDEX} of spatial is written", flush=True)
