"""LIBERO's pictures on Newton: a part of `make verify-libero`, half an hour on two cores.

LIBERO draws the first three official starts of each task by its own MuJoCo, Newton draws them in MuJoCo's light, and
what differs is measured. ``LIBERO_PICTURES`` keeps all of them, and the five least alike side by side, to be looked at.
"""

import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.libero.scene.asset import libero_scene
from tasks.libero.scene.usd.links import children_of
from tests.verify.libero.likeness import psnr, ssim

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[3]
SUITES, TASKS, STARTS = ("libero_spatial", "libero_object", "libero_goal", "libero_10"), range(10), range(3)
CAMERAS = ("scene_camera", "wrist_camera")
LEAST_SSIM, LEAST_PSNR = 0.85, 24.0
WORST = 5


@dataclass(frozen=True)
class Pair:
    """A start as LIBERO and as Newton draw it."""

    suite: str
    name: str
    theirs: np.ndarray
    ours: np.ndarray
    camera: str

    @property
    def ssim(self):
        return ssim(self.theirs, self.ours)

    @property
    def psnr(self):
        return psnr(self.theirs, self.ours)


def fixtures(model):
    """Where the bodies stand that no start moves, by name: position, quaternion w first."""
    still = [
        body
        for body in children_of(model, 0)
        if not any(
            model.jnt_type[joint] == 0
            for joint in range(model.njnt)
            if model.body_rootid[model.jnt_bodyid[joint]] == body
        )
    ]
    return {model.body(body).name: [model.body_pos[body].tolist(), model.body_quat[body].tolist()] for body in still}


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """All pictures of both."""
    folder = Path(os.environ.get("LIBERO_PICTURES") or tmp_path_factory.mktemp("pictures"))
    tasks = [(suite, index, folder / suite / str(index)) for suite in SUITES for index in TASKS]
    for suite, index, place in tasks:
        place.mkdir(parents=True, exist_ok=True)
        place.joinpath("fixtures.json").write_text(json.dumps(fixtures(libero_scene(suite, index).model)))
    last = f"{STARTS[-1]}_{CAMERAS[-1]}.png"
    missing = [f"{suite}/{index}" for suite, index, place in tasks if not (place / last).exists()]
    if missing:
        command = [os.environ["LIBERO_PYTHON"], Path(__file__).with_name("picture_reference.py"), folder, *missing]
        environment = os.environ | {"MUJOCO_GL": os.environ.get("MUJOCO_GL", "egl")}
        subprocess.run(command, check=True, timeout=3600, env=environment)
    for suite, index, place in tasks:  # one simulator a process
        command = [sys.executable, "-m", "tests.verify.libero.newton_pictures", suite, str(index), place]
        subprocess.run(command, check=True, timeout=600, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    return folder


@pytest.fixture(scope="session")
def pairs(folder):
    """All of them, the least alike first."""
    pairs = []
    for suite in SUITES:
        for index in TASKS:
            for start in STARTS:
                for camera in CAMERAS:
                    place = folder / suite / str(index)
                    files = (place / f"{start}_{camera}.png", place / f"newton_{start}_{camera}.png")
                    theirs, ours = (np.asarray(Image.open(file).convert("RGB")) for file in files)
                    pairs.append(Pair(suite, f"{suite}_{index}_{start}_{camera}", theirs, ours, camera))
    pairs.sort(key=lambda pair: pair.ssim)
    for place, pair in enumerate(pairs[:WORST]):
        both = np.concatenate([pair.theirs, pair.ours], axis=1)
        Image.fromarray(both).resize((1024, 512), Image.Resampling.NEAREST).save(
            folder / f"worst{place}_{pair.name}.png"
        )
    return pairs


@pytest.mark.parametrize("suite", SUITES)
def test_pictures_are_mujocos(pairs, suite):
    for camera in CAMERAS:
        mine = [pair for pair in pairs if (pair.suite, pair.camera) == (suite, camera)]
        alike, ratio = [pair.ssim for pair in mine], [pair.psnr for pair in mine]
        print(
            f"\n{suite} {camera}, {len(mine)} pictures: SSIM {min(alike):.3f} to {statistics.median(alike):.3f} "
            f"(minimum, median), PSNR {min(ratio):.1f} to {statistics.median(ratio):.1f} dB"
        )
        assert min(alike) >= LEAST_SSIM
        assert min(ratio) >= LEAST_PSNR
