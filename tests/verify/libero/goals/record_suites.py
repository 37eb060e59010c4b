"""What LIBERO itself reads of its suites: order, what policies are told, and each description, as JSON.

Run by the interpreter of ``make libero-env``::

    MUJOCO_GL=glx .libero/bin/python tests/verify/libero/goals/record_suites.py FILE
"""

import contextlib
import io
import json
import sys
from pathlib import Path

from libero.libero import benchmark
from libero.libero.envs import bddl_utils as bddl

SUITES = ("libero_spatial", "libero_object", "libero_goal", "libero_10", "libero_90")


def read(name):
    """Return the tasks of a suite in their order."""
    with contextlib.redirect_stdout(io.StringIO()):
        suite = benchmark.get_benchmark(name)(task_order_index=0)
    tasks = [suite.get_task(index) for index in range(suite.get_num_tasks())]
    return [
        {
            "name": task.name,
            "language": task.language,
            "problem": bddl.robosuite_parse_problem(suite.get_task_bddl_file_path(index)),
            "starts": suite.get_task_init_states(index).tolist(),
        }
        for index, task in enumerate(tasks)
    ]


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps({name: read(name) for name in SUITES}))
