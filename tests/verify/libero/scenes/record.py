"""The models that LIBERO itself makes of its tasks, for ``verify_scenes.py``.

Run by the interpreter of ``make libero-env``::

    MUJOCO_GL=glx .libero/bin/python tests/verify/libero/scenes/record.py OUT SUITE [SUITE ...]

For each task ``SUITE_INDEX.xml``, as robosuite hands it to MuJoCo, and ``SUITE_INDEX.json``, where LIBERO puts the
fixtures afterwards: ``{body: [position, quaternion w x y z]}``. It draws their places; here the middle is drawn always.
"""

import json
import sys
from pathlib import Path

import numpy as np
import robosuite.utils.placement_samplers as samplers
from libero.libero import benchmark, get_libero_path
from libero.libero.envs.env_wrapper import ControlEnv


def middle(low=0.0, high=1.0, size=None):
    """Stand for ``numpy.random.uniform``."""
    drawn = (np.asarray(low) + np.asarray(high)) / 2
    return drawn if size is None else np.full(size, drawn)


def write(suite, name, index, out):
    """Write the files of a task."""
    task = suite.get_task(index)
    bddl = Path(get_libero_path("bddl_files")) / task.problem_folder / task.bddl_file
    env = ControlEnv(bddl_file_name=str(bddl), has_offscreen_renderer=False, use_camera_obs=False)
    (out / f"{name}_{index}.xml").write_text(env.env.model.get_xml())
    model, places = env.sim.model, {}
    for fixture in env.env.fixtures_dict.values():
        body = model.body_name2id(fixture.root_body)
        places[fixture.root_body] = [model.body_pos[body].tolist(), model.body_quat[body].tolist()]
    (out / f"{name}_{index}.json").write_text(json.dumps(places))
    env.close()


if __name__ == "__main__":
    np.random.uniform = middle
    MAKE = samplers.ObjectPositionSampler.__init__

    def anywhere(self, *args, **kwargs):
        """Let things overlap, as all of them stand in the middle."""
        MAKE(self, *args, **kwargs)
        self.ensure_valid_placement = False

    samplers.ObjectPositionSampler.__init__ = anywhere
    for NAME in sys.argv[2:]:
        SUITE = benchmark.get_benchmark(NAME)(task_order_index=0)
        for INDEX in range(SUITE.get_num_tasks()):
            write(SUITE, NAME, INDEX, Path(sys.argv[1]))
        print(f"{NAME} is written", flush=True)
