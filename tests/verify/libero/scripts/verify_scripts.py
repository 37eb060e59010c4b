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
    """MuJoCo's own episodes, on which the scripts were frozen: of each task qpos (steps + 1, starts, nq)."""
    return {index: in_mujoco(read_script(suite, index)) for index in SCRIPTS[suite]}


def in_mujoco(task):
    worlds = MujocoWorlds(task.model, len(task.rest))
    steps = task.scene.task.horizon
    return follow_scripts(worlds, task.model, task.reset, task.rest, Player(task), steps=steps)


def on_newton(suite, folder):
    """Play a suite in a process for each scene, as there is one simulator in each; return the same of it."""
    scenes = {}
    for index in SCRIPTS[suite]:
        scenes.setdefault(libero_scene(suite, index).key, []).append(index)
        libero_scene.cache_clear()  # a model has hundreds of megabytes of pictures
    for indices in scenes.values():
        missing = [str(index) for index in indices if not (folder / f"{suite}_{index}.npy").exists()]
        command = [sys.executable, "-m", "tests.verify.libero.scripts.newton_scripts", folder, suite, *missing]
        if missing:
            subprocess.run(command, check=True, timeout=3600, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    return {index: np.load(folder / f"{suite}_{index}.npy") for index in SCRIPTS[suite]}


def successes(suite, played):
    """Whether episodes succeed, (tasks, starts)."""
    return np.stack([judge(read_script(suite, index), states) for index, states in played.items()])


def apart(suite, index, ours, theirs):
    """How far from each other a task's thing is in the end, the median, mm; None where it has none but joints."""
    task = read_script(suite, index)
    thing = task.scene.task.problem.goal[0].arguments[0]
    if thing not in task.scene.task.problem.objects:
        return None
    first = task.model.joint(f"{thing}_joint0").qposadr[0]
    way = (ours[-1] - theirs[-1])[:, first : first + 3]
    return round(float(np.median(np.linalg.norm(way, axis=1)) * 1000), 1)


def test_scripts_succeed_in_mujoco(suite, reference):
    outcomes = successes(suite, reference)
    print(f"\n{suite} in MuJoCo: {outcomes.sum()} of {outcomes.size}, by task {outcomes.sum(1).tolist()}")
    assert outcomes.mean() >= 0.9
    assert outcomes.sum(1).min() >= 7


def test_scripts_succeed_on_newton(suite, reference, tmp_path_factory):
    played = on_newton(suite, Path(os.environ.get("LIBERO_SCRIPTS") or tmp_path_factory.mktemp("scripts")))
    ours, theirs = successes(suite, reference), successes(suite, played)
    print(f"\n{suite} on Newton: {theirs.sum()} of {theirs.size}, by task {theirs.sum(1).tolist()}")
    print(f"the same outcome in {(theirs == ours).sum()} of {theirs.size} episodes")
    print(f"mm apart, by task: {[apart(suite, index, reference[index], played[index]) for index in played]}")
    for task, start in np.argwhere(theirs != ours):
        print(f"task {list(played)[task]}, start {start}: {'only' if theirs[task, start] else 'not'} on Newton")
    assert abs(theirs.mean() - ours.mean()) <= 0.10
    assert (ours.sum(1) - theirs.sum(1)).max() <= 3
