"""LIBERO's contact on Newton: `make verify-libero`, an hour on two cores.

Three simulators play the same: MuJoCo, which is the reference; MuJoCo-Warp on the very same model, which parts the
solver's faults from ours; and Newton in IsaacLab, on the scene exported to USD. One controller drives them all.
What was measured is kept in ``docs/tasks/libero.md``.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.verify.libero.script import free_path
from tests.verify.libero.task_files import read_task
from tests.verify.libero.worlds import MujocoWorlds, WarpWorlds, follow, pick_and_place, successes

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[3]
TASKS, STARTS = range(10), 10
FINGERS = slice(7, 9)  # of qpos


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """The tasks' files, written by LIBERO; in ``LIBERO_REFERENCE`` where they are to be kept."""
    folder = Path(os.environ.get("LIBERO_REFERENCE") or tmp_path_factory.mktemp("libero"))
    missing = [str(task) for task in TASKS if not (folder / str(task) / "rest.npy").exists()]
    if missing:
        command = [os.environ["LIBERO_PYTHON"], Path(__file__).with_name("reference.py"), folder, *missing]
        subprocess.run(command, check=True, timeout=3600, env=os.environ | {"MUJOCO_GL": "glx"})
    return folder


def on_newton(folder, task, what):
    """Play in a process of its own, as there is one simulator in each; return what it wrote."""
    out = folder / str(task) / f"newton_{what}.npz"
    command = [sys.executable, "-m", "tests.verify.libero.newton_worlds", folder / str(task), out, what]
    subprocess.run(command, check=True, timeout=3600, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    return np.load(out)


def test_free_path_is_mujocos(folder):
    task = read_task(folder / "0")
    tool, states = follow(MujocoWorlds(task.model, 1), task.model, task.reset, task.starts[0], free_path())
    played = {"MuJoCo-Warp": follow(WarpWorlds(task.model, 1), task.model, task.reset, task.starts[0], free_path())}
    newton = on_newton(folder, 0, "free")
    played["Newton"] = newton["tool"], newton["states"]
    for name, (theirs, fingers) in played.items():
        away = np.linalg.norm(theirs - tool, axis=1) * 1000
        apart = np.abs(fingers[:, FINGERS] - states[:, FINGERS]).max() * 1000
        print(f"\n{name}: mm at each second {np.round(away[19::20], 3).tolist()}, fingers {apart:.3f} mm")
        assert away.max() < 1
        assert apart < 0.1


@pytest.fixture(scope="session")
def reference(folder):
    """Whether MuJoCo's own episodes succeed, (tasks, starts): the script was frozen on them."""
    return np.stack([played(MujocoWorlds, read_task(folder / str(task))) for task in TASKS])


def played(kind, task):
    states = pick_and_place(kind(task.model, STARTS), task.model, task.reset, task.rest, task.settings)
    return successes(task.model, states[-1])


def test_script_succeeds_in_mujoco(reference):
    print(f"\nMuJoCo: {reference.sum()} of {reference.size}, by task {reference.sum(1).tolist()}")
    assert reference.mean() >= 0.9
    assert reference.sum(1).min() >= 7


@pytest.mark.parametrize("name", ["MuJoCo-Warp", "Newton"])
def test_contact_gate(folder, reference, name):
    outcomes = []
    for index in TASKS:
        task = read_task(folder / str(index))
        if name == "Newton":
            outcomes.append(successes(task.model, on_newton(folder, index, "pick")["states"][-1]))
        else:
            outcomes.append(played(WarpWorlds, task))
    theirs = np.stack(outcomes)
    print(f"\n{name}: {theirs.sum()} of {theirs.size}, by task {theirs.sum(1).tolist()}")
    print(f"the same outcome in {(theirs == reference).sum()} of {theirs.size} episodes")
    assert abs(theirs.mean() - reference.mean()) <= 0.10
    assert (reference.sum(1) - theirs.sum(1)).max() <= 3
