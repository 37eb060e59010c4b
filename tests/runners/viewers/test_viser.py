"""``viewer=viser`` where there is no viser, or nothing that it could show; the rest is in ``make verify-watching``."""

import importlib
import sys

import numpy as np
import pytest

from groot_wrappers.errors import ContractError
from groot_wrappers.installation.extras import MissingExtraError
from runners.recorders import Recorders
from runners.recorders.recorder import RunInfo


def test_missing_viser_is_told_with_the_line_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "viser", None)
    monkeypatch.delitem(sys.modules, "runners.viewers.viser", raising=False)
    with pytest.raises(MissingExtraError, match=r"viewer=viser needs viser.*pip install '\.\[viser\]'"):
        importlib.import_module("runners.viewers.viser")


@pytest.fixture
def module(monkeypatch):
    """The viewer's module, whether viser is there or not: nothing here comes as far as to use it."""
    monkeypatch.setitem(sys.modules, "viser", sys)
    monkeypatch.delitem(sys.modules, "runners.viewers.viser", raising=False)
    yield importlib.import_module("runners.viewers.viser")
    sys.modules.pop("runners.viewers.viser", None)


def test_env_that_newton_does_not_simulate_is_refused(module, tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "isaaclab.sim", raising=False)
    with pytest.raises(ContractError, match=r"this env has no simulation of IsaacLab\. Set sim=newton, or viewer=page"):
        Recorders([module.ViserViewer()]).on_run_start(RunInfo(tmp_path, {}, 20.0, "Toy-v0"))


def test_port_that_is_none_is_refused(module):
    with pytest.raises(ContractError, match=r"viewer\.port=-1 was asked for"):
        module.ViserViewer(port=-1)


def test_view_is_that_of_the_config_and_far_enough_for_each_env_of_several_to_be_in_it(module):
    looked = []

    class Camera:
        def set_camera(self, position, pitch, yaw):
            looked.append((np.array(position), pitch, yaw))

    viewer = module.ViserViewer()
    viewer._viewer = Camera()
    square = np.array([[x, y, 0.0] for x in (-1, 1) for y in (-1, 1)])
    for places in (np.zeros((1, 3)), square):
        viewer._look((2.0, 0.0, 1.5), (0.0, 0.0, 0.0), places)
    (near, *angles), (far, *same) = looked
    assert near.tolist() == [2.0, 0.0, 1.5]
    assert angles == pytest.approx([np.degrees(np.arcsin(-0.6)), -180])
    assert same == angles
    ahead = np.array([-0.8, 0.0, -0.6])
    for place in square:
        towards = (place - far) / np.linalg.norm(place - far)
        assert np.degrees(np.arccos(towards @ ahead)) < 75 / 2
    assert np.linalg.norm(far) < 2 * (2.5 + np.sqrt(2)), "no farther than it takes"
