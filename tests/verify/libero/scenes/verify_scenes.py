"""LIBERO's scenes: `make verify-libero-scenes`, three quarters of an hour on two cores.

The models that we compose are LIBERO's own, field by field; and all that falls in the official starts comes to rest on
Newton where it does in MuJoCo. What was measured is kept in ``docs/tasks/libero.md``.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import mujoco
import numpy as np
import pytest

from tasks.libero.scene.asset import libero_scene
from tasks.libero.scene.compose import compose
from tasks.libero.suites.suites import libero_task, task_names

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[4]
SUITES = ("libero_spatial", "libero_object", "libero_goal", "libero_10")
ALL = (*SUITES, "libero_90")
NEAR = 0.002  # m, of what comes to rest
SLOW = 0.001  # m in the last tenth of a second, of what has not come to rest by then
PATHS = {"nbuffer", "npaths", "paths", "signature"}  # of models that name their files otherwise


def differing(ours, theirs):
    """Return the names of all fields in which two models differ by more than 1e-9."""
    names = [name for name in dir(theirs) if not name.startswith("_") and name not in PATHS]
    found = [name for name in names if not name.endswith("pathadr") and not same(ours, theirs, name)]
    for part in ("opt", "vis", "stat"):
        mine, its = getattr(ours, part), getattr(theirs, part)
        fields = [name for name in dir(its) if not name.startswith("_")]
        found += [f"{part}.{name}" for name in fields if not same(mine, its, name)]
    return found


def same(ours, theirs, name):
    """Whether a field is the same; what is no number or array of numbers is."""
    try:
        mine, its = getattr(ours, name), getattr(theirs, name)
    except mujoco.FatalError:
        return True
    if isinstance(its, bytes):
        return mine == its
    if not isinstance(its, int | float | np.ndarray):
        return True
    mine, its = np.asarray(mine), np.asarray(its)
    if mine.shape != its.shape or its.dtype.kind not in "fiub":
        return mine.shape == its.shape
    return bool(np.abs(mine.astype(float) - its.astype(float)).max(initial=0.0) <= 1e-9)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Where what LIBERO says is; ``LIBERO_SCENES`` where it is to be kept."""
    return Path(os.environ.get("LIBERO_SCENES") or tmp_path_factory.mktemp("libero_scenes"))


@pytest.mark.parametrize("suite", ALL)
def test_models_are_liberos(folder, suite):
    numbers = range(len(task_names(suite)))
    if not (folder / f"{suite}_{numbers[-1]}.json").exists():
        command = [os.environ["LIBERO_PYTHON"], Path(__file__).with_name("record.py"), folder, suite]
        subprocess.run(command, check=True, timeout=3600, env=os.environ | {"MUJOCO_GL": "glx"})
    fields = set()
    for index in numbers:
        theirs = mujoco.MjModel.from_xml_string((folder / f"{suite}_{index}.xml").read_text())
        for body, (position, quaternion) in json.loads((folder / f"{suite}_{index}.json").read_text()).items():
            theirs.body(body).pos, theirs.body(body).quat = position, quaternion
        ours = compose(libero_task(suite, index).problem)
        assert differing(ours, theirs) == [], f"{suite} {index}"
        fields |= {name for name in dir(theirs) if isinstance(getattr(theirs, name, None), np.ndarray)}
    print(f"\n{suite}: {len(numbers)} models, {len(fields)} arrays each, none differs")


def settled(folder, suite):
    """Let all starts of a suite fall, in a process for each scene; return each task's file."""
    scenes = {}
    for index in range(len(task_names(suite))):
        scenes.setdefault(libero_scene(suite, index).key, []).append(index)
        libero_scene.cache_clear()  # a model has hundreds of megabytes of pictures
    for indices in scenes.values():
        missing = [str(index) for index in indices if not (folder / f"{suite}_{index}.npz").exists()]
        command = [
            sys.executable,
            "-m",
            "tests.verify.libero.scenes.settling",
            folder / f"{suite}.npz",
            suite,
            *missing,
        ]
        if missing:
            subprocess.run(command, check=True, timeout=3600, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    return {index: np.load(folder / f"{suite}_{index}.npz") for index in range(len(task_names(suite)))}


DIFFERS = {
    "libero_spatial": "a bowl bounces off its ramekin in task 5, each time elsewhere",
    "libero_10": "a carton that balances falls over in two starts of task 0",
}
"""Why a suite is known not to come to rest within 2 mm; the test fails once it does."""


@pytest.mark.parametrize(
    "suite",
    [
        pytest.param(suite, marks=[pytest.mark.xfail(strict=True, reason=DIFFERS[suite])] if suite in DIFFERS else ())
        for suite in SUITES
    ],
)
def test_what_falls_comes_to_rest_where_it_does_in_mujoco(tmp_path_factory, suite):
    folder = Path(os.environ.get("LIBERO_SETTLED") or tmp_path_factory.mktemp("settled"))
    far = rested = 0
    worst = []
    for index, file in settled(folder, suite).items():
        away = np.linalg.norm(file["newton"] - file["mujoco"], axis=2)
        rests = file["drift"] <= SLOW
        far, rested = far + int((away[rests] > NEAR).sum()), rested + int(rests.sum())
        worst.append(float(away[rests].max() * 1000))
        for start, thing in np.argwhere((away > NEAR) & rests):
            print(
                f"\n{suite} {index}, start {start}: {file['things'][thing]} is {away[start, thing] * 1000:.1f} mm off"
            )
    print(f"\n{suite}: {far} of {rested} are more than 2 mm off; the worst of each task, mm: {np.round(worst, 3)}")
    assert far == 0
