"""LIBERO's predicates on Newton's engine against LIBERO itself, and its tasks and starts: `make verify-libero`.

``record.py`` writes the states that LIBERO has judged, in ``LIBERO_GOALS`` where they are to be kept. The scenes are
then MuJoCo-Warp's, whose poses and contacts are what the predicates read in an env.
"""

import json
import os
import subprocess
from functools import cache
from pathlib import Path

import mujoco
import mujoco_warp
import numpy as np
import pytest
import warp as wp

from tasks.libero.goals.contacts import Contacts
from tasks.libero.goals.predicates import predicate_test
from tasks.libero.suites.bddl import Predicate
from tasks.libero.suites.suites import libero_task

HERE = Path(__file__).parent
pytestmark = pytest.mark.process  # LIBERO's interpreter, and what Warp starts to learn of the machine


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """A folder of each kind of predicate."""
    folder = Path(os.environ.get("LIBERO_GOALS") or tmp_path_factory.mktemp("goals"))
    if not any(folder.glob("*/case.json")):
        command = [os.environ["LIBERO_PYTHON"], HERE / "record.py", folder]
        subprocess.run(command, check=True, timeout=3600, env=os.environ | {"MUJOCO_GL": "glx"})
    return sorted(path.parent for path in folder.glob("*/case.json"))


class WarpMoment:
    """States (n, nq) of a model, as n worlds of MuJoCo-Warp."""

    def __init__(self, model, qpos, pairs):
        self._model = model
        warped = mujoco_warp.put_model(model)
        self._data = mujoco_warp.make_data(model, nworld=len(qpos), nconmax=400, njmax=2000)
        self._data.qpos.assign(qpos.astype(np.float32))
        mujoco_warp.kinematics(warped, self._data)
        mujoco_warp.collision(warped, self._data)
        names = [model.body(body).name for body in range(model.nbody)]
        owners = [names[model.body_rootid[body]].removesuffix("_main") for body in model.geom_bodyid]
        self._contacts = Contacts(self._data, owners, pairs)

    @cache  # noqa: B019, as long as the test
    def pose(self, body):
        number = self._model.body(body).id
        return wp.to_torch(self._data.xpos)[:, number], wp.to_torch(self._data.xmat)[:, number].view(-1, 3, 3)

    def joint(self, name):
        return wp.to_torch(self._data.qpos)[:, self._model.joint(name).qposadr[0]]

    def touching(self, first, second):
        return self._contacts.touching()[:, self._contacts.column(first, second)]


def test_predicates_are_liberos(folders):
    total = {}
    print()
    for folder in folders:
        case, states = json.loads((folder / "case.json").read_text()), np.load(folder / "states.npz")
        problem = libero_task(case["suite"], case["index"]).problem
        name, *arguments = case["predicate"]
        model = mujoco.MjModel.from_xml_path(str(folder / "scene.xml"))
        model.geom_margin[:] = 0  # the microwave's is 1 mm, which MuJoCo-Warp has not beside several contacts of a pair
        test = predicate_test(Predicate(name, tuple(arguments)), problem, model)
        region = getattr(test, "region", None)
        owner = region.owner if region is not None else arguments[-1]
        pairs = [(arguments[0], owner)] if name == "on" and owner is not None else []
        ours = test(WarpMoment(model, states["qpos"], pairs)).numpy()
        wrong = ours != states["truth"]
        outside = wrong & ~states["band"]
        counts = np.array([len(wrong), states["truth"].sum(), states["band"].sum(), wrong.sum(), outside.sum()])
        total[name] = total.get(name, 0) + counts
        print(f"{name} {case['about']}: {counts.tolist()}", flush=True)
    print("predicate: states, that hold, in the band, judged otherwise, of these outside of the band")
    for name, counts in total.items():
        print(f"{name}: {counts.tolist()}")
    states, hold, _, _, outside = sum(total.values())
    assert states >= 1000
    assert abs(hold / states - 0.5) < 0.05
    assert outside == 0
