"""LIBERO's scripts of ``goal`` and ``object`` on Newton: `make verify-libero-scripts`, an hour on two cores.

Drawers, a knob, a push, and grasps of twelve things: frozen on MuJoCo, the reference, before Newton played them.
What was measured is kept in ``docs/tasks/libero.md``.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tasks.libero.scene.asset import libero_scene
from tests.verify.libero.scripts.tasks import SCRIPTS, Player, judge, read_script
from tests.verify.libero.worlds import MujocoWorlds, follow_scripts

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="session", params=SCRIPTS)
def suite(request):
    return request.param


@pytest.fixture(scope="session")
def reference(suite):
    """Whether MuJoCo's own episodes succeed, (tasks, starts): the scripts were frozen on them."""
    return np.stack([judge(*in_mujoco(suite, index)) for index in SCRIPTS[suite]])


def in_mujoco(suite, index):
    """Return a task and its states (steps + 1, starts, nq)."""
    task = read_script(suite, index)
    worlds = MujocoWorlds(task.model, len(task.rest))
    return task, follow_scripts(worlds, task.model, task.reset, task.rest, Player(task), steps=task.scene.task.horizon)


def on_newton(suite, folder):
    """Play a suite in a process for each scene, as there is one simulator in each; return who succeeds."""
    scenes = {}
    for index in SCRIPTS[suite]:
        scenes.setdefault(libero_scene(suite, index).key, []).append(index)
        libero_scene.cache_clear()  # a model has hundreds of megabytes of pictures
    for indices in scenes.values():
        missing = [str(index) for index in indices if not (folder / f"{suite}_{index}.npy").exists()]
        command = [sys.executable, "-m", "tests.verify.libero.scripts.newton_scripts", folder, suite, *missing]
        if missing:
            subprocess.run(command, check=True, timeout=3600, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    return np.stack(
        [judge(read_script(suite, index), np.load(folder / f"{suite}_{index}.npy")) for index in SCRIPTS[suite]]
    )


def test_scripts_succeed_in_mujoco(suite, reference):
    print(f"\n{suite} in MuJoCo: {reference.sum()} of {reference.size}, by task {reference.sum(1).tolist()}")
    assert reference.mean() >= 0.9
    assert reference.sum(1).min() >= 7


def test_scripts_succeed_on_newton(suite, reference, tmp_path_factory):
    folder = Path(os.environ.get("LIBERO_SCRIPTS") or tmp_path_factory.mktemp("scripts"))
    theirs = on_newton(suite, folder)
    print(f"\n{suite} on Newton: {theirs.sum()} of {theirs.size}, by task {theirs.sum(1).tolist()}")
    print(f"the same outcome in {(theirs == reference).sum()} of {theirs.size} episodes")
    for index, start in np.argwhere(theirs != reference):
        print(
            f"task {list(SCRIPTS[suite])[index]}, start {start}: {'only' if theirs[index, start] else 'not'} on Newton"
        )
    assert abs(theirs.mean() - reference.mean()) <= 0.10
    assert (reference.sum(1) - theirs.sum(1)).max() <= 3
