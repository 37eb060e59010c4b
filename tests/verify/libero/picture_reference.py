"""What LIBERO itself draws of the first official starts, for ``verify_pictures.py``.

Run by the interpreter of ``make libero-env``, with a MuJoCo that draws without a screen::

    MUJOCO_GL=egl .libero/bin/python tests/verify/libero/picture_reference.py OUT SUITE/INDEX ...

``OUT/SUITE/INDEX/fixtures.json`` says where the bodies stand that no start moves: LIBERO draws that anew on each reset.
Written beside it: ``START_CAMERA.png`` of each start and both cameras, and ``starts.npy``.
"""

import json
import sys
from pathlib import Path

import numpy as np
from libero.libero import benchmark, get_libero_path
from libero.libero.envs import OffScreenRenderEnv
from PIL import Image

STARTS, SIZE = 3, 256
CAMERAS = {"scene_camera": "agentview", "wrist_camera": "robot0_eye_in_hand"}


def write(suite, index, folder):
    """Write one task's pictures."""
    task = suite.get_task(index)
    bddl = Path(get_libero_path("bddl_files")) / task.problem_folder / task.bddl_file
    env = OffScreenRenderEnv(bddl_file_name=str(bddl), camera_heights=SIZE, camera_widths=SIZE)
    env.seed(0)
    env.reset()
    model = env.sim.model
    for body, (position, quaternion) in json.loads((folder / "fixtures.json").read_text()).items():
        model.body_pos[model.body_name2id(body)] = position
        model.body_quat[model.body_name2id(body)] = quaternion
    starts = suite.get_task_init_states(index)[:STARTS]
    np.save(folder / "starts.npy", starts)
    for number, start in enumerate(starts):
        seen = env.set_init_state(start)
        for ours, theirs in CAMERAS.items():
            Image.fromarray(seen[f"{theirs}_image"][::-1]).save(
                folder / f"{number}_{ours}.png"
            )  # they stand upside down
    env.close()


if __name__ == "__main__":
    for word in sys.argv[2:]:
        name, place = word.split("/")
        write(benchmark.get_benchmark(name)(task_order_index=0), int(place), Path(sys.argv[1]) / word)
        print(f"LIBERO has drawn {word}", flush=True)
